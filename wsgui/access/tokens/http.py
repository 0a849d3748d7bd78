"""Tokens asked of a web server: GET a URL with the token in it, and be told `host:port` or a JSON object."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import ssl
from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import quote, urlsplit

import httpx

from wsgui.access.threads import Threads
from wsgui.access.tokens import as_websockify
from wsgui.access.tokens.source import MAX_ANSWER_BYTES, MAX_TOKEN_BYTES, LookupFailed, parse_destination
from wsgui.access.visitor import TargetAddress
from wsgui.display import display
from wsgui.errors import WsguiError

AT_ONCE: Final = 64
"""Look-ups at the same time; making a connection for each of 1,000 would hold up the loop for seconds."""
KEPT: Final = 8
"""Connections that are kept for the next look-up."""
KEPT_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 5.0

_PLACE: Final = re.compile(r"%([%s])")
_UNSURE: Final = frozenset({408, 425, 429})
"""Status codes that say nothing about the token, beside 3xx and 5xx."""

# They log whole URLs, and so tokens.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class _Stream(Protocol):
    async def aclose(self) -> None: ...


class HttpTokens:
    """Leads to where a web server says.

    A look-up that fails or is cancelled closes the connection that it used. Connections are pooled here and not by
    httpx, which loses places of its pool, and connections that are being made, when requests are cancelled at certain
    moments: a client is for one look-up at a time, and is either whole after it or thrown away.

    Profiles go to the server directly: proxies that the environment names would see the tokens. websockify's line
    takes them, as websockify does.

    Args:
        url: With ``%s`` where the token goes, percent-encoded with all reserved characters; ``%%`` is a ``%``.
        lenient: As websockify: http:// anywhere, redirects are followed, proxies of the environment are used, any
            answer but 2xx means that there is no such token.

    Raises:
        WsguiError: `url` is no URL with ``%s`` behind its host.
    """

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = MAX_TOKEN_BYTES

    def __init__(self, url: str, *, lenient: bool = False) -> None:
        self._url = url
        self._lenient = lenient
        self._destination = as_websockify.destination if lenient else parse_destination
        self._tls: ssl.SSLContext | None = None
        self._kept: list[httpx.AsyncClient] = []
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._closing: set[asyncio.Task[None]] = set()
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and "%" not in parts.netloc
            behind = url.partition("://")[2].partition("#")[0]
            valid = valid and any(match[1] == "s" for match in _PLACE.finditer(behind))
            self._shown = display(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", limit=128)
            httpx.URL(self._filled("x"))
        except (ValueError, httpx.InvalidURL):
            valid = False
        if not valid:
            raise WsguiError(
                "The source of tokens is not a URL with %s where the token goes.",
                "Write one such as https://host/path?token=%s.",
                field="tokens.source",
            )

    async def open(self) -> None:
        """Load the system's authorities; the server is not asked yet.

        Raises:
            WsguiError: They cannot be loaded.
        """
        try:
            self._tls = await Threads("authorities", 1).run(ssl.create_default_context)
        except (OSError, ssl.SSLError):
            raise WsguiError(
                "The system's certificate authorities cannot be read.", "Install them anew.", field="tokens.source"
            ) from None

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where the server says that `token` leads; None when it does not know it.

        Raises:
            LookupFailed: It could not be asked, or answered with neither an address nor a refusal.
        """
        try:
            size = len(token.encode())
        except UnicodeEncodeError:
            return None
        # Nothing but dots could be a step up in the URL's path, however it is encoded.
        if not token.strip(".") or (size > MAX_TOKEN_BYTES and not self._lenient):
            return None
        try:
            async with self._at_once:
                answer = await self._get(self._filled(token))
        except httpx.HTTPError as error:
            raise LookupFailed(self._explain(error), "Look at the web server that tells where tokens lead.") from None
        except (httpx.InvalidURL, httpx.CookieConflict, ValueError, ImportError):  # also of a proxy in the environment
            raise LookupFailed(f"{self._shown} cannot be asked for this token.") from None
        if answer is None:
            return None
        target = self._target(answer)
        if target is None:
            raise LookupFailed(
                f"{self._shown} answered with something that is no address.",
                'It is to answer with host:port, or with {"host": "office", "port": 5901}.',
            )
        return target

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Say yes: many of these servers know a token once only."""
        return True

    async def close(self) -> None:
        """Close all connections."""
        kept, self._kept = self._kept, []
        for client in kept:
            self._throw_away(client)
        while self._closing:
            await asyncio.wait(self._closing)

    def _filled(self, token: str) -> str:
        encoded = quote(token, safe="")
        return _PLACE.sub(lambda match: encoded if match[1] == "s" else "%", self._url)

    def _client(self) -> httpx.AsyncClient:
        if self._kept:
            return self._kept.pop()
        assert self._tls is not None, "it is open"
        # No cookie of one look-up may go with the next.
        jar = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        return httpx.AsyncClient(
            verify=self._tls,
            cookies=jar,
            trust_env=self._lenient,
            follow_redirects=self._lenient,
            http2=False,
            timeout=httpx.Timeout(None),  # whoever looks up has a deadline
            limits=httpx.Limits(max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS),
            headers={"Accept": "text/plain, application/json", "Accept-Encoding": "identity", "User-Agent": "wsgui"},
        )

    async def _get(self, url: str) -> bytes | None:
        """Return the answer to GET `url`, None when it is a refusal."""
        client = self._client()
        made: list[_Stream] = []
        try:
            answer = await self._exchange(client, url, made)
        except BaseException:
            self._throw_away(client, made)
            raise
        if len(self._kept) < KEPT:
            self._kept.append(client)
        else:
            self._throw_away(client)
        return answer

    async def _exchange(self, client: httpx.AsyncClient, url: str, made: list[_Stream]) -> bytes | None:
        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                made.append(info["return_value"])

        async with client.stream("GET", url, extensions={"trace": trace}) as response:
            status = response.status_code
            refused = not 200 <= status <= 299
            if refused and not self._lenient and (status in _UNSURE or not 400 <= status <= 499):
                moved = 300 <= status <= 399
                raise LookupFailed(
                    f"{self._shown} answered {status}.",
                    "Name the address that it redirects to." if moved else "Look at its log.",
                )
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise LookupFailed(f"{self._shown} answered compressed, which it was asked not to do.")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_ANSWER_BYTES:
                    if refused:
                        break  # its page does not matter
                    raise LookupFailed(f"{self._shown} answered with more than {MAX_ANSWER_BYTES // 1024} KiB.")
            return None if refused else bytes(body)

    def _target(self, body: bytes) -> TargetAddress | None:
        try:
            text = body.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            return None
        if not text.startswith("{"):
            return self._destination(text)
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return None
        host, port = said.get("host"), said.get("port")
        if not isinstance(host, str) or isinstance(port, bool) or not isinstance(port, str | int):
            return None
        bare = host.strip().removeprefix("[").removesuffix("]")
        return self._destination(f"[{bare}]:{port}" if ":" in bare and "//" not in bare else f"{bare}:{port}")

    def _explain(self, error: httpx.HTTPError) -> str:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return f"The certificate of {self._shown} is not trusted: {cause.verify_message}."
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, httpx.ConnectError):
            return f"{self._shown} cannot be reached."
        # Their texts may have the URL in them, and so the token.
        return f"{self._shown} did not answer as a web server does ({type(error).__name__})."

    def _throw_away(self, client: httpx.AsyncClient, made: Sequence[_Stream] = ()) -> None:
        task = asyncio.get_running_loop().create_task(_close(client, made))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _close(client: httpx.AsyncClient, made: Sequence[_Stream]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            for each in (client, *made):
                with contextlib.suppress(OSError, httpx.HTTPError):
                    await each.aclose()
