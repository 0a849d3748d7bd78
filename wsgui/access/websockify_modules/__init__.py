"""What plugins written for websockify import from it, for where it is not installed."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from typing import Final

_PACKAGE: Final = "websockify"
_MODULES: Final = ("auth_plugins", "token_plugins")


def provide() -> None:
    """Make `websockify.auth_plugins` and `websockify.token_plugins` importable: websockify's own, else ours.

    Ours stay: a plugin may import them later, when it is asked.
    """
    if _PACKAGE in sys.modules or _is_installed():
        return
    package = types.ModuleType(_PACKAGE, __doc__)
    package.__spec__ = importlib.machinery.ModuleSpec(_PACKAGE, None, is_package=True)
    package.__path__ = []
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in _MODULES}
    for name, module in modules.items():
        setattr(package, name, module)
        sys.modules[f"{_PACKAGE}.{name}"] = module
    sys.modules[_PACKAGE] = package


def authentication_errors() -> tuple[type[Exception], ...]:
    """Return the classes by which a plugin denies access: ours, and websockify's when a plugin has loaded it."""
    from wsgui.access.websockify_modules.auth_plugins import AuthenticationError

    theirs = getattr(sys.modules.get(f"{_PACKAGE}.auth_plugins"), "AuthenticationError", AuthenticationError)
    return (AuthenticationError, theirs)


def _is_installed() -> bool:
    # Any folder of that name on the path would be found too, as a package without a file: a checkout, for one.
    spec = importlib.util.find_spec(_PACKAGE)
    return spec is not None and spec.origin is not None
