"""A load generator's process: one connection (or many idle ones), driven by JSON lines on standard input.

Run by `processes.py`: `python -m tests.bench.load`. A job comes as one line; `{"ready": true}` is answered once the
connection stands and all bytes are prepared; the line after that starts the clock; the result is the second answer.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
import zlib
from typing import Any

from tests.bench.wire import (
    CHECK,
    CLOSE_NORMALLY,
    COUNT,
    ECHO,
    SEND,
    Line,
    masked_frame,
    order,
    pattern,
    tls_context,
    upgrade_request,
    upload_block,
)

BLOCK = 1 << 20

Job = dict[str, Any]


def answer(line: dict[str, object]) -> None:
    """One result line for the benchmark."""
    print(json.dumps(line), flush=True)


def ready() -> float:
    """Say that all is prepared, wait for the start, and return its time on the clock that all processes share."""
    answer({"ready": True})
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return float(json.loads(line)["go"])


def connect(job: Job) -> Line:
    """The connection a job asks for."""
    return Line(job["port"], framed=job["framed"], tls=job["tls"])


def down(job: Job) -> dict[str, object]:
    """Count what comes in a window that all connections share, ciphertext under TLS; frame heads count as payload."""
    line = connect(job)
    line.send_message(order(SEND))
    line.receive()  # it flows: no fork or first connection falls into the window
    window = ready() + job["warm_up_seconds"]
    end = window + job["seconds"]
    buffer = bytearray(BLOCK)
    sock = line.socket
    counted = 0
    while (now := time.monotonic()) < end:
        size = sock.recv_into(buffer, BLOCK, socket.MSG_TRUNC)
        if not size:
            raise ConnectionError("the stream ended early")
        if now >= window:
            counted += size
    line.close()
    return {"bytes": counted}


def up(job: Job) -> dict[str, object]:
    """Send whole messages until the time is over; the target counts."""
    line = connect(job)
    block = upload_block(job["message_bytes"], framed=job["framed"])
    blocks = [block]
    command = order(COUNT, job["stream"])
    first = line.encrypt(masked_frame(command) if job["framed"] else command)
    if job["tls"]:
        blocks = [line.encrypt(block) for _ in range(job["prepared_bytes"] // len(block) + 1)]
    ready()
    line.socket.sendall(first)
    end = time.monotonic() + job["seconds"]
    sent = 0
    while time.monotonic() < end and (sent < len(blocks) or not job["tls"]):
        line.socket.sendall(blocks[sent] if job["tls"] else block)
        sent += 1
    if job["framed"] and not job["tls"]:
        line.socket.sendall(CLOSE_NORMALLY)
    with contextlib.suppress(OSError):  # a peer that answers the end by a reset has ended too
        line.socket.shutdown(socket.SHUT_WR)
        line.socket.settimeout(5)
        while line.socket.recv(BLOCK):
            pass
    line.close()
    return {"blocks": sent}


def check(job: Job) -> dict[str, object]:
    """Bytes both ways, compared by checksum at one end and by content at the other."""
    size = job["bytes"]
    line = connect(job)
    ready()
    expected = pattern(size)
    line.send_message(order(CHECK, size))
    for start in range(0, size, 70_000):
        line.send_message(expected[start : start + 70_000])
    checksum = int.from_bytes(line.receive_payload(4), "big")
    right = checksum == zlib.crc32(expected) and line.receive_payload(size) == expected
    line.close()
    return {"right": right}


def round_trip(job: Job) -> dict[str, object]:
    """Send 64 bytes and wait for their echo, one at a time; seconds of each."""
    line = connect(job)
    payload = order(ECHO) * 4
    line.send_message(payload)
    line.receive_payload(len(payload))
    ready()
    message = masked_frame(payload) if job["framed"] else payload
    times: list[float] = []
    end = time.monotonic() + job["seconds"]
    now = time.perf_counter()
    while len(times) < job["count"] and time.monotonic() < end:
        line.send(message)
        line.receive_payload(len(payload))
        then, now = now, time.perf_counter()
        times.append(now - then)
    line.close()
    return {"times": times}


def connections(job: Job) -> dict[str, object]:
    """Connect, upgrade, one echo, close: in batches, so that a peer may work on several at once."""
    payload = order(ECHO)
    message = masked_frame(payload) if job["framed"] else payload
    request = upgrade_request(job["port"]) if job["framed"] else b""
    context = tls_context() if job["tls"] else None
    ready()
    done = 0
    begin = time.monotonic()
    while done < job["count"] and time.monotonic() < begin + job["seconds"]:
        batch: list[socket.socket] = []
        try:
            for _ in range(job["batch"]):
                sock = socket.create_connection(("127.0.0.1", job["port"]), timeout=10)
                batch.append(sock)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if context is None:
                    sock.sendall(request or message)
            if context is not None:
                batch = [context.wrap_socket(sock) for sock in batch]
                for sock in batch:
                    sock.sendall(request or message)
            if job["framed"]:
                for sock in batch:
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += received(sock)
                    if not head.startswith(b"HTTP/1.1 101"):
                        raise ConnectionError(f"the upgrade was answered with {head[:80]!r}")
                    sock.sendall(message)
            size = len(payload) + 2 * job["framed"]
            for sock in batch:
                got = 0
                while got < size:
                    got += len(received(sock))
            done += len(batch)
        finally:
            for sock in batch:
                sock.close()
    return {"count": done, "seconds": time.monotonic() - begin}


def received(sock: socket.socket) -> bytes:
    """What comes next; the end is an error here."""
    data = sock.recv(65_536)
    if not data:
        raise ConnectionError("the connection ended early")
    return data


def idle(job: Job) -> dict[str, object]:
    """Hold connections that have passed one echo until the next line comes."""
    lines: list[Line] = []
    payload = order(ECHO)
    try:
        for _ in range(job["count"]):
            line = connect(job)
            lines.append(line)
            line.send_message(payload)
            line.receive_payload(len(payload))
        ready()
    finally:
        for line in lines:
            line.close()
    return {"count": len(lines)}


JOBS = {
    "down": down,
    "up": up,
    "check": check,
    "round_trip": round_trip,
    "connections": connections,
    "idle": idle,
}


def main() -> None:
    """Do jobs until standard input ends; a failure is an answer, not an end."""
    while text := sys.stdin.readline():
        job = json.loads(text)
        try:
            answer(JOBS[job["do"]](job))
        except (OSError, ValueError) as error:
            answer({"failed": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
