"""Connecting to a tunnel's target: TCP, TLS over TCP, a unix socket, or the demo inside the program."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import re
import socket
import ssl
from collections.abc import Callable
from typing import Final

import aiofastnet
from aiohappyeyeballs import start_connection

from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.demo import DemoProtocol
from wsgui.bridge.ends import End, SocketEnd
from wsgui.bridge.guard import Guard
from wsgui.bridge.transport_end import TransportEnd
from wsgui.errors import TargetError
from wsgui.profiles.addresses import DemoAddress, TcpAddress, TlsAddress, UnixAddress

Target = TcpAddress | TlsAddress | UnixAddress | DemoAddress

HAPPY_EYEBALLS_SECONDS: Final = 0.25
"""RFC 8305, section 8: Connection Attempt Delay."""

QUEUE_SECONDS: Final = 0.05
"""How often a unix socket whose queue is full is tried again."""

_NONBLOCKING: Final = getattr(socket, "SOCK_NONBLOCK", 0)
"""Linux makes a socket non-blocking in the call that makes it."""
_IN_PROGRESS: Final = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK})
_CONNECTED: Final = frozenset({0, errno.EISCONN})

Connected = Callable[[End], None]
Failed = Callable[[TargetError], None]


class NameNotFoundError(TargetError):
    """The target's name does not resolve."""


class Connector:
    """Opens connections to one target.

    Args:
        loop: The engine's loop.
        address: What to connect to.
        buffer: The loop's read buffer, for the ends.
        connect_seconds: Deadline of an attempt: name look-up, all of the name's addresses, and TLS.
        guard: Which of them may be connected; None: all.
        tls: What a TLS address is verified with; None: the system's authorities, which takes a while to read.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: Target,
        buffer: ReadBuffer,
        connect_seconds: float,
        guard: Guard | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = guard
        self.address = address
        self._loop = loop
        self._buffer = buffer
        self._connect_seconds = connect_seconds
        self._literal = _literal(address)
        self._tls = (tls or ssl.create_default_context()) if isinstance(address, TlsAddress) else None

    def connect(self, connected: Connected, failed: Failed) -> asyncio.Task[None] | None:
        """Connect, and call one of the two: at once where that is possible, else from the task that is returned.

        The caller keeps the task, and cancels it when the connection is no longer wanted.
        """
        if self._literal is not None:
            family, sockaddr = self._literal
            try:
                if self._guard is not None:
                    self._guard.check(sockaddr)
                sock = _new_socket(family)
            except TargetError as refusal:
                failed(refusal)
                return None
            except OSError as error:
                failed(self._explain(error))
                return None
            try:
                result = sock.connect_ex(sockaddr)
                if result in _IN_PROGRESS:
                    result = sock.connect_ex(sockaddr)  # over loopback it is connected by now
            except OSError as error:  # the zone of an IPv6 address is no interface
                sock.close()
                failed(self._explain(error))
                return None
            if result in _CONNECTED:
                self._made(sock, connected, failed)
                return None
            if result not in _IN_PROGRESS:
                sock.close()
                failed(self._explain(OSError(result, "connect")))
                return None
            return self._loop.create_task(self._wait(sock, sockaddr, connected, failed))
        return self._loop.create_task(self._connect(connected, failed))

    async def _wait(
        self, sock: socket.socket, sockaddr: tuple[str, int] | str, connected: Connected, failed: Failed
    ) -> None:
        try:
            async with asyncio.timeout(self._connect_seconds or None):
                if sock.family == socket.AF_UNIX:
                    await _queued(sock, sockaddr)
                else:
                    await _connection_made(self._loop, sock)
        except (OSError, TimeoutError) as error:
            sock.close()
            failed(self._explain(error))
            return
        except BaseException:
            sock.close()
            raise
        self._made(sock, connected, failed)

    def _made(self, sock: socket.socket, connected: Connected, failed: Failed) -> None:
        try:
            if self._guard is not None:
                self._guard.check_connected(sock)
        except TargetError as refusal:
            sock.close()
            failed(refusal)
        except OSError as error:  # the target is gone already
            sock.close()
            failed(self._explain(error))
        else:
            connected(SocketEnd(self._loop, sock, self._buffer))

    async def _connect(self, connected: Connected, failed: Failed) -> None:
        try:
            async with asyncio.timeout(self._connect_seconds or None):
                end = await self._open()
        except TargetError as refusal:
            failed(refusal)
            return
        except (OSError, TimeoutError) as error:
            failed(self._explain(error))
            return
        connected(end)

    async def _open(self) -> End:
        loop, buffer = self._loop, self._buffer
        if isinstance(self.address, DemoAddress):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            theirs.setblocking(False)
            try:
                await loop.create_connection(DemoProtocol, sock=theirs)
            except BaseException:
                ours.close()
                theirs.close()
                raise
            return SocketEnd(loop, ours, buffer)
        assert isinstance(self.address, TcpAddress | TlsAddress)
        host, port = self.address.host, self.address.port
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if self._guard is not None:
            found = self._guard.allowed(found)
        try:
            sock = await start_connection(found, happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS, interleave=1, loop=loop)
        except OSError as error:
            raise _most_telling(error) from error
        _tune(sock)
        if self._guard is not None:
            try:
                self._guard.check_connected(sock)
            except BaseException:
                sock.close()
                raise
        if self._tls is None:
            return SocketEnd(loop, sock, buffer)
        try:
            _, end = await aiofastnet.create_connection(
                loop,
                lambda: TransportEnd(loop, lambda _: None, buffer),
                sock=sock,
                ssl=self._tls,
                server_hostname=host,
            )
        except BaseException:
            sock.close()
            raise
        return end

    def _explain(self, error: BaseException) -> TargetError:
        """Say in words what went wrong; the messages are those of the window and the log."""
        address = self.address
        if isinstance(address, DemoAddress):
            return TargetError(f"The demo inside the program could not start: {error}.", "Start wsgui anew.")
        if isinstance(address, UnixAddress):
            return _explain_unix(address, error, self._connect_seconds)
        host, port = address.host, address.port
        if isinstance(error, socket.gaierror):
            return NameNotFoundError(
                f'No computer called "{host}" was found.', "Check the spelling or enter its IP address."
            )
        if isinstance(error, TimeoutError):
            return TargetError(
                f'"{host}" did not answer on port {port}{_within(self._connect_seconds)}.',
                "Check that the computer is on and that no firewall is in between.",
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return TargetError(
                f'The certificate of "{host}" on port {port} is not trusted: {error.verify_message}.',
                "Use the name that is in the certificate, or let this computer trust its authority.",
            )
        if isinstance(error, ssl.SSLError):
            return TargetError(
                f'"{host}" does not speak TLS on port {port}.',
                f"If the service is not encrypted, use the target {host}:{port} without tls://.",
            )
        if isinstance(error, ConnectionRefusedError) or getattr(error, "errno", None) == errno.ECONNREFUSED:
            return TargetError(
                f'"{host}" refuses connections on port {port}.',
                "Start the VNC server there, or check the number: display :1 is port 5901."
                if 5900 <= port < 6000
                else "Start the service there, or check the number.",
            )
        return TargetError(
            f'"{host}" cannot be reached on port {port}: {_words(error)}.',
            "Check the address, and this computer's network.",
        )


def _literal(address: Target) -> tuple[int, tuple[str, int] | str] | None:
    """Return family and socket address when no name has to be looked up and nothing follows the connection."""
    if isinstance(address, UnixAddress):
        return socket.AF_UNIX, address.path
    if isinstance(address, TcpAddress):
        try:
            version = ipaddress.ip_address(address.host).version
        except ValueError:
            return None
        return (socket.AF_INET if version == 4 else socket.AF_INET6), (address.host, address.port)
    return None


def _new_socket(family: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | _NONBLOCKING)
    if not _NONBLOCKING:
        sock.setblocking(False)
    if family != socket.AF_UNIX:
        _tune(sock)
    return sock


def _tune(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _connection_made(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    """Wait until a connect in progress has succeeded; raise its OSError when it has not."""
    writable: asyncio.Future[None] = loop.create_future()
    loop.add_writer(sock.fileno(), _resolve, writable)
    try:
        await writable
    finally:
        loop.remove_writer(sock.fileno())
    if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(code, "connect")


async def _queued(sock: socket.socket, path: tuple[str, int] | str) -> None:
    """Try until a unix socket's queue has room for us: nothing tells when, and a poll calls us writable meanwhile."""
    while (code := sock.connect_ex(path)) not in _CONNECTED:
        if code not in _IN_PROGRESS:
            raise OSError(code, "connect")
        await asyncio.sleep(QUEUE_SECONDS)


def _most_telling(error: OSError) -> OSError:
    """Return what one of a name's addresses said, when each said something else and the library joins all the texts.

    That a computer refuses says more than that another of its addresses cannot be reached from here.
    """
    codes = [int(code) for code in re.findall(r"\[Errno (\d+)\]", str(error))]
    if error.errno is not None or not codes:
        return error
    code = errno.ECONNREFUSED if errno.ECONNREFUSED in codes else codes[-1]
    return OSError(code, "connect")


def _within(seconds: float) -> str:
    return f" within {seconds:g} s" if seconds else ""


def _explain_unix(address: UnixAddress, error: BaseException, connect_seconds: float) -> TargetError:
    path = str(address).removeprefix("unix:")  # a token may be part of what it really is
    if isinstance(error, TimeoutError):
        return TargetError(
            f"Nobody took the connection at the socket {path}{_within(connect_seconds)}.",
            "See whether the service that made it hangs.",
        )
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return TargetError(f"There is no socket {path}.", "Start the service, or check the path.")
    if code == errno.ECONNREFUSED:
        return TargetError(f"Nobody listens at the socket {path}.", "Start the service that made it.")
    if code in (errno.EACCES, errno.EPERM):
        return TargetError(f"The socket {path} may not be used by this user.", "Change its permissions, or the user.")
    return TargetError(f"The socket {path} cannot be reached: {_words(error)}.", "Check the service there.")


def _words(error: BaseException) -> str:
    """Return the system's words for an error, without number and without repeating the address."""
    code = getattr(error, "errno", None)
    if isinstance(code, int) and code > 0:
        return errno_text(code)
    return str(error) or type(error).__name__


def errno_text(code: int) -> str:
    """Return what the system says an error number means, in lower case, to be part of a sentence."""
    text = os.strerror(code)
    return text[:1].lower() + text[1:]
