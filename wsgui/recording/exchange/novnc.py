"""Recordings as websockify makes them and noVNC's playback page loads them: JavaScript text, a line for each chunk."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple, NoReturn

from wsgui.errors import WsguiError

HEADER: Final = b"var VNC_frame_data = [\n"
END: Final = b"'EOF'];\n"

_HEADER: Final = re.compile(rb"\s*(?:var\s+)?VNC_frame_data\s*=\s*\[\s*")
_ENCODING: Final = re.compile(rb"""\s*(?:var\s+)?VNC_frame_encoding\s*=\s*["'](binary|base64)["'];?\s*""")
_END: Final = re.compile(rb"""\s*(?:(?:'EOF'|"EOF")\s*,?\s*)?\];?\s*|\s*(?:'EOF'|"EOF")\s*""")
_CHUNK: Final = re.compile(rb"""\s*(['"])([{}])([0-9]{1,15})\2(.*)\1\s*,?\s*""", re.DOTALL)
_ESCAPE: Final = re.compile(r"""\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.)|\Z)""", re.DOTALL)
_CHARACTERS: Final = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "/": "/",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "0": "\0",
}
"""Single characters behind a backslash (ECMA-262, SingleEscapeCharacter)."""
_RFB_IN_BASE64: Final = b"UkZC"

Encoding = Literal["binary", "base64"]


class Chunk(NamedTuple):
    """Bytes that went one way at one time.

    Args:
        to_client: From the target to the client; False: the other way.
        time_ms: Since the session began.
    """

    to_client: bool
    time_ms: int
    data: bytes


def chunk_line(chunk: Chunk) -> bytes:
    """Return the line that stands for `chunk`, with its line break."""
    mark = b"{" if chunk.to_client else b"}"
    data = str(chunk.data, "latin-1").encode("unicode_escape").replace(b"'", rb"\'")
    return b"'%s%d%s%s',\n" % (mark, chunk.time_ms, mark, data)


def recording(chunks: Iterable[Chunk]) -> bytes:
    """Return a whole recording of `chunks`."""
    return b"".join((HEADER, *map(chunk_line, chunks), END))


def read(lines: Iterable[bytes]) -> Iterator[Chunk]:
    """Yield the chunks of a recording, of today's websockify or an old one; nothing in it is carried out.

    An old one may be in base64 and say so, or begin with a greeting of RFB in base64. One that was broken off has no
    end, and half a chunk in its last line is left out.

    Args:
        lines: With their line breaks, as a file gives them.

    Raises:
        WsguiError: A line is none of a recording.
    """
    encoding: Encoding | None = None
    begun = ended = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if ended:
            _fail(number, "something follows the end")
        if not begun:
            named = _ENCODING.fullmatch(line)
            if named is not None:
                encoding = "base64" if named[1] == b"base64" else "binary"
            elif _HEADER.fullmatch(line):
                begun = True
            else:
                _fail(number, "it does not begin as one")
            continue
        if _ENCODING.fullmatch(line):
            _fail(number, "it names its encoding too late")
        found = _CHUNK.fullmatch(line)
        if found is None:
            if _END.fullmatch(line):
                ended = line.rstrip().endswith((b"]", b"];"))
                continue
            if not line.endswith(b"\n"):
                return  # whoever wrote it was cut off
            _fail(number, "it is no chunk")
        if encoding is None:
            encoding = "base64" if found[4].startswith(_RFB_IN_BASE64) else "binary"
        try:
            data = _binary(found[4], found[1]) if encoding == "binary" else b64decode(found[4], validate=True)
        except ValueError:
            if not line.endswith(b"\n"):
                return
            _fail(number, f"its {encoding} data is broken")
        yield Chunk(found[2] == b"{", int(found[3]), data)
    if not begun:
        _fail(1, "it does not begin as one")


def _binary(data: bytes, quote: bytes) -> bytes:
    """The bytes that a JavaScript string's characters stand for.

    Raises:
        ValueError: It is no such string, or a character stands for no byte.
    """
    text = _ESCAPE.sub(_character, data.decode("utf-8"))
    # A quote that is not escaped would have ended the string, and made what follows code.
    if re.search(rb"(?<!\\)(?:\\\\)*" + quote, data):
        raise ValueError("a quote")
    return text.encode("latin-1")


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    if code:
        return chr(int(code, 16))
    try:
        return _CHARACTERS[escape[3]]
    except KeyError:
        raise ValueError("an escape") from None


def _fail(number: int, why: str) -> NoReturn:
    raise WsguiError(f"Line {number} is not of a recording of websockify: {why}.", "Choose another file.")
