"""The lines of a token file: `token: host:port`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from wsgui.access.keyed import digest
from wsgui.access.tokens.source import parse_destination
from wsgui.access.visitor import TargetAddress

Destination = Callable[[str], TargetAddress | None]

_SEPARATOR: Final = re.compile(r":\s")
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Lines:
    """What a token file says.

    Args:
        targets: Where each token leads, by its keyed digest; of a token that stands there twice, the last counts.
        problems: The numbers of lines that are none, from 1, and what is wrong with each; nothing of their text.
    """

    targets: Mapping[bytes, TargetAddress] = field(default_factory=dict, repr=False)
    problems: tuple[tuple[int, str], ...] = ()


def token_key(token: str) -> bytes:
    """Return what `Lines.targets` has in place of `token`."""
    return digest(token.encode("utf-8", "surrogatepass"))


def parse_lines(data: bytes, *, whole: bool = True, destination: Destination = parse_destination) -> Lines:
    """Return what a token file with `data` in it says; nothing that it may hold raises.

    A token ends at the only colon with white space behind it; empty lines and those that begin with # do not count.

    Args:
        whole: Whether nobody can still be writing it: else a last line without its end does not count yet.
        destination: What makes an address of what stands behind a token.
    """
    rows = data.removeprefix(_BOM).splitlines(keepends=True)
    if rows and not whole and not rows[-1].endswith((b"\n", b"\r")):
        rows.pop()
    targets: dict[bytes, TargetAddress] = {}
    problems: list[tuple[int, str]] = []
    for number, row in enumerate(rows, 1):
        try:
            line = row.decode().strip()
        except UnicodeDecodeError:
            problems.append((number, "is not UTF-8 text"))
            continue
        if not line or line.startswith("#"):
            continue
        token, *rest = _SEPARATOR.split(line)
        if not token or len(rest) != 1:
            problems.append((number, 'is not "token: host:port"'))
            continue
        target = destination(rest[0])
        if target is None:
            problems.append((number, "leads to no host:port"))
            continue
        targets[token_key(token)] = target
    return Lines(targets, tuple(problems))
