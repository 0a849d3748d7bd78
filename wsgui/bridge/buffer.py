"""The one read buffer that all plain sockets of an engine share."""

from __future__ import annotations

from typing import Final

START: Final = 256
"""Where reads begin. The gap in front takes a frame header (≤ 14 bytes) on the way out, and on the way in what
was left of the read before: an incomplete header or control frame (≤ 139 bytes)."""

SLACK: Final = 64
"""Room behind the last byte read, so that a frame header can be unpacked before it is known to be whole."""

DEFAULT_SIZE: Final = 1024 * 1024


class ReadBuffer:
    """A buffer for one event loop: a read is handled wholly before the next one begins.

    Bytes that arrive lie at `view[START:end]`. They are valid until the handler that was given `end` returns; who
    wants to keep some copies them. Safe to share because plain sockets take what is sent at once (`send` copies into
    the kernel); an asyncio transport may keep a reference, so it is never given a view of this buffer.

    Args:
        size: Bytes a single read may take.
    """

    __slots__ = ("area", "data", "end", "size", "view")

    def __init__(self, size: int = DEFAULT_SIZE) -> None:
        self.size = size
        self.end = START + size
        self.data = bytearray(START + size + SLACK)
        self.view = memoryview(self.data)
        self.area = self.view[START : START + size]
        """What `recv_into` fills."""
