"""Started by inetd in its "wait" mode: the listening socket is on stdin, and often on stdout and stderr too."""

from __future__ import annotations

import os
import socket
import stat
import sys
from typing import Final

from wsgui.errors import UsageError

_STDIN: Final = 0
_OUTPUTS: Final = (1, 2)


def take_listener() -> int:
    """Return the number under which the socket from stdin can be listened on (``fd:N``), kept from children.

    Stdin becomes /dev/null, and so do stdout and stderr where they are the socket: a line written there would fail.
    Call it before `wsgui.cli.daemon.detach`, which has to keep the number.

    Raises:
        UsageError: Stdin is no listening stream socket.
    """
    try:
        with socket.socket(fileno=os.dup(_STDIN)) as sock:
            listening = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        listening = 0
    if not listening:
        raise UsageError(
            "--inetd was given, but stdin is no listening socket.",
            'Start it from inetd (xinetd: wait = yes), as "stream tcp wait".',
        )
    ours = os.fstat(_STDIN)
    taken = _above_standard(_STDIN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (_STDIN, *(number for number in _OUTPUTS if _is(number, ours))):
        os.dup2(nowhere, descriptor)
    if nowhere > max(_OUTPUTS):
        os.close(nowhere)
    return taken


def _above_standard(descriptor: int) -> int:
    if sys.platform == "win32":
        return os.dup(descriptor)
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(_OUTPUTS) + 1)


def _is(descriptor: int, status: os.stat_result) -> bool:
    try:
        its = os.fstat(descriptor)
    except OSError:
        return False
    return stat.S_ISSOCK(its.st_mode) and os.path.samestat(its, status)
