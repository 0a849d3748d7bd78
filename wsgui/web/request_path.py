"""A request's target taken apart into plain file names, or the reason why it is none."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from wsgui.errors import WsguiError

MAX_TARGET_CHARACTERS: Final = 8192
MAX_LENIENT_CHARACTERS: Final = 65_536
_ABSOLUTE: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)  # RFC 9112, 3.2.2: servers take this form too
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Names that are devices on Windows in every folder and with every ending, and the short forms of other names there.
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_SHORT_NAME: Final = re.compile(r"[^.]{1,6}~[0-9](\.[^.]{0,3})?")
_WINDOWS: Final = os.name == "nt"


class BadTargetError(WsguiError):
    """A request's target that no file can have; `status` is the HTTP answer to it."""

    def __init__(self, status: int, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


@dataclass(frozen=True, slots=True)
class RequestPath:
    """A path below the root.

    Args:
        names: Plain names, decoded; none is empty, "." or "..", or holds a separator; none is hidden unless lenient.
            Bytes that are no UTF-8 (lenient only) are there as Python's surrogate escapes.
        folder: Whether it ended with a slash.
        query: What followed the question mark, as it came.
    """

    names: tuple[str, ...]
    folder: bool
    query: str

    def location(self) -> str:
        """Return the path of this as a folder, for a Location header: one slash at its beginning, one at its end."""
        return self.with_query("".join("/" + escaped(name) for name in self.names) + "/")

    def with_query(self, path: str) -> str:
        """Return `path` with the query of this request behind it."""
        return f"{path}?{self.query}" if self.query else path


def escaped(name: str) -> str:
    """Return a plain name as one segment of a URL's path."""
    return quote(name.encode("utf-8", "surrogateescape"), safe="")


def parse_target(target: str, *, lenient: bool = False) -> RequestPath:
    """Return the path that a request's target (RFC 9112, 3.2) names; percent-decoded once.

    Args:
        target: As it came.
        lenient: Take every name that a file of this system may have: hidden ones, and ones that only Windows forbids.

    Raises:
        BadTargetError: 400 where it is malformed, 404 where no file of such a name is ever served, 414 if too long.
    """
    longest = MAX_LENIENT_CHARACTERS if lenient else MAX_TARGET_CHARACTERS
    if len(target) > longest:
        raise BadTargetError(414, "This address is too long.", f"Use at most {longest} characters.")
    absolute = _ABSOLUTE.match(target)
    path, _, query = target[absolute.end() if absolute else 0 :].partition("?")
    if absolute and not path:
        path = "/"
    if not path.startswith("/"):
        raise BadTargetError(400, "The request names no path.", "Ask for a path that begins with a slash.")
    malformed = "#" in target or (not lenient and _BAD_ESCAPE.search(path))
    if malformed or not _visible(path) or not _visible(query):
        raise BadTargetError(400, "The path is not written as a URL has to be.", "Percent-encode it as RFC 3986 says.")
    names = tuple(_decode(segment, lenient=lenient) for segment in path.split("/") if segment)
    for index, name in enumerate(names):
        judge(name, first=index == 0, lenient=lenient)
    return RequestPath(names, path.endswith("/"), query)


def _visible(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _decode(segment: str, *, lenient: bool) -> str:
    try:
        return unquote_to_bytes(segment).decode("utf-8", "surrogateescape" if lenient else "strict")
    except UnicodeDecodeError:
        raise BadTargetError(400, "The path is not UTF-8.", "Percent-encode it as UTF-8.") from None


def judge(name: str, *, first: bool, lenient: bool = False) -> None:
    """Say whether a file of this name may be served.

    Args:
        name: One name, decoded, not empty.
        first: Whether it lies right beneath the root.
        lenient: As for `parse_target`.

    Raises:
        BadTargetError: It may not.
    """
    if name in (".", ".."):
        raise BadTargetError(404, "Paths with dots in place of names are not served.", "Ask for the path itself.")
    strict = not lenient
    if (
        "/" in name
        or "\0" in name
        or ((strict or _WINDOWS) and ("\\" in name or any(unicodedata.category(c) in ("Cc", "Cs") for c in name)))
    ):
        raise BadTargetError(400, "The path holds a character that no file name may have.", "Leave it out.")
    if strict:
        # A Mac's file system may look past invisible characters, so that one of them before the dot hides nothing.
        plain = name if name.isascii() else "".join(c for c in name if unicodedata.category(c) != "Cf")
        if plain.startswith(".") and not (first and name == ".well-known"):
            raise BadTargetError(
                404, "Files whose name begins with a dot are not served.", "Rename the file to share it."
            )
    if (strict or _WINDOWS) and (
        ":" in name or name[-1] in ". " or _DEVICE.fullmatch(name) or _SHORT_NAME.fullmatch(name)
    ):
        raise BadTargetError(
            404, "Names that mean something else on Windows are not served.", "Rename the file to share it."
        )
