"""websockify's own authentication classes, by their names, with its statuses and messages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Final

from wsgui.access.authentication import Authenticator
from wsgui.access.basic import MalformedError, challenged, parse_basic
from wsgui.access.keyed import equal
from wsgui.access.visitor import Denied, Grant, TargetAddress, Visitor

CHALLENGE: Final = 'Basic realm="Websockify"'
_HINT: Final = "Give them as HTTP Basic."


class _OfWebsockify:
    needs_credential = False
    guards_files = True
    grants: Final = ""

    async def open(self) -> None:
        """Nothing is to be opened."""

    async def close(self) -> None:
        """Nothing is open."""

    async def holds(self, _: Grant) -> bool:
        """Return True: what stands on a command line does not change."""
        return True


class BasicHTTPAuth(_OfWebsockify):
    """One user and password, in latin-1 (or UTF-8).

    Args:
        source: `user:password`; without it nobody comes in.
    """

    needs_credential = True

    def __init__(self, source: str | None) -> None:
        self._right: tuple[bytes, ...] = ()
        if source and ":" in source:
            self._right = (source.encode(errors="surrogateescape"),)
            with contextlib.suppress(UnicodeEncodeError):
                self._right = (*self._right, source.encode("latin-1"))

    async def authenticate(self, visitor: Visitor, _: TargetAddress | None) -> Grant | None:
        field = visitor.fields.get("authorization", "")
        if not field:
            raise challenged("A user and a password are needed here.", _HINT, CHALLENGE)
        try:
            credentials = parse_basic(field, strict=False)
        except MalformedError:
            credentials = None
        if credentials is None:
            message = "The Authorization field is not HTTP Basic."
            raise Denied(403, message, "Send user:password in base64.", rule="credential")
        user, _password = credentials
        shown = b":".join(credentials)
        if not any(equal(shown, right) for right in self._right):
            key = f"user {user.decode('latin-1')}"
            raise challenged("The user or the password is wrong.", _HINT, CHALLENGE, delay_key=key)
        return Grant("user", user.decode("latin-1"))


class ExpectOrigin(_OfWebsockify):
    """Pages of listed origins.

    Args:
        source: Origins, separated by white space.
    """

    def __init__(self, source: str | None) -> None:
        self._origins = frozenset((source or "").split())

    async def authenticate(self, visitor: Visitor, _: TargetAddress | None) -> Grant | None:
        if visitor.fields.get("origin") not in self._origins:
            hint = "Add the page's origin to --auth-source."
            raise Denied(403, "Invalid Origin", hint, rule="plugin")
        return None


class ClientCertCNAuth(_OfWebsockify):
    """Client certificates with listed common names, verified by TLS.

    Args:
        source: Common names, separated by white space.
    """

    needs_credential = True

    def __init__(self, source: str | None) -> None:
        self._names = frozenset((source or "").split())

    async def authenticate(self, visitor: Visitor, _: TargetAddress | None) -> Grant | None:
        if not visitor.common_name or visitor.common_name not in self._names:
            message = "A client certificate with a listed common name is needed here."
            raise Denied(403, message, "Add its common name to --auth-source.", rule="certificate")
        return Grant("certificate", visitor.common_name)


BUILT_IN: Final[Mapping[str, Callable[[str | None], Authenticator]]] = {
    "BasicHTTPAuth": BasicHTTPAuth,
    "ExpectOrigin": ExpectOrigin,
    "ClientCertCNAuth": ClientCertCNAuth,
}
