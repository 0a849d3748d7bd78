"""An HTTP answer as a value: what is to be sent, before anything is."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that was opened to be sent; whoever holds it streams `size` bytes from where `fd` stands, and closes it.

    `offset` is where that is: the descriptor was set there already. The file may shrink meanwhile: a reader that
    meets its end early has to close the connection, as the announced length can no longer be kept.
    """

    fd: int
    size: int
    offset: int = 0

    @classmethod
    def part(cls, fd: int, size: int, offset: int) -> OpenFile:
        """Return the part of an open file from `offset` on, and set its descriptor there."""
        os.lseek(fd, offset, os.SEEK_SET)
        return cls(fd, size, offset)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer.

    Args:
        status: The status code.
        headers: Name and value pairs; Content-Length is always among them, but with 304.
        body: What to send when there is no file; empty for HEAD.
        file: A file to stream instead of `body`.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    file: OpenFile | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of the header called `name`, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    def without_body(self) -> Response:
        """Return the answer to HEAD: the same headers and nothing behind them; an open file is closed."""
        if self.file is not None:
            self.file.close()
        return Response(self.status, self.headers)
