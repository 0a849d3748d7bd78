"""From an accepted socket to its answer: TLS or not, a request, who may come in; a file, a refusal, the upgrade."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from typing import TYPE_CHECKING, Final

from wsgui.access.origins import check
from wsgui.access.visitor import Denied, Permit, Visitor
from wsgui.bridge import answers
from wsgui.bridge.arrival import TLS_FIRST_BYTES, Arrival
from wsgui.bridge.buffer import START
from wsgui.bridge.ends import End, SocketEnd, nothing
from wsgui.bridge.request import BadRequest, Request, RequestParser, upgrade_response
from wsgui.bridge.settings import Rule, Settings
from wsgui.bridge.tls_problem import tls_problem
from wsgui.bridge.transport_end import TransportEnd
from wsgui.bridge.visiting import visitor_of
from wsgui.display import display
from wsgui.web.pages import refusal
from wsgui.web.response import Response

if TYPE_CHECKING:
    from wsgui.access.admission import Admission
    from wsgui.bridge.bridge import Bridge

KEEP_ALIVE_SECONDS: Final = 30.0
"""How long a connection that was answered stays open for another request."""
EARLY_BYTES: Final = 64 * 1024
"""As much is read while it is decided who may come in, so that it is heard when a client goes."""

_HANDSHAKE_FAILURE: Final = bytes((0x15, 3, 1, 0, 2, 2, 40))
"""A TLS alert, fatal, handshake_failure (RFC 8446, section 6)."""
_OWN_FAULT: Final = ("wsgui itself has failed.", "Look into the tunnel's log.")


class Handshake:
    """One client before it is let in.

    Args:
        bridge: Whose rules hold.
        host: Its address without a port; empty for a unix peer.
        limit_key: What its address counts as, see `limits.address_key`.
        client_name: For people.
        number: Which of the tunnel's accepted connections it is, from 1.
    """

    __slots__ = (
        "_answered",
        "_arrival",
        "_bridge",
        "_contexts",
        "_early",
        "_end",
        "_followed",
        "_host",
        "_parser",
        "_shaped",
        "_task",
        "client_name",
        "deadline",
        "limit_key",
        "number",
        "secure",
    )

    def __init__(self, bridge: Bridge, host: str, limit_key: str, client_name: str, number: int) -> None:
        self._bridge = bridge
        self._contexts = bridge.settings.tls
        self._host = host
        self._answered = False
        self._early = b""
        self._followed = False
        self._arrival: Arrival | None = None
        self._end: End | None = None
        self._parser: RequestParser | None = None
        self._task: asyncio.Task[None] | None = None
        self._shaped: answers.Shape = answers.unchanged
        self.limit_key = limit_key
        self.client_name = client_name
        self.number = number
        self.secure = False
        self.deadline = self._request_deadline()

    def begin(self, sock: socket.socket) -> None:
        """Look at what the client says first; it may all be there already.

        Args:
            sock: As accepted, non-blocking; owned by this object until it is handed on.
        """
        if self._contexts is None:
            self._plain(sock)
        else:
            self._arrival = Arrival(
                self._bridge.loop,
                self._bridge.buffer,
                sock,
                self._contexts,
                plain=self._plain,
                secure=self._encrypted,
                failed=self._not_encrypted,
            )
            self._arrival.begin()

    def _request_deadline(self) -> float:
        seconds = self._bridge.settings.limits.handshake_seconds
        return time.monotonic() + seconds if seconds else math.inf

    # TLS or plain

    def _plain(self, sock: socket.socket) -> None:
        self._arrival = None
        end = SocketEnd(self._bridge.loop, sock, self._bridge.buffer)
        self._listen_to(end)
        end.read_now()
        if self._parser is not None:
            end.resume()

    def _encrypted(self, end: TransportEnd) -> None:
        self._arrival = None
        self.secure = True
        self._listen_to(end)
        end.resume()

    def _not_encrypted(self, error: BaseException | None) -> None:
        if error is not None:
            self._bridge.refused(self, "", 0, *tls_problem(error), "tls")
        self.close()

    def _listen_to(self, end: End) -> None:
        self._end = end
        self._parser = RequestParser(self._bridge.settings.head_bytes)
        end.on_data = self._received
        end.on_end = self._gone

    # The request

    def _received(self, stop: int) -> None:
        parser, end = self._parser, self._end
        data = bytes(self._bridge.buffer.view[START:stop])
        if parser is None or end is None:
            self._followed = True
            if self._task is not None:
                self._early += data
                if end is not None and len(self._early) > EARLY_BYTES:
                    end.pause()
            return
        if self._answered and not parser.begun:
            self.deadline = self._request_deadline()
        if not parser.begun and not self.secure and data[:1] in TLS_FIRST_BYTES:
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
        self._shaped = answers.shaped_for(request)
        upgrade = request.wants_websocket
        response = upgrade_response(request) if upgrade else b""
        host = request.text(b"host")
        origin = request.text(b"origin") if upgrade else None
        if bridge.offer is not None and not upgrade and bridge.offer.concerns(request):
            # Before all rules: who has no certificate to trust yet comes without TLS, and its path is its password.
            self._answer(bridge.offer.answer(request, self._host, settings.page_rules))
            bridge.handshake_over(self)
            return
        denied = None
        rules = settings.rules if upgrade else settings.page_rules
        if rules is not None:
            if host is None:
                raise BadRequest(400, "The request has no Host field.", "Use a client that speaks HTTP/1.1.")
            denied = check(rules, host, origin, secure=self.secure)
        if denied is not None:
            self._refuse(403, denied.message, denied.hint, denied.rule, origin or "")
        elif settings.tls_only and not self.secure:
            self._insist_on_tls(request, host, upgrade=upgrade)
        elif self.secure and self._contexts is not settings.tls:
            # What its TLS has verified was asked for by settings that no longer hold: it has to come anew.
            self._refuse(421, "The tunnel's certificate settings have changed.", "Connect again.", "tls")
        elif (full := bridge.full(self.limit_key, upgrade=upgrade)) is not None:
            self._refuse(*full, "limit", origin or "")
        elif not upgrade:
            self._parser = None
            end.pause()
            self._followed = False
            bridge.answering(self, self._serve(end, request, settings))
        elif settings.admission is None:
            self._parser = None
            bridge.upgraded(self, end, response, display(origin or ""), early)
        else:
            self._parser = None
            self._early = early
            self.deadline = math.inf  # whoever decides has deadlines of its own
            (end.pause if len(early) > EARLY_BYTES else end.resume)()
            decision = self._admit(end, request, response, display(origin or ""), settings, settings.admission)
            self._task = bridge.permissions.spawn(decision)

    async def _admit(
        self, end: End, request: Request, response: bytes, origin: str, settings: Settings, admission: Admission
    ) -> None:
        """Ask who may come in, and where they may go; then open the WebSocket."""
        bridge = self._bridge
        permit: Permit | None = None
        try:
            if bridge.settings is settings:  # else the admission may be closed already
                with bridge.permissions.in_use(admission):
                    permit = await admission.admit(self._visitor(request))
        except Denied as denied:
            self._task = None
            self._deny(denied, origin)
            return
        except asyncio.CancelledError:
            self.close()
            raise
        except Exception:
            self._task = None
            self._refuse(500, *_OWN_FAULT, "plugin", origin)
            raise
        self._task = None
        early, self._early = self._early, b""
        if end.closed:
            bridge.handshake_over(self)
        elif permit is None or bridge.settings is not settings:
            self._decide(end, request, early)  # what it was let in by does not count any more
        elif (full := bridge.full(self.limit_key)) is not None:
            self._refuse(*full, "limit", origin)
        else:
            bridge.upgraded(self, end, response, origin, early, permit)

    def _visitor(self, request: Request) -> Visitor:
        return visitor_of(request, self._end, self._host, secure=self.secure)

    def _insist_on_tls(self, request: Request, host: str | None, *, upgrade: bool) -> None:
        sent_on = self._bridge.settings.sends_to_tls and request.method in ("GET", "HEAD")
        if upgrade or not host or not sent_on:
            self._refuse(403, "This tunnel takes encrypted connections only.", "Use wss:// instead of ws://.", "tls")
            return
        path = request.target.decode("latin-1")
        location = f"https://{host}{path}" if path.startswith("/") else f"https://{host}/"
        self._answer(Response(308, (("Location", location), ("Content-Length", "0"))))
        self._bridge.handshake_over(self)

    async def _serve(self, end: End, request: Request, settings: Settings) -> None:
        """Answer a plain request, and wait for the next one where that may be."""
        bridge = self._bridge
        if bridge.settings is not settings:  # they have changed before it began: as if it had come later
            bridge.waits_again(self)
            self._decide(end, request, b"")
            return
        try:
            response = await self._response(request, settings)
            keep_alive = request.may_be_followed and bridge.listener is not None
            await answers.send(bridge.loop, end, response, keep_alive=keep_alive)
        except answers.Stalled:
            end.close()
        except BaseException:
            end.close()
            raise
        else:
            bridge.answered(self, request, response.status)
        if keep_alive and not end.closed and not self._followed:
            self._again(end)
        else:
            bridge.sent_away(self, end)

    async def _response(self, request: Request, settings: Settings) -> Response:
        bridge, admission = self._bridge, settings.admission
        try:
            if admission is not None:
                with bridge.permissions.in_use(admission):
                    await admission.admit_to_files(self._visitor(request))
            bridge.decided()
            response = await answers.respond(
                bridge.loop, settings.files, request, page=settings.has_page, secure=self.secure
            )
        except Denied as denied:
            bridge.decided()
            bridge.denied(self, denied)
            response = answers.denial(denied)
        except Exception as error:  # noqa: BLE001 - told to the loop, and to the client that it is not its fault
            bridge.loop.call_exception_handler({"message": "answering a request failed", "exception": error})
            response = refusal(500, *_OWN_FAULT)
        return self._shaped(response)

    def _again(self, end: End) -> None:
        """Wait for another request on this connection."""
        self._answered = True
        self._shaped = answers.unchanged
        self.deadline = time.monotonic() + KEEP_ALIVE_SECONDS
        self._bridge.waits_again(self)
        self._listen_to(end)
        end.on_drained = nothing
        end.resume()

    @property
    def is_idle(self) -> bool:
        """Whether it was answered, and has not begun to ask for more."""
        return self._answered and self._parser is not None and not self._parser.begun

    # Endings

    def _refuse(self, status: int, message: str, hint: str, rule: Rule, origin: str = "") -> None:
        self._answer(refusal(status, message, hint))
        self._bridge.refused(self, display(origin), status, message, hint, rule)

    def _deny(self, denied: Denied, origin: str) -> None:
        self._answer(answers.denial(denied))
        self._bridge.handshake_over(self)
        self._bridge.denied(self, denied, origin)

    def _refuse_tls(self, end: End) -> None:
        self._parser = None
        end.send(_HANDSHAKE_FAILURE)
        self._bridge.sent_away(self, end)
        message = "A client spoke TLS, but this tunnel has no certificate."
        self._bridge.refused(self, "", 0, message, "Use ws:// or http://, or give the tunnel a certificate.", "tls")

    def _answer(self, response: Response) -> None:
        self._parser = None
        if self._end is not None:
            self._end.send(answers.serialize(self._shaped(response)))
            self._bridge.sent_away(self, self._end)

    def expire(self) -> None:
        """The deadline has passed: answer 408 where the client can understand that, and close."""
        if self.is_idle:
            self.close()  # it only might have asked for more
        elif self._parser is not None and self._end is not None:
            seconds = self._bridge.settings.limits.handshake_seconds
            message = f"The request was not complete within {seconds:g} s."
            hint = "Send it at once, or raise [limits] handshake_seconds."
            self._answer(refusal(408, message, hint))
            self._bridge.refused(self, "", 408, message, hint, "limit")
        else:
            if self._arrival is not None and self._arrival.is_encrypting:
                self._bridge.refused(self, "", 0, *tls_problem(TimeoutError()), "tls")
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
        if self._arrival is not None:
            self._arrival.close()
            self._arrival = None
        if self._end is not None:
            self._end.close()
        self._bridge.handshake_over(self)
