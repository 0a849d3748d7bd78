"""Plain HTTP answers on their way to a client: head, body or file, within what it takes, and then the next request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from wsgui.access.visitor import Denied
from wsgui.bridge.ends import STALL_SECONDS, End
from wsgui.bridge.request import Request
from wsgui.web.files import FileServer
from wsgui.web.pages import information_page, refusal, refusal_page
from wsgui.web.response import OpenFile, Response

FILE_PIECE: Final = 256 * 1024

Shape = Callable[[Response], Response]


class Stalled(Exception):  # noqa: N818  # what the client has done
    """The client took nothing of its answer for STALL_SECONDS."""


_BODILESS: Final = (204, 304)
"""RFC 9110, section 6.4.1; a plugin may choose them."""


def serialize(response: Response, *, keep_alive: bool = False) -> bytes:
    """Return the head of an HTTP answer and its body, if it has one of its own.

    Args:
        keep_alive: Whether another request may follow (RFC 9112, section 9.3); else the connection is closed after it.
    """
    lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
    for name, value in response.headers:
        if "\r" in value or "\n" in value:
            raise ValueError("line break in a header field")
        lines.append(f"{name}: {value}")
    if response.header("Date") is None:  # a plugin may have said it
        lines.append(f"Date: {formatdate(usegmt=True)}")  # RFC 9110, 6.6.1
    lines.append("\r\n" if keep_alive else "Connection: close\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1") + response.body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a plugin's own
        return "Refused"


def denial(denied: Denied) -> Response:
    """Return the answer to a client that is not let in."""
    if denied.status in _BODILESS:
        return Response(denied.status, denied.headers)
    return refusal(denied.status, denied.message, denied.hint, headers=denied.headers)


def shaped_for(request: Request) -> Shape:
    """Return what makes of an answer the one that this client takes: bare for HEAD, a browser's refusal as a page."""
    if request.method == "HEAD":
        return Response.without_body
    return refusal_page if request.wants_page else unchanged


def unchanged(response: Response) -> Response:
    """Return an answer as it is: nothing is known of who takes it."""
    return response


async def respond(
    loop: asyncio.AbstractEventLoop, files: FileServer | None, request: Request, *, page: bool, secure: bool
) -> Response:
    """Return the answer to a plain request: a file beneath the web root, or the page that says what this is.

    Args:
        files: The web root; None without one.
        page: Whether there is such a page; else a GET without a web root gets 405.
        secure: Whether the request came over TLS.
    """
    if files is not None:
        fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.fields.items()}
        answering = loop.run_in_executor(None, files.respond, request.method, request.target.decode("latin-1"), fields)
        try:
            return await asyncio.shield(answering)
        except asyncio.CancelledError:
            # The thread goes on, and may have opened a file in the end.
            answering.add_done_callback(_close_unsent)
            raise
    head = request.method == "HEAD"
    if page and request.method in ("GET", "HEAD"):
        return information_page(secure=secure, head=head)
    if page:
        allow = (("Allow", "GET, HEAD"),)
        return refusal(405, "Only GET and HEAD are answered here.", "Use GET, or connect by WebSocket.", headers=allow)
    return refusal(
        405, "Only a WebSocket can be opened here.", "Use a WebSocket client.", headers=(("Allow", "GET"),), head=head
    )


async def send(loop: asyncio.AbstractEventLoop, end: End, response: Response, *, keep_alive: bool) -> None:
    """Send a whole answer, its file included; the file is closed in any case. `end` is closed when it cannot be.

    Raises:
        Stalled: The client took nothing for STALL_SECONDS.
    """
    try:
        await _sent(end, serialize(response, keep_alive=keep_alive))
    except BaseException:
        if response.file is not None:
            response.file.close()
        raise
    if response.file is not None:
        await _stream(loop, end, response.file)


async def _stream(loop: asyncio.AbstractEventLoop, end: End, file: OpenFile) -> None:
    """Send a file, and close it once nobody reads from it any more."""
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


def _close_unsent(answering: asyncio.Future[Response]) -> None:
    if not answering.cancelled() and answering.exception() is None and (file := answering.result().file) is not None:
        file.close()


async def _sent(end: End, data: bytes) -> None:
    """Send `data`, and wait until the kernel has taken all of it or the client is gone; then `end` is closed.

    A client that only says that it will send no more still gets its answer.

    Raises:
        Stalled: The client took nothing for STALL_SECONDS.
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
                raise Stalled
            pending = end.pending
    finally:
        end.pause()
