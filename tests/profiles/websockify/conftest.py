"""websockify 0.13 itself, asked what it makes of a line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

_PROGRAM = """
import contextlib, io, json, logging, sys
from websockify import websocketproxy

class Stub:
    def __init__(self, *arguments, **settings):
        plugins = settings.pop("token_plugin"), settings.pop("auth_plugin")
        settings["plugins"] = [type(each).__name__ for each in plugins]
        taken.update({name: value for name, value in settings.items() if name != "ssl_options"})
    def start_server(self):
        pass
    serve_forever = start_server

websocketproxy.os.path.exists = lambda path: True  # of the certificate, for --ssl-only
websocketproxy.WebSocketProxy = websocketproxy.LibProxyServer = Stub
for line in sys.stdin:
    taken, errors, code = {}, io.StringIO(), 0
    sys.argv = ["websockify", *json.loads(line)]
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            websocketproxy.websockify_init()
        except SystemExit as ended:
            code = ended.code or 0
        except Exception as error:
            code = 1
    logging.getLogger().handlers.clear()
    error = errors.getvalue().strip().rpartition(chr(10))[2]
    print(json.dumps({"code": code, "taken": taken, "error": error}), flush=True)
"""


@dataclass(frozen=True)
class Answer:
    """What it makes of a line: the exit code, what it would start with, and the last line of the error."""

    code: int
    taken: dict[str, Any]
    error: str


class Theirs:
    """A process that reads lines as websockify does, and starts nothing."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, argv: Sequence[str]) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(list(argv)) + "\n")
        self._process.stdin.flush()
        return Answer(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def theirs() -> Iterator[Theirs]:
    program = Theirs()
    yield program
    program.end()
