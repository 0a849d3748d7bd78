"""The preload library that moves a wrapped program's port: where it is, and the environment that loads it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wsgui.display import display
from wsgui.errors import WsguiError

LIBRARY_NAME: Final = "_rebind.dylib" if sys.platform == "darwin" else "_rebind.so"
"""What the build compiles rebind/rebind.c into, beside this module (packaging/hatch_build.py)."""
REASON_NAME: Final = "_rebind.txt"
"""What the build leaves there instead, when it could not: one line saying why."""

PRELOAD: Final = "DYLD_INSERT_LIBRARIES" if sys.platform == "darwin" else "LD_PRELOAD"
"""The loader's variable: ld.so(8) on Linux, dyld(1) on macOS (built for it, not proven on it)."""
PORT_HINT: Final = (
    "Let the program be told its port instead, which works everywhere: write {port} where its arguments name the port "
    '(mode = "port" in a profile), or have it take the port from the variable PORT.'
)
"""What to do where the library cannot work."""


def library(folder: Path | None = None) -> Path:
    """Return the preload library's path.

    Args:
        folder: Where to look; the package's own folder when None.

    Raises:
        WsguiError: There is none: on a system without preloading, or when wsgui was installed without a C compiler.
    """
    if not sys.platform.startswith(("linux", "darwin")):
        raise WsguiError("A program's port can be moved on Linux and macOS only.", PORT_HINT)
    folder = Path(__file__).resolve().parent if folder is None else folder
    found = folder / LIBRARY_NAME
    if found.is_file():
        return found
    try:
        reason = (folder / REASON_NAME).read_text(encoding="utf-8").strip()
    except OSError:
        raise WsguiError(
            "Programs cannot be wrapped: this copy of wsgui was never built, so its preload library is missing.",
            "Install it: pip install . (or pip install -e .) in its folder.",
        ) from None
    raise WsguiError(
        f"Programs cannot be wrapped: wsgui was installed without its preload library ({display(reason)}).",
        f"Install a C compiler (Debian: apt install gcc libc6-dev) and install wsgui again. {PORT_HINT}",
    )


def environment(
    base: Mapping[str, str], *, old_port: int, new_port: int, preload: Path | None = None
) -> dict[str, str]:
    """Return `base` with what moves a program's bind() from `old_port` to `new_port` on loopback.

    A preload that `base` names already stays and is loaded after ours; ours is named once, also when we are wrapped
    ourselves. The names of the ports are websockify's, so that its wrapped scripts find what they know.

    Args:
        base: The environment that the program would have had.
        old_port: The port that the program asks for, 1–65535.
        new_port: A free port on loopback that it gets instead, 1–65535.
        preload: The library; `library()` when None.

    Raises:
        WsguiError: There is no library, or its path cannot be written into LD_PRELOAD (ld.so(8) splits it at white
            space and colons, with no way to quote them).
    """
    preload = library() if preload is None else preload
    if any(character.isspace() or character == ":" for character in str(preload)):
        raise WsguiError(
            f"Programs cannot be wrapped: the path {display(str(preload))} has a space or a colon in it, "
            "which the system's loader cannot preload from.",
            f"Install wsgui into a folder without spaces and colons in its path. {PORT_HINT}",
        )
    before = [entry for entry in re.split(r"[:\s]+", base.get(PRELOAD, "")) if entry not in ("", str(preload))]
    return {
        **base,
        PRELOAD: ":".join((str(preload), *before)),
        "REBIND_OLD_PORT": str(old_port),
        "REBIND_NEW_PORT": str(new_port),
    }
