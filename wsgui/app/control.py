"""The control channel's server: requests of this user's other programs, one JSON line each, over a private socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wsgui.app.control_client import ControlClient, Peer, peers, show_window
from wsgui.app.control_wire import LARGEST_LINE_BYTES, encode_answer, encode_error, peer_user, short_path
from wsgui.app.paths import Paths
from wsgui.app.single_instance import TRAY, Claim, claim
from wsgui.errors import ControlError, WsguiError

__all__ = [
    "ControlClient",
    "ControlServer",
    "Handler",
    "Peer",
    "Request",
    "describe_process",
    "peers",
    "show_window",
    "slug_of",
]

_log = logging.getLogger(__name__)
_MOST_CLIENTS: Final = 16
_REQUEST_SECONDS: Final = 10.0
"""A client that has sent no whole request in this time, or not taken an answer, is let go."""
_LAST_ANSWER_SECONDS: Final = 0.5
_MOST_OF_ONE_NAME: Final = 64

Action = Literal["who", "status", "start", "stop", "reload", "show", "disconnect", "quit", "offer-authority"]


class Request(BaseModel):
    """One line from a client; anything else in it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: int = Field(ge=0, le=1 << 53)
    do: Action
    name: str = Field(default="", max_length=256)
    """The tunnel, for start, stop, disconnect and offer-authority."""
    grace_seconds: float = Field(default=0.0, ge=0, le=86_400)
    """For stop and quit."""
    connection: int = Field(default=0, ge=0)
    """For disconnect."""


Handler = Callable[[Request], Awaitable[Any]]
"""Carries a request out and returns what JSON can hold; a WsguiError becomes the client's error."""


class ControlServer:
    """Listens at ``runtime/SLUG.sock`` for this user and root.

    Args:
        name: What people call this process; `SLUG` is made of it, with a number when another living one has it.
        role: ``window`` has the file name of its own that a second start looks for.
        handler: Called on the loop that `start` was called on.
    """

    def __init__(self, paths: Paths, *, name: str, role: Literal["headless", "window"], handler: Handler) -> None:
        self._paths = paths
        self._role = role
        self._handler = handler
        self._claim: Claim | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self.name = name
        self.path: Path | None = None

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            WsguiError: There is no folder for the socket that only this user can change, or no unix sockets at all.
        """
        if sys.platform == "win32":
            raise ControlError(
                "The control channel is not available on Windows yet.", "Use the window to control this wsgui."
            )
        folder = self._paths.make_runtime()
        self._claim, slug, number = _free_slug(folder, self.name, self._role)
        if number > 1:
            self.name = f"{self.name} ({number})"
        self.path = folder / f"{slug}.sock"
        try:
            listener = _listen(self.path)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LARGEST_LINE_BYTES)
        except OSError as error:
            self._claim.release()
            self._claim = None
            raise ControlError(
                f"The control socket {self.path} cannot be made: {error.strerror or error}.",
                "Set WSGUI_RUNTIME_DIR to a folder that can hold sockets.",
            ) from error

    async def close(self) -> None:
        """Stop listening, let every client go, remove the socket. Harmless when never started."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self.path is not None and self._claim is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
        # A request that is being carried out (quit itself, most often) gets its answer out first.
        if self._busy:
            await asyncio.wait(tuple(self._busy), timeout=_LAST_ANSWER_SECONDS)
        left = tuple(self._clients)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            if len(self._clients) > _MOST_CLIENTS:
                return
            user = peer_user(writer.get_extra_info("socket").fileno())
            if user not in (os.getuid(), 0):
                _log.warning("A control request of user %s was refused: only this user and root may send any.", user)
                return
            while self._server is not None and (line := await _request_line(reader, writer)):
                self._busy.add(task)
                going_on = await self._answer(line, writer)
                self._busy.discard(task)
                if not going_on:
                    break
        except (OSError, TimeoutError):
            pass  # The client is gone, or too slow: nobody is left to be told.
        finally:
            self._clients.discard(task)
            self._busy.discard(task)
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()  # A client that does not read would keep it open for ever.
            else:
                writer.close()

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> bool:
        """Carry out one request and answer it; False when that ends the conversation."""
        try:
            request = Request.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            await _send(writer, encode_error(0, _refused(f"This is no request: {field or 'JSON'}: {first['msg']}.")))
            return False
        try:
            result = await self._handler(request)
        except WsguiError as error:
            await _send(writer, encode_error(request.id, error))
        else:
            # A snapshot of a thousand connections is not encoded on the tunnels' loop.
            await _send(writer, await asyncio.to_thread(encode_answer, request.id, result))
        return True


def slug_of(name: str) -> str:
    """A file name's stem made of a process's name: small letters, digits and dashes, at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "wsgui"


def _free_slug(folder: Path, name: str, role: str) -> tuple[Claim, str, int]:
    base = TRAY if role == "window" else slug_of(name)
    for number in range(1, _MOST_OF_ONE_NAME + 1):
        slug = base if number == 1 else f"{base}-{number}"
        if role != "window" and slug == TRAY:
            continue
        # The lock of a dead process is free again, so its socket is ours to replace.
        held = claim(folder, f"{slug}.sock")
        if held is not None:
            return held, slug, number
    raise ControlError(f"{_MOST_OF_ONE_NAME} processes called {name} are running.", "Stop some of them first.")


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with contextlib.suppress(OSError):
            os.fchmod(listener.fileno(), 0o600)  # On Linux the file is 0600 from its first moment on.
        with short_path(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(_MOST_CLIENTS)
    except BaseException:
        listener.close()
        raise
    return listener


async def _request_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The next whole line; empty when the client is done or broke the rules."""
    try:
        async with asyncio.timeout(_REQUEST_SECONDS):
            line = await reader.readline()
    except ValueError:  # What StreamReader raises for a line beyond its limit.
        await _send(writer, encode_error(0, _refused(f"A request is at most {LARGEST_LINE_BYTES} bytes long.")))
        return b""
    return line if line.endswith(b"\n") else b""


async def _send(writer: asyncio.StreamWriter, lines: bytes) -> None:
    async with asyncio.timeout(_REQUEST_SECONDS):
        writer.write(lines)
        await writer.drain()


def _refused(message: str) -> ControlError:
    return ControlError(message, 'Send one JSON object a line, such as {"id": 1, "do": "status"}.')


def describe_process(name: str, role: str, version: str) -> Mapping[str, Any]:
    """How a process introduces itself in the answer to ``status``."""
    return {"name": name, "role": role, "pid": os.getpid(), "version": version}
