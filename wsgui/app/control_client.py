"""Asks a running wsgui for something, and finds the ones that are running."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from wsgui.app.control_wire import LARGEST_ANSWER_BYTES, LARGEST_LINE_BYTES, peer_user, short_path
from wsgui.app.paths import check_private
from wsgui.app.single_instance import TRAY, claim
from wsgui.display import display
from wsgui.errors import ControlError

_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A living wsgui process."""

    name: str
    role: str
    """``headless`` or ``window``."""
    pid: int
    version: str
    path: Path


class ControlClient:
    """One blocking conversation with one process; use it in a ``with`` block.

    Args:
        path: The process's socket.
        timeout_seconds: How long to wait for each answer.

    Raises:
        ControlError: Nobody is there, or it is not this user's process.
    """

    def __init__(self, path: Path, *, timeout_seconds: float = _SECONDS) -> None:
        self._path = path
        self._timeout = timeout_seconds
        self._number = 0
        self._socket = _connect(path, timeout_seconds)
        self._received = bytearray()

    def request(self, do: str, *, timeout_seconds: float | None = None, **values: Any) -> Any:
        """Send one request and return its result.

        Raises:
            ControlError: It was refused (in the process's own words), or the process does not answer.
        """
        self._number += 1
        deadline = time.monotonic() + (self._timeout if timeout_seconds is None else timeout_seconds)
        line = json.dumps({"id": self._number, "do": do, **values}).encode() + b"\n"
        pieces: list[str] = []
        size = 0
        try:
            # A server that refuses the request's form may have closed already; what it said still waits to be read.
            with contextlib.suppress(BrokenPipeError):
                self._socket.sendall(line)
            while True:
                answer = self._read_line(deadline)
                if "piece" in answer:
                    pieces.append(str(answer["piece"]))
                    size += len(pieces[-1])
                    if size > LARGEST_ANSWER_BYTES:
                        raise self._silent("sends more than an answer can be")
                    continue
                if answer.get("ok") is True:
                    return json.loads("".join(pieces)) if answer.get("joined") else answer.get("result")
                error = answer.get("error")
                if not isinstance(error, dict):
                    raise self._silent("answers in a way that this version does not know")
                raise ControlError(
                    str(error.get("message", "")), str(error.get("hint", "")), field=str(error.get("field", ""))
                )
        except TimeoutError:
            raise self._silent("does not answer") from None
        except OSError as error:
            raise self._silent(f"cannot be spoken to ({error.strerror or error})") from error
        except ValueError as error:
            raise self._silent("answers in a way that this version does not know") from error

    def _read_line(self, deadline: float) -> dict[str, Any]:
        while (end := self._received.find(b"\n")) < 0:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            data = self._socket.recv(LARGEST_LINE_BYTES)
            if not data:
                raise self._silent("has hung up")
            self._received += data
            if len(self._received) > 4 * LARGEST_LINE_BYTES and b"\n" not in self._received:
                raise self._silent("sends more than an answer can be")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise ValueError("no object")
        return answer

    def _silent(self, what: str) -> ControlError:
        return ControlError(
            f"The wsgui behind {display(str(self._path))} {what}.", "Look at its log, or stop it and start it again."
        )

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def peers(
    runtime: Path, *, timeout_seconds: float = 2.0, on_silence: Callable[[ControlError], object] | None = None
) -> tuple[Peer, ...]:
    """The living processes with a socket in the `runtime` folder, by name; what dead ones left behind is removed.

    One that does not answer in time is left out, and left alone; `on_silence` hears of it.

    Raises:
        FolderError: The folder is not private enough to trust what is in it.
    """
    if sys.platform == "win32" or not runtime.exists():
        return ()
    # Root looks after services that run as users of their own; nobody else trusts another user's folder.
    check_private(runtime, any_owner=os.getuid() == 0)
    found: list[Peer] = []
    for path in sorted(runtime.glob("*.sock")):
        try:
            if not stat.S_ISSOCK(os.lstat(path).st_mode):
                continue
            with ControlClient(path, timeout_seconds=timeout_seconds) as client:
                process = client.request("who")
            found.append(
                Peer(str(process["name"]), str(process["role"]), int(process["pid"]), str(process["version"]), path)
            )
        except _NobodyThereError:
            _remove_stale(path)
        except ControlError as error:
            if on_silence is not None:
                on_silence(error)
        except (OSError, KeyError, TypeError, ValueError):
            continue  # Gone meanwhile, or no wsgui.
    return tuple(sorted(found, key=lambda peer: (peer.name.casefold(), peer.pid)))


def show_window(runtime: Path, *, timeout_seconds: float = _SECONDS) -> None:
    """Ask the tray app that is already there to raise its window; one that is still starting is waited for.

    Raises:
        ControlError: It did not answer within `timeout_seconds`.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            with ControlClient(runtime / f"{TRAY}.sock", timeout_seconds=timeout_seconds) as client:
                client.request("show")
            return
        except ControlError as error:
            if time.monotonic() > deadline:
                raise ControlError(
                    "Another wsgui has the tray but does not answer.", "End it and start wsgui again."
                ) from error
        time.sleep(0.05)


class _NobodyThereError(ControlError):
    """Nobody listens at the socket: its process is dead, or just starting."""


def _connect(path: Path, timeout_seconds: float) -> socket.socket:
    if sys.platform == "win32":
        raise ControlError("The control channel is not available on Windows yet.", "Use the window instead.")
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.settimeout(timeout_seconds)
        with short_path(path) as address:
            client.connect(address)
        if os.getuid() != 0 and peer_user(client.fileno()) not in (os.getuid(), 0):
            raise ControlError(
                f"The process behind {display(str(path))} is another user's.", "Remove that socket, as it is not yours."
            )
    except (ConnectionRefusedError, FileNotFoundError) as error:
        client.close()
        raise _NobodyThereError(f"No wsgui listens at {display(str(path))}.", "Start it first.") from error
    except OSError as error:
        client.close()
        raise ControlError(
            f"The wsgui behind {display(str(path))} cannot be reached: {error.strerror or error}.",
            "Look at its log, or stop it and start it again.",
        ) from error
    except BaseException:
        client.close()
        raise
    return client


def _remove_stale(path: Path) -> None:
    # With the lock of a process of that name in hand, no living one can be about to listen there.
    held = claim(path.parent, path.name)
    if held is not None:
        with held, contextlib.suppress(OSError):
            path.unlink()
