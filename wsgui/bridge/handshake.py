"""From an accepted socket to its answer: TLS or not, one request head, then a file, a refusal, or the upgrade."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

import aiofastnet

from wsgui.access.origins import check
from wsgui.bridge.buffer import START
from wsgui.bridge.ends import STALL_SECONDS, End, SocketEnd
from wsgui.bridge.request import BadRequest, Request, RequestParser, upgrade_response
from wsgui.bridge.transport_end import INCOMING_BIO_BYTES, TransportEnd
from wsgui.display import display
from wsgui.web.pages import information_page, refusal
from wsgui.web.response import OpenFile, Response

if TYPE_CHECKING:
    from wsgui.bridge.bridge import Bridge

Rule = Literal["origin", "host", "limit", "request", "tls", "path"]

FOREVER_SECONDS: Final = 365 * 86400.0
"""What a transport is told as its deadline: the bridge's clock keeps the profile's, and None would be its own."""
FILE_PIECE: Final = 256 * 1024

_TLS_FIRST_BYTES: Final = (b"\x16", b"\x80")
"""A TLS record of type handshake (RFC 8446, section 5.1); an SSLv2 hello, which the handshake then refuses."""
_HANDSHAKE_FAILURE: Final = bytes((0x15, 3, 1, 0, 2, 2, 40))
"""A TLS alert, fatal, handshake_failure (RFC 8446, section 6)."""


def serialize(response: Response) -> bytes:
    """Return the head of an HTTP answer and its body, if it has one of its own; the connection is closed after it."""
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    for name, value in response.headers:
        if "\r" in value or "\n" in value:
            raise ValueError("line break in a header field")
        lines.append(f"{name}: {value}")
    lines.append("Connection: close\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1") + response.body


class Handshake:
    """One client before it is let in.

    Args:
        bridge: Whose rules hold.
        sock: As accepted, non-blocking; owned by this object until it is handed on.
        limit_key: What its address counts as, see `limits.address_key`.
        client_name: For people.
    """

    __slots__ = (
        "_bridge",
        "_end",
        "_head_only",
        "_parser",
        "_sock",
        "_task",
        "client_name",
        "deadline",
        "limit_key",
        "secure",
    )

    def __init__(self, bridge: Bridge, sock: socket.socket, limit_key: str, client_name: str) -> None:
        self._bridge = bridge
        self._sock: socket.socket | None = sock
        self._end: End | None = None
        self._parser: RequestParser | None = None
        self._task: asyncio.Task[None] | None = None
        self._head_only = False
        self.limit_key = limit_key
        self.client_name = client_name
        self.secure = False
        self.deadline = time.monotonic() + bridge.settings.limits.handshake_seconds

    def begin(self) -> None:
        """Look at what the client says first; it may all be there already."""
        assert self._sock is not None
        if self._bridge.settings.tls is None:
            self._plain(self._sock)
        else:
            self._sniff()

    # TLS or plain

    def _sniff(self) -> None:
        sock = self._sock
        assert sock is not None
        try:
            first = sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            self._bridge.loop.add_reader(sock.fileno(), self._first_byte)
            return
        except OSError:
            first = b""
        if not first:
            self.close()
        elif first in _TLS_FIRST_BYTES:
            self._sock = None
            self._task = self._bridge.loop.create_task(self._adopt(sock))
        else:
            self._plain(sock)

    def _first_byte(self) -> None:
        assert self._sock is not None
        self._bridge.loop.remove_reader(self._sock.fileno())
        self._sniff()

    def _plain(self, sock: socket.socket) -> None:
        self._sock = None
        end = SocketEnd(self._bridge.loop, sock, self._bridge.buffer)
        self._listen_to(end)
        end.read_now()
        if self._parser is not None:
            end.resume()

    async def _adopt(self, sock: socket.socket) -> None:
        bridge = self._bridge
        self.secure = True
        try:
            await aiofastnet.connect_accepted_socket(
                bridge.loop,
                lambda: TransportEnd(bridge.loop, self._made, bridge.buffer),
                sock,
                ssl=bridge.settings.tls,
                ssl_handshake_timeout=FOREVER_SECONDS,
                ssl_shutdown_timeout=STALL_SECONDS,  # flushing included; who does not answer is closed by our clock
                ssl_incoming_bio_size=INCOMING_BIO_BYTES,
            )
        except Exception as error:  # noqa: BLE001 - whatever the library raises, this client is over
            sock.close()
            bridge.refused(self, "", 0, *_tls_problem(error), "tls")
            self.close()
        except asyncio.CancelledError:
            sock.close()
            raise

    def _made(self, end: TransportEnd) -> None:
        if self._task is None:
            # Given up meanwhile: a transport that lives on would keep the number of a socket that is closed below it.
            end.close()
            return
        self._task = None
        self._listen_to(end)
        end.resume()

    def _listen_to(self, end: End) -> None:
        self._end = end
        self._parser = RequestParser()
        end.on_data = self._received
        end.on_end = self._gone

    # The request

    def _received(self, stop: int) -> None:
        parser, end = self._parser, self._end
        if parser is None or end is None:
            return
        data = bytes(self._bridge.buffer.view[START:stop])
        if not parser.begun and not self.secure and data[:1] in _TLS_FIRST_BYTES:
            self._refuse_tls(end)
            return
        try:
            complete = parser.feed(data)
            if complete is not None:
                self._decide(end, *complete)
        except BadRequest as bad:
            self._answer(refusal(bad.status, bad.message, bad.hint, headers=bad.headers))
            self._bridge.refused(self, "", bad.status, bad.message, bad.hint, "request")

    def _decide(self, end: End, request: Request, early: bytes) -> None:
        bridge = self._bridge
        settings = bridge.settings
        self._head_only = request.method == "HEAD"
        upgrade = request.wants_websocket
        response = upgrade_response(request) if upgrade else b""
        host = request.text(b"host")
        if host is None:
            raise BadRequest(400, "The request has no Host field.", "Use a client that speaks HTTP/1.1.")
        origin = request.text(b"origin") if upgrade else None
        denied = check(settings.rules, host, origin, secure=self.secure)
        if denied is not None:
            self._refuse(403, denied.message, denied.hint, denied.rule, origin or "")
        elif settings.tls_only and not self.secure:
            self._insist_on_tls(request, host, upgrade=upgrade)
        elif (full := bridge.full(self.limit_key)) is not None:
            self._refuse(*full, "limit", origin or "")
        elif upgrade:
            self._parser = None
            bridge.upgraded(self, end, response, display(origin or ""), early)
        else:
            self._parser = None
            end.pause()
            bridge.answering(self, self._serve(end, request))

    def _insist_on_tls(self, request: Request, host: str, *, upgrade: bool) -> None:
        if upgrade or request.method not in ("GET", "HEAD"):
            self._refuse(403, "This tunnel takes encrypted connections only.", "Use wss:// instead of ws://.", "tls")
            return
        path = request.target.decode("latin-1")
        location = f"https://{host}{path}" if path.startswith("/") else f"https://{host}/"
        self._answer(Response(308, (("Location", location), ("Content-Length", "0"))))
        self._bridge.handshake_over(self)

    async def _serve(self, end: End, request: Request) -> None:
        """Answer a plain request: a file beneath the web root, or the page that says what this is."""
        try:
            response = await self._respond(request)
            try:
                await _sent(end, serialize(response))
            except BaseException:
                if response.file is not None:
                    response.file.close()
                raise
            if response.file is not None:
                await self._stream(end, response.file)
        except TimeoutError:
            end.close()
        except BaseException:
            end.close()
            raise
        self._bridge.sent_away(self, end)

    async def _respond(self, request: Request) -> Response:
        files = self._bridge.settings.files
        if files is not None:
            fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.fields.items()}
            answering = self._bridge.loop.run_in_executor(
                None, files.respond, request.method, request.target.decode("latin-1"), fields
            )
            try:
                return await asyncio.shield(answering)
            except asyncio.CancelledError:
                # The thread goes on, and may have opened a file in the end.
                answering.add_done_callback(_close_unsent)
                raise
        if request.method in ("GET", "HEAD"):
            return information_page(head=self._head_only)
        return refusal(405, "Only GET and HEAD are answered here.", headers=(("Allow", "GET, HEAD"),))

    async def _stream(self, end: End, file: OpenFile) -> None:
        """Send a file, and close it once nobody reads from it any more."""
        loop = self._bridge.loop
        left = file.size
        reading: asyncio.Future[bytes] | None = None
        try:
            while left and not end.closed:
                reading = loop.run_in_executor(None, os.read, file.fd, min(left, FILE_PIECE))
                piece = await asyncio.shield(reading)
                if not piece:
                    end.close()  # it has shrunk: the length announced cannot be kept
                    return
                left -= len(piece)
                await _sent(end, piece)
        finally:
            if reading is None or reading.done():
                file.close()
            else:
                # A thread reads from it: its number may not be given to another connection meanwhile.
                reading.add_done_callback(lambda _: file.close())

    # Endings

    def _refuse(self, status: int, message: str, hint: str, rule: Rule, origin: str = "") -> None:
        self._answer(refusal(status, message, hint))
        self._bridge.refused(self, display(origin), status, message, hint, rule)

    def _refuse_tls(self, end: End) -> None:
        self._parser = None
        end.send(_HANDSHAKE_FAILURE)
        self._bridge.sent_away(self, end)
        message = "A client spoke TLS, but this tunnel has no certificate."
        self._bridge.refused(self, "", 0, message, "Use ws:// or http://, or give the tunnel a certificate.", "tls")

    def _answer(self, response: Response) -> None:
        self._parser = None
        if self._end is not None:
            self._end.send(serialize(response.without_body() if self._head_only else response))
            self._bridge.sent_away(self, self._end)

    def expire(self) -> None:
        """The deadline has passed: answer 408 where the client can understand that, and close."""
        if self._parser is not None and self._end is not None:
            seconds = self._bridge.settings.limits.handshake_seconds
            message = f"The request was not complete within {seconds:g} s."
            hint = "Send it at once, or raise [limits] handshake_seconds."
            self._answer(refusal(408, message, hint))
            self._bridge.refused(self, "", 408, message, hint, "limit")
        else:
            if self._task is not None:
                self._bridge.refused(self, "", 0, *_tls_problem(TimeoutError()), "tls")
            self.close()

    def _gone(self, _: OSError | None) -> None:
        self.close()

    def close(self) -> None:
        """Give up on the client without an answer."""
        self._parser = None
        if self._task is not None:
            if self._task is not asyncio.current_task(self._bridge.loop):
                self._task.cancel()
            self._task = None
        if self._sock is not None:
            self._bridge.loop.remove_reader(self._sock.fileno())
            self._sock.close()
            self._sock = None
        if self._end is not None:
            self._end.close()
        self._bridge.handshake_over(self)


def _close_unsent(answering: asyncio.Future[Response]) -> None:
    if not answering.cancelled() and answering.exception() is None and (file := answering.result().file) is not None:
        file.close()


async def _sent(end: End, data: bytes) -> None:
    """Send `data`, and wait until the kernel has taken all of it or the client is gone; then `end` is closed.

    A client that only says that it will send no more still gets its answer.

    Raises:
        TimeoutError: The client took nothing for STALL_SECONDS.
    """
    if end.send(data) or end.closed:
        return
    loop = asyncio.get_running_loop()
    drained: asyncio.Future[None] = loop.create_future()

    def over() -> None:
        if not drained.done():
            drained.set_result(None)

    def ended(error: OSError | None) -> None:
        if error is not None or not end.pending:  # nothing pending: what was sent was not taken at all
            end.close()
        if end.closed:
            over()

    end.on_drained = over
    end.on_end = ended
    end.resume()
    pending = end.pending
    try:
        while not drained.done() and not end.closed:
            await asyncio.wait((drained,), timeout=STALL_SECONDS)
            if not drained.done() and end.pending >= pending:
                raise TimeoutError
            pending = end.pending
    finally:
        end.pause()


def _tls_problem(error: BaseException) -> tuple[str, str]:
    """Say why a TLS handshake failed, as far as the client told."""
    if isinstance(error, TimeoutError):
        return "A client did not complete TLS in time.", "Check the client's network."
    if isinstance(error, ssl.SSLError):
        reason = (getattr(error, "reason", None) or "").lower()  # aiofastnet's own have none
        if "unknown_ca" in reason or "certificate_unknown" in reason or "bad_certificate" in reason:
            return "A client does not trust the tunnel's certificate.", "Let its computer trust the authority."
        if "http_request" in reason:
            return "A client spoke something else than TLS.", "Use a browser or a WebSocket client."
        if "version" in reason or "protocol" in reason:
            return "A client offered no TLS version that is allowed here.", "Use a newer client."
        words = reason.replace("_", " ") or "unknown reason"
        return f"TLS with a client failed: {display(words)}.", "Check the client."
    return "A client broke off during TLS.", "If it is a browser, it may not trust the certificate."
