"""`wsgui websockify --install-link DIR`: the link by which scripts that call websockify get this program."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from wsgui.errors import EXIT_OK, UsageError, WsguiError
from wsgui.profiles.catalog import shown_path

OPTION: Final = "--install-link"

_SUFFIX: Final = ".exe" if os.name == "nt" else ""
_OWN_NAME: Final = f"wsgui{_SUFFIX}"
_LINK_NAME: Final = f"websockify{_SUFFIX}"


def install(arguments: Sequence[str]) -> int:
    """Make the link in the one folder that `arguments`, what follows the option, names; returns the exit code.

    Raises:
        UsageError: there is not one folder, or something else is in the link's place.
        WsguiError: the link cannot be made.
    """
    if len(arguments) != 1 or not arguments[0] or arguments[0].startswith("-"):
        raise UsageError(f"{OPTION} takes one folder.", f"Write: wsgui websockify {OPTION} ~/.local/bin")
    link, script = Path(arguments[0]).absolute() / _LINK_NAME, own_script(sys.argv[0])
    made = make_link(link, script)
    print(f"{shown_path(link)} {'now leads' if made else 'leads already'} to {shown_path(script)}")
    for sentence in warnings(link, os.environ):
        print(sentence, file=sys.stderr)
    return EXIT_OK


def own_script(called_as: str) -> Path:
    """The `wsgui` program that runs: as it was called, else the one installed with this Python.

    Raises:
        WsguiError: there is none, as in a checkout that was never installed.
    """
    found = shutil.which(called_as) if Path(called_as).name in ("wsgui", _OWN_NAME) else None
    candidates = (*([Path(found)] if found else []), Path(sysconfig.get_path("scripts")) / _OWN_NAME)
    for candidate in candidates:
        if os.access(candidate, os.X_OK) and candidate.is_file():
            # Not resolved: what pipx and package managers link to moves with each version.
            return candidate.absolute()
    raise WsguiError("There is no wsgui program to link to.", "Install it, say with: pip install wsgui")


def make_link(link: Path, script: Path) -> bool:
    """Let `link` lead to `script`, in one step; returns False when it did so already.

    A user's own ~/.local/bin is made where it is missing, as it is on a new account.

    Raises:
        UsageError: there is no such folder, or something that is no link to wsgui is in its place.
        WsguiError: the link cannot be made.
    """
    if not link.parent.is_dir():
        if link.parent != Path.home() / ".local" / "bin":
            where = shown_path(link.parent)
            raise UsageError(f"There is no folder {where}.", "Make it first, or name another, such as ~/.local/bin.")
        _make_own_folder(link.parent)
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(8)}.tmp")
    try:
        if not os.path.lexists(link):
            try:
                os.symlink(script, link)
                return True
            except FileExistsError:
                pass  # Somebody was quicker; what is there now is looked at.
        if not _is_ours(link, script):
            raise UsageError(
                f"There is another {shown_path(link)} already.", "Remove it first, or name a folder that comes earlier."
            )
        if Path(os.readlink(link)) == script:
            return False
        os.symlink(script, temporary)
        os.replace(temporary, link)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        why = error.strerror or type(error).__name__
        hint = "Name a folder that you may write to, such as ~/.local/bin."
        raise WsguiError(f"{shown_path(link)} cannot be made: {why}.", hint) from None
    return True


def _make_own_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise WsguiError(f"{shown_path(folder)} cannot be made: {why}.", "Name another folder.") from None


def warnings(link: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """What keeps a shell from finding `link`: its folder is not on PATH, or another websockify comes first."""
    path = environment.get("PATH", "")
    folders = [Path(each) for each in path.split(os.pathsep) if each]
    if not any(_same(each, link.parent) for each in folders):
        yield (
            f"{shown_path(link.parent)} is not on PATH, so shells do not find it there. "
            f'Add it: PATH="{shown_path(link.parent)}:$PATH"'
        )
    first = shutil.which(_LINK_NAME, path=path)
    if first is not None and not _same(Path(first), link):
        yield (
            f"Another websockify comes first on PATH: {shown_path(Path(first))}. "
            f"Remove it, or put {shown_path(link.parent)} before its folder."
        )


def _is_ours(link: Path, script: Path) -> bool:
    """Whether what is at `link` is a link to wsgui: to this one, or to one of its name that may be gone."""
    if not link.is_symlink():
        return False
    return Path(os.readlink(link)).name == _OWN_NAME or _same(link, script)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one == other
