"""What a client shows when it asks to come in, and what it is told: let in and how far, or denied and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs

from wsgui.profiles.addresses import DemoAddress, TcpAddress, TlsAddress, UnixAddress

TargetAddress = TcpAddress | TlsAddress | UnixAddress | DemoAddress

AccessRule = Literal["credential", "certificate", "token", "lookup", "plugin"]
"""`credential`: a password; `certificate`: a client certificate's name; `token`: none, or an unknown one;
`lookup`: the token's source could not answer; `plugin`: a class of somebody else said no."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client whose request has arrived, before anything is decided.

    Args:
        host: Its address without a port; empty for a unix peer.
        target: The request's target as it came, path and query.
        fields: The request's header fields by their lower-case names, as latin-1 text; several of one name are
            joined by ", ".
        secure: Whether it came over TLS.
        common_name: The CN of the client certificate that TLS has verified, empty when that has none; None without a
            certificate.
    """

    host: str
    target: str
    fields: Mapping[str, str] = field(repr=False)
    secure: bool = False
    common_name: str | None = None

    def query(self, name: str) -> str | None:
        """Return the first value of a query parameter, None when it is missing or empty."""
        values = parse_qs(self.target.partition("?")[2], max_num_fields=100).get(name)
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a session rests on, so that it ends when that is taken back. Never shown or logged.

    Args:
        kind: `user` (a password's user), `token`, `certificate`.
        name: The user's name, the token itself, or the common name.
        target: Where a token led; None for the other kinds.
        rests_on: What the user's password or the certificate's authorities were then, as keyed digests.
    """

    kind: Literal["user", "token", "certificate"]
    name: str = field(repr=False)
    target: TargetAddress | None = None
    rests_on: frozenset[bytes] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Permit:
    """What somebody who was let in may do.

    Args:
        target: Where the token leads; None: the tunnel's own target.
        identity: Who it is, for people and fit to be shown: `anna`, `CN anna`, `token 3fa9c1`; empty when not asked.
        grants: What the session rests on.
        from_outside: Whether the target was named by a source outside the profile, so that `[tokens] allow` holds.
    """

    target: TargetAddress | None = None
    identity: str = ""
    grants: tuple[Grant, ...] = ()
    from_outside: bool = False


class Denied(Exception):  # noqa: N818  # an answer, not a fault
    """A client that is not let in, and the HTTP answer to it.

    Args:
        status: The status code, such as 401, 403, 404, 502, 504.
        message: One sentence for the client and the log; no token, password or query may be in it.
        hint: What to do.
        rule: Which rule refused it.
        headers: Further fields of the answer, such as WWW-Authenticate; their values have no line breaks.
        delay_key: When a wrong credential was shown (not: none): what the next failures of the same kind are slowed
            down by, such as the user's name; empty otherwise.
    """

    def __init__(
        self,
        status: int,
        message: str,
        hint: str = "",
        *,
        rule: AccessRule,
        headers: tuple[tuple[str, str], ...] = (),
        delay_key: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint
        self.rule: AccessRule = rule
        self.headers = headers
        self.delay_key = delay_key

    @property
    def is_question(self) -> bool:
        """Whether it only asks for a password that was not shown yet, as of every browser that comes first."""
        return self.status == 401 and not self.delay_key
