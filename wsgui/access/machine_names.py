"""The names this machine goes by, as far as it knows them itself without asking the network."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from wsgui.access.names import to_ascii

_RESOLV_CONF: Final = Path("/etc/resolv.conf")
_HOSTS: Final = Path("/etc/hosts")


def own_names(
    certificate_names: Iterable[str] = (),
    *,
    hostname: str | None = None,
    resolv_conf: Path = _RESOLV_CONF,
    hosts: Path = _HOSTS,
) -> frozenset[str]:
    """Return this machine's names with its search domains, and the certificate's names; blocking (reads two files).

    No name server is asked: whoever answers for one could otherwise add names of their own.

    Args:
        certificate_names: The names the tunnel's certificate was made for; a leading "*." is kept.
        hostname: The machine's name, by default the system's.
        resolv_conf: Where the search domains stand (resolv.conf(5)).
        hosts: Where the full name may stand beside the short one (hosts(5)).
    """
    hostname = to_ascii(socket.gethostname() if hostname is None else hostname)
    names = {to_ascii(name) for name in certificate_names}
    if hostname:
        short = hostname.partition(".")[0]
        names |= {hostname, short}
        names |= {f"{short}.{domain}" for domain in _search_domains(resolv_conf)}
        names |= set(_aliases(hosts, {hostname, short}))
    return frozenset(name for name in names if name)


def _search_domains(resolv_conf: Path) -> Iterator[str]:
    if domain := os.environ.get("USERDNSDOMAIN"):  # Windows has no resolv.conf
        yield to_ascii(domain)
    for words in _lines(resolv_conf):
        if words[0] in ("search", "domain"):
            yield from (to_ascii(word) for word in words[1:] if word != ".")


def _aliases(hosts: Path, known: set[str]) -> Iterator[str]:
    for words in _lines(hosts):
        names = [to_ascii(word) for word in words[1:]]
        if known.intersection(names):
            yield from names


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            yield words
