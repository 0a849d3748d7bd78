"""Answers of the web server as tests look at them, and that none of them leaves a descriptor open."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from wsgui.web.files import FileServer
from wsgui.web.response import Response


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Fetch = Callable[..., Answer]


def read(response: Response) -> Answer:
    """Read an answer as the bridge does: so many bytes from where the descriptor stands, and not one more."""
    body = response.body
    if response.file is not None:
        assert body == b""
        with os.fdopen(response.file.fd, "rb", buffering=0) as stream:
            body = stream.read(response.file.size) or b""
            assert stream.tell() == response.file.offset + len(body)
    names = [name for name, _ in response.headers]
    assert len(set(names)) == len(names), "a header field twice"
    return Answer(response.status, dict(response.headers), body)


def fetcher(server: FileServer) -> Fetch:
    """Ask `server`: a target, a method, and header fields with underscores for dashes."""

    def ask(target: str, method: str = "GET", **headers: str) -> Answer:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = read(server.respond(method, target, fields))
        if answer.status == 304:
            assert "Content-Length" not in answer.headers
        elif method == "HEAD":
            assert answer.body == b""
            assert answer.headers["Content-Length"].isdigit()
        else:
            assert answer.headers["Content-Length"] == str(len(answer.body))
        return answer

    return ask


def open_descriptors() -> int:
    """How many descriptors this process has open; 0 where that cannot be told."""
    return len(os.listdir("/proc/self/fd")) if sys.platform.startswith("linux") else 0
