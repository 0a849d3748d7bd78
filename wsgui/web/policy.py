"""The header fields that keep browsers from guessing types, telling addresses, and framing or extending our pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from wsgui.errors import WsguiError

Fields = tuple[tuple[str, str], ...]

ALWAYS: Final[Fields] = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
_OWN_SOURCES: Final[Mapping[str, str]] = {
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
}
# What a CSP source may be; IPv6 literals are none, there 'self' has to do.
_SOURCE: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_FRAME: Final = re.compile(r"'self'|[a-z][a-z0-9+.-]*:(//(\*\.)?[A-Za-z0-9.-]+(:([0-9]+|\*))?)?")


class Policy:
    """The Content-Security-Policy of wsgui's own pages: their own files and their own WebSocket address.

    Args:
        frames: ``[web] frames``: the origins that may frame them.
        sources: What a page needs beyond its own files, by directive: ``{"img-src": "data:"}``.

    Raises:
        WsguiError: `frames` holds something other than origins.
    """

    def __init__(self, frames: Sequence[str] = (), sources: Mapping[str, str] | None = None) -> None:
        for frame in frames:
            if not _FRAME.fullmatch(frame):
                raise WsguiError(
                    "A page that may frame this one is not written as an origin.",
                    "Write it like https://intranet.lab.",
                    field="web.frames",
                )
        further = sources or {}
        directives = dict.fromkeys((*_OWN_SOURCES, *further))
        self._sources = {name: f"{_OWN_SOURCES.get(name, '')} {further.get(name, '')}".strip() for name in directives}
        self._frames = tuple(frames)

    def fields(self, host: str) -> Fields:
        """Return the fields for an answer to a request with this Host field."""
        # Newer browsers count the own WebSocket address as 'self'; the others have to be told.
        sockets = f" ws://{host} wss://{host}" if _SOURCE.fullmatch(host) else ""
        listed = "; ".join(
            f"{name} {value}{sockets if name == 'connect-src' else ''}" for name, value in self._sources.items()
        )
        ancestors = " ".join(self._frames) or "'none'"
        policy = f"default-src 'none'; {listed}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
        more: Fields = () if self._frames else (("X-Frame-Options", "DENY"),)
        return (*ALWAYS, ("Content-Security-Policy", policy), *more, ("Cross-Origin-Resource-Policy", "same-origin"))
