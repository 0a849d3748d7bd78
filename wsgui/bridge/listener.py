"""Listening sockets: TCP on IPv4, IPv6 or both, unix, and inherited; opened with reasons a person understands."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
import sys
import time
from collections.abc import Callable
from typing import Final

from wsgui.bridge.port_owner import port_owner
from wsgui.display import display
from wsgui.errors import TunnelError
from wsgui.profiles.addresses import InheritedAddress, TcpAddress, UnixAddress

ListenAddress = TcpAddress | UnixAddress | InheritedAddress

BACKLOG: Final = 1024
MAX_BURST: Final = 16
"""After so many new clients in a row the others get their turn."""
BACK_OFF_SECONDS: Final = 0.5
"""How long nobody is accepted after the process ran out of descriptors."""
SAY_AGAIN_SECONDS: Final = 60.0
"""How often it is said that descriptors are missing, while they are: it may be so for days."""

_OUT_OF_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

Accepted = Callable[[socket.socket, str, str], None]
"""Called with the non-blocking socket, the client's host ("" for unix) and its name for people."""


Candidate = tuple[int, str, int]
"""Family, numeric host and, for a link-local IPv6 address, the number of its interface."""


class ListenError(TunnelError):
    """A tunnel cannot listen.

    `kind` is one of port-in-use, name-not-found, permission, address-not-available, other.
    """

    def __init__(self, kind: str, message: str, hint: str, *, suggested_port: int | None = None) -> None:
        super().__init__(message, hint, field="listen")
        self.kind = kind
        self.suggested_port = suggested_port


async def open_listeners(
    loop: asyncio.AbstractEventLoop, address: ListenAddress, *, unix_mode: int | None = None
) -> list[socket.socket]:
    """Bind and listen; all of a name's addresses, or none.

    Args:
        unix_mode: The permissions of a unix socket, which then takes the place of any other socket; None: 0600, and
            one that somebody listens at stays.

    Raises:
        ListenError: Why not, in words.
    """
    if isinstance(address, InheritedAddress):
        return [_inherited(address)]
    if isinstance(address, UnixAddress):
        return [_unix(address, unix_mode)]
    candidates = await _candidates(loop, address)
    sockets: list[socket.socket] = []
    port = address.port
    for candidate in candidates:
        try:
            sockets.append(_tcp(candidate, port, both=address.host == "*"))
        except OSError as error:
            for sock in sockets:
                sock.close()
            raise await loop.run_in_executor(None, _explain, address, candidate, error) from error
        port = port or sockets[0].getsockname()[1]
    return sockets


async def _candidates(loop: asyncio.AbstractEventLoop, address: TcpAddress) -> list[Candidate]:
    if address.host == "*":
        return [(socket.AF_INET6, "::", 0)] if _dual_stack() else [(socket.AF_INET, "0.0.0.0", 0)]
    try:
        if "%" in address.host:  # uvloop's resolver loses the interface
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        else:
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise ListenError(
            "name-not-found",
            f'"{display(address.host)}" is no name or address of this computer.',
            "Listen on 127.0.0.1 (this computer only), on * (all of its addresses), or on one of its addresses.",
        ) from error
    unique = dict.fromkeys(
        (int(family), str(name[0]).partition("%")[0], int(name[3]) if len(name) == 4 else 0)
        for family, _, _, _, name in found
        if family == socket.AF_INET or socket.has_ipv6
    )
    usable = list(unique)
    if len(usable) > 1 and not _has_ipv6_loopback():
        usable = [candidate for candidate in usable if candidate[0] == socket.AF_INET] or usable
    return usable


def _tcp(candidate: Candidate, port: int, *, both: bool) -> socket.socket:
    family = candidate[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if sys.platform == "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # What is accepted inherits these.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
        sock.bind(_with_port(candidate, port))
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _with_port(candidate: Candidate, port: int) -> tuple[str, int, int, int] | tuple[str, int]:
    family, host, scope = candidate
    return (host, port, 0, scope) if family == socket.AF_INET6 else (host, port)


def _dual_stack() -> bool:
    return socket.has_ipv6 and socket.has_dualstack_ipv6()


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _unix(address: UnixAddress, mode: int | None) -> socket.socket:
    path = address.path
    if mode is None:
        _remove_stale(path)
    elif _is_socket(path):
        with contextlib.suppress(OSError):  # what stands in the way is told by bind
            os.unlink(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177 if mode is None else 0o777 & ~mode)
    try:
        sock.setblocking(False)
        sock.bind(path)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE and not _is_socket(path):
            raise ListenError(
                "address-not-available",
                f"There is something else than a socket at {display(path)}.",
                "Move it away, or use another path.",
            ) from error
        if error.errno == errno.EADDRINUSE:
            raise ListenError(
                "port-in-use", f"{display(path)} is used by another program.", "Stop it, or use another path."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ListenError(
                "permission",
                f"The socket {display(path)} may not be made by this user.",
                "Use a folder you can write to, such as the one $XDG_RUNTIME_DIR names.",
            ) from error
        raise ListenError(
            "address-not-available",
            f"The socket {display(path)} cannot be made: {os.strerror(error.errno or 0).lower()}.",
            "Check that its folder exists.",
        ) from error
    finally:
        os.umask(before)
    return sock


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def _remove_stale(path: str) -> None:
    """Remove a socket that a program left behind; one that answers, or that is no socket, stays."""
    try:
        if not _is_socket(path):
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.setblocking(False)
            if probe.connect_ex(path) == errno.ECONNREFUSED:
                os.unlink(path)
    except OSError:
        return


def _inherited(address: InheritedAddress) -> socket.socket:
    try:
        descriptor = os.dup(address.fd)
    except OSError as error:
        raise ListenError(
            "other",
            f"There is no descriptor {address.fd}.",
            "Start wsgui from a systemd socket unit, or listen on an address.",
        ) from error
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError as error:
        os.close(descriptor)
        raise _no_listener(address) from error
    try:
        listening = bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        listening = False
    if sock.type != socket.SOCK_STREAM or not listening:
        sock.close()
        raise _no_listener(address)
    sock.setblocking(False)
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _no_listener(address: InheritedAddress) -> ListenError:
    return ListenError(
        "other",
        f"Descriptor {address.fd} is not a listening stream socket.",
        "In the systemd socket unit use ListenStream= and Accept=no.",
    )


def _explain(address: TcpAddress, candidate: Candidate, error: OSError) -> ListenError:
    port = address.port
    if error.errno == errno.EADDRINUSE:
        owner = port_owner(port)
        suggested = _free_port_after(candidate, port)
        other = f"Use {suggested}, or stop" if suggested else "Stop"
        who = f"{owner.name} (pid {owner.pid})" if owner else "another program"
        return ListenError(
            "port-in-use",
            f"Port {port} is used by {who}.",
            f"{other} {owner.name if owner else 'that program'} and try again.",
            suggested_port=suggested,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return ListenError(
            "permission",
            f"Port {port} may not be used by this user.",
            "Use a port from 1024 on, or give wsgui the right to use lower ones (CAP_NET_BIND_SERVICE).",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ListenError(
            "address-not-available",
            f"{address.host} is not an address of this computer.",
            "Listen on 127.0.0.1 (this computer only), on * (all of its addresses), or on one of its addresses.",
        )
    return ListenError(
        "other", f"{address} cannot be listened on: {os.strerror(error.errno or 0).lower()}.", "Use another address."
    )


def _free_port_after(candidate: Candidate, taken: int) -> int | None:
    for port in range(taken + 1, min(taken + 100, 65536)):
        try:
            with socket.socket(candidate[0], socket.SOCK_STREAM) as probe:
                probe.bind(_with_port(candidate, port))
        except OSError:
            continue
        return port
    return None


class Listener:
    """Accepts from listening sockets until it is closed; owns them.

    Args:
        accepted: Called for each client.
        starved: Called when the process has run out of descriptors, and then once a minute while that lasts;
            accepting goes on by itself.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: ListenAddress,
        sockets: list[socket.socket],
        accepted: Accepted,
        starved: Callable[[], None],
    ) -> None:
        self.address = address
        self.sockets = sockets
        self._loop = loop
        self._accepted = accepted
        self._starved = starved
        self._back_off: asyncio.TimerHandle | None = None
        self._silent_until = 0.0
        self._burst = 1
        self._inode = os.stat(address.path).st_ino if isinstance(address, UnixAddress) else None
        for sock in sockets:
            loop.add_reader(sock.fileno(), self._accept, sock)

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each TCP socket, as bound."""
        return tuple(
            (str(sock.getsockname()[0]), int(sock.getsockname()[1]))
            for sock in self.sockets
            if sock.family != socket.AF_UNIX
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """Path of each unix socket, as bound."""
        return tuple(os.fsdecode(sock.getsockname()) for sock in self.sockets if sock.family == socket.AF_UNIX)

    def _accept(self, listening: socket.socket) -> None:
        # One a call while clients come one by one; more when they come faster than they are accepted.
        for _ in range(self._burst):
            try:
                sock, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                self._burst = 1
                return
            except OSError as error:
                if error.errno in _OUT_OF_RESOURCES:
                    self._hold()
                return
            sock.setblocking(False)
            if not isinstance(peer, tuple):
                self._accepted(sock, "", "unix")
                continue
            host = peer[0].removeprefix("::ffff:") if "." in peer[0] else peer[0]
            self._accepted(sock, host, f"[{host}]:{peer[1]}" if ":" in host else f"{host}:{peer[1]}")
        self._burst = min(self._burst + 1, MAX_BURST)

    def _hold(self) -> None:
        if self._back_off is None:
            for sock in self.sockets:
                self._loop.remove_reader(sock.fileno())
            self._back_off = self._loop.call_later(BACK_OFF_SECONDS, self._go_on)
            now = time.monotonic()
            if now >= self._silent_until:
                self._silent_until = now + SAY_AGAIN_SECONDS
                self._starved()

    def _go_on(self) -> None:
        self._back_off = None
        for sock in self.sockets:
            self._loop.add_reader(sock.fileno(), self._accept, sock)

    def close(self) -> None:
        """Stop accepting and give the address back; a unix socket's file goes, if it is still ours."""
        if self._back_off is not None:
            self._back_off.cancel()
            self._back_off = None
        for sock in self.sockets:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self.sockets = []
        if isinstance(self.address, UnixAddress):
            try:
                if os.stat(self.address.path).st_ino == self._inode:
                    os.unlink(self.address.path)
            except OSError:
                return
