"""Classes of other people's, by import path: found, checked for who could have written them, and built."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import stat
import sys
import traceback
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from typing import Any, Final

from wsgui.access.websockify_modules import provide
from wsgui.display import display
from wsgui.errors import WsguiError

_CHANGEABLE: Final = stat.S_IWGRP | stat.S_IWOTH

_log = logging.getLogger(__name__)


def build(import_path: str, source: str | None, *, folder: str | None, field: str, source_field: str) -> Any:
    """Import a class and build it with `source`. Blocking, and it runs other people's code.

    Args:
        import_path: `package.module.Class`.
        folder: A folder to look in after all others; None: the usual ones only, and files that others can write are
            refused.
        field: The profile's field that names the class.
        source_field: That which `source` is from.

    Raises:
        WsguiError: There is no such class, somebody else could have written it, or it cannot be built. What it says
            itself is not repeated, as the source may hold a password.
    """
    if folder is not None and folder not in sys.path:
        sys.path.append(folder)
    importlib.invalidate_caches()
    provide()
    module_name, _, class_name = import_path.rpartition(".")
    shown = display(import_path)
    try:
        module = _import(module_name, field, checked=folder is None)
    except WsguiError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            where = " or in the working directory" if folder is not None else ""
            hint = f"Install it where wsgui is installed{where}, or correct the name."
            raise WsguiError(f"There is no module {display(module_name)}.", hint, field=field) from None
        raise _broken(shown, error, "imported", field) from error
    except (Exception, SystemExit) as error:
        raise _broken(shown, error, "imported", field) from error
    if not hasattr(module, class_name):
        raise WsguiError(f"There is no class {shown}.", "Correct the name.", field=field)
    try:
        return getattr(module, class_name)(source)
    except (Exception, SystemExit) as error:
        raise _broken(shown, error, "built", source_field) from error


def place_of(error: BaseException) -> str:
    """Return what an exception is and where it was raised, without what it says: that may be a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    name = type(error).__name__
    return f"{name} in {display(os.path.basename(frames[-1].filename))}, line {frames[-1].lineno}" if frames else name


def trace_of(error: BaseException) -> str:
    """Return the calls that led to an exception, the last one first; without what it says, see `place_of`."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return ", called by ".join(f"{frame.name} ({frame.filename}, line {frame.lineno})" for frame in frames)


def _broken(shown: str, error: BaseException, what: str, field: str) -> WsguiError:
    _log.debug("The plugin %s could not be %s: %s", shown, what, trace_of(error))
    why = f" ({display(str(error))})" if isinstance(error, ImportError | SyntaxError) else ""
    return WsguiError(
        f"The plugin {shown} could not be {what}: {place_of(error)}{why}.",
        "Correct it, or what it is built with.",
        field=field,
    )


def _import(name: str, field: str, *, checked: bool) -> Any:
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        part = ".".join(parts[:count])
        spec = importlib.util.find_spec(part)  # imports what is above it, which is checked by then
        if spec is None:
            raise ModuleNotFoundError(name=part)
        if checked:
            _check(spec, field)
        importlib.import_module(part)
    return sys.modules[name]


def _check(spec: ModuleSpec, field: str) -> None:
    """Refuse what another user could have written: the file, what Python keeps of it, and the folders above."""
    if os.name == "nt":
        return  # Its access lists are not in the mode.
    for path in _paths(spec):
        status = os.stat(path)
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & _CHANGEABLE:
            raise _writable(path, field)
        for place in (path, os.path.realpath(path)):
            while (above := os.path.dirname(place)) != place:
                place = above
                status = os.stat(place)
                # In a folder like /tmp others can add files, but not replace ours.
                open_to_others = status.st_mode & _CHANGEABLE and not status.st_mode & stat.S_ISVTX
                if status.st_uid not in (0, os.geteuid()) or open_to_others:
                    raise _writable(place, field)


def _paths(spec: ModuleSpec) -> Iterator[str]:
    yield from (os.path.abspath(place) for place in spec.submodule_search_locations or () if os.path.isdir(place))
    if not spec.has_location or spec.origin is None:
        return
    origin = os.path.abspath(spec.origin)
    yield origin
    yield os.path.dirname(origin)
    if spec.cached:
        cached = os.path.abspath(spec.cached)
        yield from filter(os.path.exists, (cached, os.path.dirname(cached)))  # one could still be put there


def _writable(path: str, field: str) -> WsguiError:
    shown = display(path)
    return WsguiError(
        f"Others can write {shown}, and the plugin would run what they write there.",
        "Make it yours or root's alone (chown, chmod go-w), or move the plugin.",
        field=field,
    )
