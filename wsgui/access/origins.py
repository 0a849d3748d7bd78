"""Host and Origin rules: the defence against cross-site pages and DNS rebinding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from wsgui.access.machine_names import own_names
from wsgui.access.names import (
    DEFAULT_PORTS,
    MAX_HOST_CHARACTERS,
    MAX_ORIGIN_CHARACTERS,
    Authority,
    Origin,
    parse_authority,
    parse_origin,
    to_ascii,
)
from wsgui.display import display

__all__ = ["ANY", "SAME_HOST", "Denied", "OriginRules", "check", "own_names"]

ANY: Final = "*"
SAME_HOST: Final = "same-host"


@dataclass(frozen=True, slots=True)
class OriginRules:
    """What a tunnel lets in by Host and Origin, prepared once and asked at every upgrade.

    Args:
        origins: ``[access] origins``: "same-host", "*", or origins such as "https://vnc.lab"; empty = no page at all.
        hosts: ``[access] hosts``: further names this tunnel is called by, or "*".
        own_names: This machine's names and its certificate's (`own_names`); "*.lab" stands for one label.
    """

    origins: tuple[str, ...] = (SAME_HOST,)
    hosts: tuple[str, ...] = ()
    own_names: frozenset[str] = frozenset()
    _names: frozenset[str] = field(init=False, repr=False, compare=False)
    _listed: frozenset[tuple[str, str, int | None]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = frozenset(_spelled(name) for name in (*self.hosts, *self.own_names))
        pages = (parse_origin(_spelled_origin(origin)) for origin in self.origins)
        listed = frozenset((page.scheme, page.authority.host, page.port) for page in pages if page is not None)
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_listed", listed)

    def names(self, host: str) -> bool:
        """Return whether `host` is one of the names given, itself or by a "*." entry."""
        return host in self._names or "*." + host.partition(".")[2] in self._names

    def lists(self, page: Origin) -> bool:
        """Return whether `page` is listed, by itself or by "*"."""
        return ANY in self.origins or (page.scheme, page.authority.host, page.port) in self._listed


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a request may not come in.

    Args:
        rule: Which header was at fault.
        message: One sentence, safe to show.
        hint: What would let it in: the profile's line; or a sentence where no line would.
    """

    rule: Literal["host", "origin"]
    message: str
    hint: str


def check(rules: OriginRules, host: str, origin: str | None, *, secure: bool) -> Denied | None:
    """Return why a request with these headers may not come in, or None when it may.

    Args:
        rules: What the tunnel's profile says.
        host: The Host header's value, "" when there was none.
        origin: The Origin header's value; None when there was none, as native clients send none.
        secure: Whether the request came over TLS that ends here; the Host's default port is then 443.
    """
    name = parse_authority(host) if len(host) <= MAX_HOST_CHARACTERS else None
    if name is None:
        return Denied(
            "host",
            f"The Host header {_quoted(host)} is not a name or address that this tunnel could have.",
            "Use the tunnel's address as wsgui shows it.",
        )
    if not name.local and not rules.names(name.host) and ANY not in rules.hosts:
        return Denied(
            "host",
            f'"{name.host}" is not a name of this tunnel, and a page may have pointed it here.',
            f"If it is one, write under [access] in the profile: {_line('hosts', (*rules.hosts, name.host))}",
        )
    if origin is None:
        return None
    return _check_origin(rules, name, origin, secure)


def _check_origin(rules: OriginRules, name: Authority, origin: str, secure: bool) -> Denied | None:
    page = parse_origin(origin) if len(origin) <= MAX_ORIGIN_CHARACTERS else None
    if page is None:
        return Denied(
            "origin",
            f"A page with the origin {_quoted(origin)} was refused because that is no address of a web page.",
            "Open the page over http or https instead.",
        )
    if rules.lists(page) or (SAME_HOST in rules.origins and _same_host(name, page, secure)):
        return None
    if not rules.origins:
        reason = "no page may connect to this tunnel"
    elif SAME_HOST in rules.origins:
        reason = "only this address's own pages may connect"
    else:
        reason = "it is not among the pages that may connect"
    line = _line("origins", (*rules.origins, str(page)))
    return Denied(
        "origin",
        f"A page from {display(str(page))} was refused because {reason}.",
        f"If you know that page, write under [access] in the profile: {line}",
    )


def _same_host(name: Authority, page: Origin, secure: bool) -> bool:
    if page.scheme not in DEFAULT_PORTS:
        return False
    if not name.loopback:
        return name.host == page.authority.host
    # Other ports of this computer are other programs, and other users' too. What a missing port in Host means is known
    # where TLS ends here; where it ends before us, or a port was forwarded, only the page's scheme can tell.
    port = name.port or (443 if secure else DEFAULT_PORTS[page.scheme])
    return name.written == page.authority.written and port == page.port


def _spelled(name: str) -> str:
    """Return a configured name as `parse_authority` would spell it; "*." is kept."""
    wildcard, name = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    name = to_ascii(name)
    parsed = parse_authority(f"[{name}]" if ":" in name and not name.startswith("[") else name)
    return wildcard + (parsed.host if parsed is not None else name)


def _spelled_origin(origin: str) -> str:
    scheme, separator, rest = origin.strip().removesuffix("/").partition("://")
    host, colon, port = (rest, "", "") if rest.startswith("[") else rest.partition(":")
    return f"{scheme}{separator}{to_ascii(host)}{colon}{port}"


def _quoted(text: str) -> str:
    """Return what a client wrote, fit to be shown and logged: without what may be a secret, a user part or a query."""
    before, separator, rest = text.partition("?")[0].partition("#")[0].rpartition("://")
    return '"' + display(before + separator + rest.rpartition("@")[2], limit=80) + '"'


def _line(key: str, values: Iterable[str]) -> str:
    return f"{key} = [" + ", ".join('"' + display(value) + '"' for value in values) + "]"
