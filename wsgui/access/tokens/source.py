"""What every source of tokens has in common: asked for a token, it says where that leads."""

from __future__ import annotations

import ipaddress
import re
from typing import ClassVar, Final, Protocol

from wsgui.access.visitor import TargetAddress
from wsgui.errors import AddressError, WsguiError
from wsgui.profiles.addresses import TcpAddress, parse_target

MAX_TOKEN_BYTES: Final = 512
MAX_JWT_BYTES: Final = 8 * 1024
MAX_ANSWER_BYTES: Final = 4 * 1024

_BARE_IPV6: Final = re.compile(r"([0-9A-Fa-f:.%]*:[0-9A-Fa-f:.%]*):([0-9]+)")


class LookupFailed(WsguiError):  # noqa: N818  # what the answer to the client is named after
    """A source could not answer; nothing about the token follows from it.

    Args:
        message: One sentence for the log; neither the token nor a password or a URL's query is in it.
        status: 502, or 504 when it took too long.
    """

    def __init__(self, message: str, hint: str = "", *, status: int = 502) -> None:
        super().__init__(message, hint, field="tokens.source")
        self.status = status


class TokenSource(Protocol):
    """Says where a token leads.

    `look_up` never blocks the loop and needs no deadline of its own: whoever calls it has one and cancels it then;
    what was in use at that moment (a connection to Redis or a web server) is closed, never used again.
    """

    from_outside: ClassVar[bool]
    """Whether its targets are named outside the profile, so that `[tokens] allow` holds for them."""
    max_token_bytes: ClassVar[int]

    async def open(self) -> None:
        """Get ready before the tunnel listens; fail closed.

        Raises:
            WsguiError: What it reads is missing, empty, unreadable or malformed as a whole (`field` "tokens.source").
        """

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where `token` leads; None when there is no such token.

        Raises:
            LookupFailed: The source could not answer.
        """

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Return whether a living session's token still leads there; sources that cannot tell say True."""

    async def close(self) -> None:
        """Give back what is open; `look_up` is not called any more."""


def parse_destination(text: str) -> TargetAddress | None:
    """Return the address that a token's source names, `host:port` (IPv6 with or without brackets) or `tls://host:port`.

    White space around it does not count. None when it is neither: a source outside the profile names no unix socket,
    no demo and no URL.
    """
    text = text.strip()
    bare = _BARE_IPV6.fullmatch(text)
    if bare is not None:
        try:
            ipaddress.IPv6Address(bare[1])
        except ValueError:
            return None
        text = f"[{bare[1]}]:{bare[2]}"
    if not text.startswith("tls://") and ("://" in text or ":" not in text or text.startswith(("unix:", "demo:"))):
        return None
    try:
        address = parse_target(text)
    except AddressError:
        return None
    return address if isinstance(address, TcpAddress) or text.startswith("tls://") else None  # type: ignore[return-value]
