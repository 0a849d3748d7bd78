"""What the load generators say on the wire: the order for the target, the upgrade, masked frames built beforehand.

Orders are the first 16 bytes of a connection's payload: `ORDER`, one letter, then a number. The target (`target.py`)
obeys them; through haproxy they travel bare, through all others as the payload of one binary message.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct

ORDER = struct.Struct("!7scQ")
MAGIC = b"wsbench"
SEND = b"D"  # target sends without end
COUNT = b"U"  # target counts to the end of the stream and reports
CHECK = b"V"  # target answers with the checksum of N bytes, then sends N bytes of `pattern`
ECHO = b"E"  # target answers with what it gets

CLOSE_NORMALLY = bytes((0x88, 0x82, 0, 0, 0, 0)) + b"\x03\xe8"


def order(letter: bytes, number: int = 0) -> bytes:
    """The 16 bytes that tell the target what to do."""
    return ORDER.pack(MAGIC, letter, number)


def pattern(size: int) -> bytes:
    """`size` bytes that repeat only every 65,521 bytes, a prime: shifted or repeated blocks change a checksum."""
    block = bytes((index * 7 + (index >> 8)) & 0xFF for index in range(65_521))
    return (block * (size // len(block) + 1))[:size]


def masked_frame(payload: bytes) -> bytes:
    """One binary message as a client sends it (RFC 6455, section 5.2), under a random mask."""
    size = len(payload)
    mask = os.urandom(4)
    if size < 126:
        head = bytes((0x82, 0x80 | size))
    elif size < 65_536:
        head = struct.pack("!BBH", 0x82, 0xFE, size)
    else:
        head = struct.pack("!BBQ", 0x82, 0xFF, size)
    key = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + mask + masked.to_bytes(size, "big")


def upload_block(message_bytes: int, *, framed: bool) -> bytes:
    """About 4 MiB of whole messages, to be sent again and again; without frames the same number of payload bytes."""
    count = max(1, (4 << 20) // message_bytes)
    payload = pattern(message_bytes)
    return b"".join(masked_frame(payload) if framed else payload for _ in range(count))


def upgrade_request(port: int) -> bytes:
    """The opening handshake; no Origin, as native clients send none."""
    return (
        f"GET /websockify HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: binary\r\n\r\n"
    ).encode()


def split_frame(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first frame a server sent: opcode, payload, rest of `data`; None while it is incomplete."""
    if len(data) < 2:
        return None
    opcode, size, start = data[0] & 15, data[1] & 127, 2
    if size == 126:
        size, start = int.from_bytes(data[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(data[2:10], "big"), 10
    if len(data) < start or len(data) < start + size:
        return None
    return opcode, data[start : start + size], data[start + size :]


class Line:
    """One blocking client connection: bare TCP or WebSocket, with or without TLS.

    TLS runs over memory BIOs, so that ciphertext can be made before the clock starts, and be counted as it comes
    without being decrypted: otherwise the generator would cost as much as what it measures.
    """

    def __init__(self, port: int, *, framed: bool, tls: bool, deadline_seconds: float = 10.0) -> None:
        self.framed = framed
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=deadline_seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._tls: ssl.SSLObject | None = None
        self._rest = b""  # of frames
        self._payload = bytearray()
        try:
            if tls:
                self._handshake()
            if framed:
                self._upgrade(port)
        except BaseException:
            self.socket.close()
            raise

    def _handshake(self) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls_context().wrap_bio(self._incoming, self._outgoing)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(self._receive_some())
            else:
                self._flush()
                return

    def _upgrade(self, port: int) -> None:
        self.send(upgrade_request(port))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.receive()
        head, _, self._rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"the upgrade was answered with {head[:80]!r}")

    def _flush(self) -> None:
        self.socket.sendall(self._outgoing.read())

    def _receive_some(self) -> bytes:
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the connection ended early")
        return data

    def encrypt(self, data: bytes) -> bytes:
        """What has to be sent on the socket for `data`: itself without TLS, else the next records."""
        if self._tls is None:
            return data
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]
        return self._outgoing.read()

    def send(self, data: bytes) -> None:
        """Send payload bytes as they are (not framed), encrypted when TLS is spoken."""
        self.socket.sendall(self.encrypt(data))

    def send_message(self, payload: bytes) -> None:
        """Send one message: a masked frame, or bare bytes."""
        self.send(masked_frame(payload) if self.framed else payload)

    def receive(self) -> bytes:
        """At least one byte as it comes, decrypted."""
        if self._tls is None:
            return self._receive_some()
        while True:
            try:
                data = self._tls.read(262_144)
            except ssl.SSLWantReadError:
                self._incoming.write(self._receive_some())
            else:
                if not data:
                    raise ConnectionError("the connection ended early")
                return data

    def receive_payload(self, size: int) -> bytes:
        """Exactly `size` bytes of payload, whatever frames they come in."""
        while len(self._payload) < size:
            if not self.framed:
                self._payload += self.receive()
                continue
            frame = split_frame(self._rest)
            while frame is None:
                self._rest += self.receive()
                frame = split_frame(self._rest)
            opcode, data, self._rest = frame
            if opcode == 8:
                raise ConnectionError(f"closed with code {int.from_bytes(data[:2], 'big')}")
            if opcode in (0, 1, 2):
                self._payload += data
        taken = bytes(self._payload[:size])
        del self._payload[:size]
        return taken

    def close(self) -> None:
        """End the connection at once."""
        self.socket.close()


def tls_context() -> ssl.SSLContext:
    """A client context that asks for no proof: certificates are not what is measured."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
