"""The far end of every benchmark: a process that sends, counts, checks or echoes, as the first bytes tell it.

Run by `processes.py`: `python -m tests.bench.target WORKERS`. Prints the two ports (bulk, echo) as one JSON line,
then one JSON line for each counted stream. Ends when its standard input ends, so it never outlives the benchmark.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import sys
import time
import zlib

from tests.bench.wire import CHECK, COUNT, MAGIC, ORDER, SEND, pattern

BLOCK = 1 << 20
SILENCE_SECONDS = 1.0  # lighttpd does not hand on a client's end: a silent stream has ended


def listener() -> socket.socket:
    """A listening loopback socket on a free port."""
    sock = socket.socket()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1024)
    return sock


def report(line: dict[str, object]) -> None:
    """One whole line in one write: several workers share the pipe."""
    os.write(1, json.dumps(line).encode() + b"\n")


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    """`size` bytes, fewer at the end of the stream."""
    data = bytearray()
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            break
        data += part
    return bytes(data)


def send_without_end(sock: socket.socket) -> None:
    """The source: one big buffer, again and again."""
    block = pattern(BLOCK)
    while True:
        sock.sendall(block)


def count(sock: socket.socket, stream: int) -> None:
    """The sink: MSG_TRUNC lets the kernel drop what came instead of copying it (tcp(7))."""
    buffer = bytearray(BLOCK)
    total = 0
    first = last = time.monotonic()
    sock.settimeout(5)
    try:
        while size := sock.recv_into(buffer, BLOCK, socket.MSG_TRUNC):
            last = time.monotonic()
            if not total:
                first = last
                sock.settimeout(SILENCE_SECONDS)
            total += size
    except OSError:
        pass  # a reset ends the stream as well; the rate is that of what came
    report({"stream": stream, "bytes": total, "seconds": last - first})


def check(sock: socket.socket, size: int) -> None:
    """Checksum what comes, then send as much."""
    checksum = 0
    missing = size
    while missing:
        data = sock.recv(min(BLOCK, missing))
        if not data:
            return
        checksum = zlib.crc32(data, checksum)
        missing -= len(data)
    sock.sendall(checksum.to_bytes(4, "big"))
    sock.sendall(pattern(size))
    sock.recv(1)  # the client closes first


def bulk_worker(server: socket.socket) -> None:
    """Serve one connection after the other."""
    while True:
        sock, _ = server.accept()
        sock.settimeout(30)
        with sock, contextlib.suppress(OSError):
            data = receive_exactly(sock, ORDER.size)
            if len(data) < ORDER.size:
                continue
            magic, letter, number = ORDER.unpack(data)
            if magic != MAGIC:
                continue
            if letter == SEND:
                send_without_end(sock)
            elif letter == COUNT:
                count(sock, number)
            elif letter == CHECK:
                check(sock, number)


def echo(server: socket.socket) -> None:
    """Echo on any number of connections."""
    selector = selectors.DefaultSelector()
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is server:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        sock, _ = server.accept()
                        selector.register(sock, selectors.EVENT_READ)
                continue
            sock = key.fileobj  # type: ignore[assignment]
            try:
                data = sock.recv(65_536)
                if data:
                    sock.sendall(data)
                    continue
            except OSError:
                pass
            selector.unregister(sock)
            sock.close()


def main(workers: int) -> None:
    """Fork the workers, then wait for the end of standard input."""
    bulk_socket, echo_socket = listener(), listener()
    children: list[int] = []
    for number in range(workers + 1):
        child = os.fork()
        if not child:
            try:
                echo(echo_socket) if number == workers else bulk_worker(bulk_socket)
            finally:
                os._exit(0)
        children.append(child)
    try:
        report({"bulk": bulk_socket.getsockname()[1], "echo": echo_socket.getsockname()[1]})
        sys.stdin.buffer.read()
    finally:
        for child in children:
            os.kill(child, 9)


if __name__ == "__main__":
    main(int(sys.argv[1]))
