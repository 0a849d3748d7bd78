"""Where the pages lie that show a desktop or a terminal: our own on what the build fetched, or an installed noVNC."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import parse_qs, quote

from wsgui import assets
from wsgui.display import display
from wsgui.errors import WsguiError

VIEWERS: Final = ("vnc", "terminal", "novnc")
"""What ``[web] root`` may name that this module knows."""

SHARED: Final = "shared"
"""What our own pages have in common."""
NOVNC_FOLDERS: Final = tuple(
    map(
        Path,
        ("/usr/share/novnc", "/usr/share/webapps/novnc", "/usr/local/share/novnc", "/snap/novnc/current"),
    )
)
"""Where systems put a noVNC that has a page; Debian's is the first."""
NOVNC_PAGE: Final = "vnc.html"
_NOVNC_PARAMETERS: Final = "autoconnect=true&resize=scale"

_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_NEEDS: Final = MappingProxyType({"vnc": ("novnc", "core/rfb.js"), "terminal": ("xterm", "lib/xterm.mjs")})
"""Page → the folder in web/vendor that it stands on, and a file that has to be there."""
_PAGES_FOR: Final = MappingProxyType({"VNC": "vnc", "telnet": "terminal"})
"""First word of what is spoken (wsgui.recording.protocols) → the page that shows it; none speaks SSH."""
_NAMES: Final = MappingProxyType({"novnc": "noVNC", "xterm": "xterm.js"})
_DATA_PICTURES: Final = MappingProxyType({"img-src": "data:"})
"""noVNC's core shows JPEG and PNG rectangles, and the desktop's pointer, by data: addresses."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """What is served for one ``[web] root`` that names a viewer.

    Args:
        front: Where "/" leads, relative to it: ``vnc/``.
        mounts: First segments of a path, with slashes between and none around (``vendor/novnc``) → the folder served
            there; "" is the whole tree.
        own_pages: Whether these are wsgui's own pages, which get a Content-Security-Policy.
        sources: First segment of a path → directive → what the policy of the pages there has to allow beside 'self'.
    """

    front: str
    mounts: Mapping[str, Path]
    own_pages: bool = True
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def location(self, query: str = "") -> str:
        """Return where a request for "/" is sent, its query kept; relative, so that it fits behind a proxy's path.

        An installed noVNC is told its token as it wants it, as a part of the WebSocket's path.
        """
        if self.own_pages:
            return f"{self.front}?{query}" if query else self.front
        tokens = parse_qs(query, max_num_fields=100).get("token") if query else None
        return f"{self.front}&path={quote('?token=' + quote(tokens[0], safe=''), safe='')}" if tokens else self.front


def viewer(root: Literal["vnc", "terminal", "novnc"] | str) -> Viewer:
    """Return what is served for a ``[web] root`` of `VIEWERS`; blocking.

    Raises:
        WsguiError: What that viewer stands on is missing, or may not be trusted.
        ValueError: `root` is none of `VIEWERS`.
    """
    if root == "novnc":
        return Viewer(f"{NOVNC_PAGE}?{_NOVNC_PARAMETERS}", {"": installed_novnc()}, own_pages=False)
    if root not in _NEEDS:
        raise ValueError(root)
    mounts = _own(root)
    for other in _NEEDS:
        if other != root and not _missing(other):  # a token may lead to the other kind
            mounts |= _own(other)
    return Viewer(f"{root}/", mounts, sources={"vnc": _DATA_PICTURES})


def viewer_path(root: str, protocol: str = "") -> str:
    """Return the page, relative to the tunnel's address, that shows what a tunnel leads to; "" is its front page.

    Args:
        root: The tunnel's ``[web] root``.
        protocol: What was spoken through it, in the words of `wsgui.recording.protocols.guess`; "" when not known.
    """
    if root == "novnc":
        return f"{NOVNC_PAGE}?{_NOVNC_PARAMETERS}"
    if root not in _NEEDS:
        return ""
    page = _PAGES_FOR.get(protocol.partition(" ")[0], root)
    return f"{root if page != root and _missing(page) else page}/"


def installed_novnc(folders: Iterable[Path] = NOVNC_FOLDERS) -> Path:
    """Return the folder of an installed noVNC with its page, from which only root can make browsers run anything.

    Raises:
        WsguiError: There is none, or somebody else than root may change it.
    """
    refusals = []
    for folder in folders:
        if not (folder / NOVNC_PAGE).is_file():
            continue
        found = folder.resolve()
        writable = next(
            (path for path in (found / NOVNC_PAGE, found, *found.parents) if not _only_root_writes(path)), None
        )
        if writable is None:
            return found
        refusals.append(
            WsguiError(
                f"The noVNC in {folder} is not served by its name, as others than root may change {writable}.",
                f'Let only root write there, or name the folder itself: root = "{folder}".',
                field="web.root",
            )
        )
    if refusals:
        raise refusals[0]
    raise WsguiError(
        "No installed noVNC with a page was found.",
        'Install one (Debian: apt install novnc), or use wsgui\'s own page with root = "vnc".',
        field="web.root",
    )


def _only_root_writes(path: Path) -> bool:
    status = path.stat()
    return os.name == "posix" and status.st_uid == 0 and not status.st_mode & _OTHERS_MAY_WRITE


def _own(page: str) -> dict[str, Path]:
    """A page of our own, and what it stands on, as mounts."""
    vendor, _ = _NEEDS[page]
    if reason := _missing(page):
        name = _NAMES[vendor]
        what = "VNC page" if page == "vnc" else "terminal page"
        other = ' Or, on Debian: apt install novnc, and root = "novnc".' if page == "vnc" else ""
        raise WsguiError(
            f"wsgui's {what} is not here, as {name} could not be fetched when wsgui was installed: {reason}.",
            f"Install npm (Debian: apt install npm) and install wsgui again, with npm's registry in reach.{other}",
            field="web.root",
        )
    folders = (page, SHARED, f"vendor/{vendor}")
    return {folder: assets.path(f"web/{folder}") for folder in folders}


def _missing(page: str) -> str:
    """Say why what a page stands on is missing; "" when it is there."""
    vendor, file = _NEEDS[page]
    web = assets.root() / "web"
    folder = web / "vendor"
    if not (web / page / "index.html").is_file():
        return "its page is missing"
    if (folder / vendor / file).is_file():
        return ""
    try:
        return display((folder / f"{vendor}.txt").read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return "this copy was never built"
