"""What goes over the control channel and how its two ends know each other: lines, pieces, peers' users, paths."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from wsgui.errors import WsguiError

LARGEST_LINE_BYTES: Final = 64 * 1024
LARGEST_ANSWER_BYTES: Final = 64 * 1024 * 1024
_PIECE_CHARACTERS: Final = 24 * 1024
"""A piece is JSON text inside a JSON string: escaping can double it, and it must still fit a line."""
_LONGEST_ADDRESS: Final = 100
"""sun_path holds 108 bytes on Linux, 104 on macOS."""


def encode_answer(number: int, result: Any) -> bytes:
    """The lines that answer request `number`: long ones come as pieces of JSON text, then one line that ends them.

    ``{"id": 1, "piece": "…"}`` zero or more times, then ``{"id": 1, "ok": true, "result": …}``; when there were
    pieces, the result is what they give when joined and parsed, and ``"joined": true`` stands in its place.
    """
    text = json.dumps(result, default=_plain, separators=(",", ":"))
    if len(text) <= _PIECE_CHARACTERS:
        return f'{{"id":{number},"ok":true,"result":{text}}}\n'.encode()
    pieces = (text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS))
    lines = [f'{{"id":{number},"piece":{json.dumps(piece)}}}\n' for piece in pieces]
    return "".join([*lines, f'{{"id":{number},"ok":true,"joined":true}}\n']).encode()


def encode_error(number: int, error: WsguiError) -> bytes:
    """The line that says why request `number` was not carried out; 0 when the request had no number to be read."""
    what = {"message": error.message[:4096], "hint": error.hint[:4096], "field": error.field[:256]}
    return json.dumps({"id": number, "ok": False, "error": what}).encode() + b"\n"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} cannot go over the control channel")


def peer_user(descriptor: int) -> int:
    """The user id of the process at the other end of a connected unix socket, as the kernel knows it.

    Raises:
        OSError: The other end is gone, or this system cannot say.
    """
    with socket.socket(fileno=os.dup(descriptor)) as peer:
        if sys.platform == "linux":
            # struct ucred: pid, uid, gid; unix(7).
            return int(struct.unpack("iII", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
        # struct xucred: version, uid, …; LOCAL_PEERCRED of unix(4), level SOL_LOCAL (0).
        return int(struct.unpack_from("II", peer.getsockopt(0, 1, 76))[1])


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """`path` in a form short enough for bind and connect, valid inside the block."""
    address = str(path)
    if len(os.fsencode(address)) <= _LONGEST_ADDRESS or sys.platform != "linux":
        yield address
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
