"""Into the background (-D): the command that was typed ends once the daemon listens, or says why it does not."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Collection
from types import FrameType
from typing import Final, NoReturn

from wsgui.app.process import private_umask
from wsgui.errors import EXIT_FAILED, EXIT_OK, UsageError, WsguiError

_STANDARD: Final = (0, 1, 2)
_ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_MOST_DESCRIPTORS: Final = 1 << 20
_READY: Final = b"ready"
_FAILED: Final = b"failed"
_PID_BYTES: Final = 4
_CODE_BYTES: Final = 1


class Detached:
    """The daemon's side: it owes the command that waits one call, of `ready` or of `failed`."""

    def __init__(self, pipe: int, keep: Collection[int]) -> None:
        self._pipe: int | None = pipe
        self._keep = frozenset(keep)

    def ready(self) -> None:
        """Let the command end with exit code 0, and let go of its terminal: output goes nowhere from now on."""
        _flush()
        for descriptor in _STANDARD:
            if descriptor not in self._keep:
                _to_nowhere(descriptor)
        self._tell(_READY)

    def failed(self, message: str, code: int = EXIT_FAILED) -> None:
        """Have the command write `message` to stderr, unless it is empty, and end with `code`; then end yourself."""
        _flush()
        self._tell(_FAILED + bytes((code & 0xFF,)) + message.encode("utf-8", "backslashreplace"))

    def _tell(self, word: bytes) -> None:
        if self._pipe is None:
            return
        pipe, self._pipe = self._pipe, None
        # Who typed the command may have been killed meanwhile; what was asked for goes on all the same.
        with contextlib.suppress(BrokenPipeError):
            _write(pipe, word)
        os.close(pipe)


def detach(keep: Collection[int] = ()) -> Detached:
    """Go on as a daemon in a session of its own; the calling process waits for it and never returns from here.

    Call it before any thread, event loop or log exists, as a fork takes only the calling thread along, and with paths
    already checked as far as that is wished. The working directory stays, so that relative paths, of plugins and of
    wrapped programs too, go on meaning what they meant. Until `Detached.ready` it writes to the caller's stdout and
    stderr, so that settings and problems are read there. What is signalled to the waiting command ends the daemon.

    Args:
        keep: Descriptors that stay open, such as an inherited listener; 0 among them keeps stdin. All others but
            stdout and stderr are closed, as a lock or pipe of the calling script would otherwise be held for ever.

    Raises:
        UsageError: This system has no fork (Windows).
        WsguiError: No further process can be started.
    """
    if not hasattr(os, "fork"):
        raise UsageError(
            "This system cannot put a program into the background (-D).",
            "Start it without, as a service or a task of the system.",
        )
    _flush()
    try:
        reading, writing = os.pipe()
        # Who ends the command while nobody knows the daemon's number yet is heard once it is known.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        child = os.fork()
    except OSError as error:
        raise WsguiError(
            f"No process for the background could be started: {error.strerror}.",
            "End some of this user's processes, or raise their limit (ulimit -u, -n).",
        ) from error
    if child:
        os.close(writing)
        _wait(child, reading, before)
    try:
        os.setsid()
        if os.fork():  # a session's leader could get a terminal again by opening one
            os._exit(EXIT_OK)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        private_umask()
        pipe = _above_standard(writing)
        _close_others({*_STANDARD, *keep, pipe})
        for descriptor in _STANDARD:
            # One that is closed would be given to a socket, and then be thought the output.
            if not _is_open(descriptor) or (descriptor == 0 and 0 not in keep):
                _to_nowhere(descriptor)
        os.write(pipe, os.getpid().to_bytes(_PID_BYTES, "big"))
    except BaseException:  # noqa: BLE001 - a fork that went wrong may not go on as the command it was made from
        sys.excepthook(*sys.exc_info())
        os._exit(EXIT_FAILED)
    return Detached(pipe, keep)


def _wait(child: int, reading: int, mask: Collection[signal.Signals | int]) -> NoReturn:
    """Wait for the daemon's word, say it, and end; nothing that stands around the caller is run."""
    code = EXIT_FAILED
    try:
        os.waitpid(child, 0)
        daemon = int.from_bytes(_read(reading, _PID_BYTES), "big")

        def end(number: int, _: FrameType | None) -> None:
            if daemon:
                with contextlib.suppress(OSError):
                    os.kill(daemon, signal.SIGTERM)
            os._exit(128 + number)

        for name in _ENDING:
            if signal.getsignal(name) != signal.SIG_IGN:  # as of nohup
                signal.signal(name, end)
        # A signal that comes just before a read begins would be dealt with only once that ends.
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        word = _read(reading, heard=heard)
        if word == _READY:
            code = EXIT_OK
        elif word.startswith(_FAILED) and len(word) > len(_FAILED):
            said = word.removeprefix(_FAILED)
            code = said[0]
            _complain(said[_CODE_BYTES:].decode("utf-8", "replace"))
        else:
            _complain("The background process ended before it was ready.")
    finally:
        os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # None where it was closed before
            stream.flush()


def _complain(message: str) -> None:
    if message:
        with contextlib.suppress(OSError, ValueError):
            print(message, file=sys.stderr, flush=True)


def _read(descriptor: int, size: int | None = None, *, heard: int | None = None) -> bytes:
    """Read `size` bytes, or all until the end; `heard` is what signals make readable."""
    read = b""
    waiting = select.poll()
    for each in (descriptor, heard):
        if each is not None:
            waiting.register(each, select.POLLIN)
    while size is None or len(read) < size:
        waiting.poll()
        piece = os.read(descriptor, 65536 if size is None else size - len(read))
        if not piece:
            break
        read += piece
    return read


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == descriptor:  # it was closed, and this is its number now
        os.set_inheritable(descriptor, True)
        return
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _above_standard(descriptor: int) -> int:
    """The same pipe with a number above those that /dev/null will take: a caller may have closed one of them."""
    import fcntl

    above: int = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(_STANDARD) + 1)
    os.close(descriptor)
    return above


def _close_others(kept: Collection[int]) -> None:
    most = os.sysconf("SC_OPEN_MAX")
    most = most if 0 < most < _MOST_DESCRIPTORS else _MOST_DESCRIPTORS  # macOS: no limit at all
    first = 0
    for descriptor in (*sorted(kept), most):
        if first < descriptor:  # an empty range would be taken for all
            os.closerange(first, descriptor)
        first = descriptor + 1
