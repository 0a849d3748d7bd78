"""A bridge by itself, with clients of any address: only what the kernel would say of them is made up."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.support.raw import RawClient
from wsgui.access.origins import OriginRules
from wsgui.bridge.bridge import Bridge
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.listener import Listener, open_listeners
from wsgui.bridge.relay import Relay
from wsgui.bridge.settings import Settings
from wsgui.bridge.targets import Connector, Target
from wsgui.certificates.port import PortContexts, Shown
from wsgui.errors import TargetError
from wsgui.profiles.addresses import DemoAddress, TcpAddress
from wsgui.profiles.model import Limits

DEMO = DemoAddress()


@dataclass(frozen=True)
class Refused:
    client: str
    status: int
    message: str
    hint: str
    rule: str


class Watcher:
    """Keeps what a bridge tells of its clients."""

    def __init__(self) -> None:
        self.begun: list[Relay] = []
        self.over: list[Relay] = []
        self.refusals: list[Refused] = []
        self.problems: list[TargetError | None] = []
        self.answers: list[tuple[str, str, int]] = []

    def opened(self, relay: Relay) -> None:
        self.begun.append(relay)

    def closed(self, relay: Relay) -> None:
        self.over.append(relay)

    def refused(self, client: str, origin: str, status: int, message: str, hint: str, rule: str) -> None:
        self.refusals.append(Refused(client, status, message, hint, rule))

    def target_problem(self, problem: TargetError | None) -> None:
        self.problems.append(problem)

    def answered(self, client: str, method: str, path: str, status: int) -> None:
        self.answers.append((method, path, status))

    def starved(self) -> None: ...


class Standing:
    """A bridge that listens; clients are put to its door all the same, as they may come from anywhere."""

    def __init__(self, bridge: Bridge, told: Watcher) -> None:
        self.bridge = bridge
        self.told = told
        self._stack = contextlib.AsyncExitStack()
        self._count = 0

    async def client(self, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> RawClient:
        """Let somebody come from `host`, encrypted with `tls`; no request is sent yet."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self._count += 1
        self.bridge.accepted(theirs, host, f"client {self._count}")
        reader, writer = await asyncio.open_connection(
            sock=ours, ssl=tls, server_hostname="localhost" if tls is not None else None
        )
        return await self._stack.enter_async_context(RawClient(reader, writer, "127.0.0.1"))

    async def upgraded(self, host: str = "127.0.0.1") -> RawClient:
        """Let somebody from `host` open a WebSocket."""
        client = await self.client(host)
        await client.upgrade()
        return client

    async def answer(self, host: str) -> tuple[int, str]:
        """Let somebody from `host` ask for a WebSocket; status and body of the answer."""
        client = await self.client(host)
        client.send(client.head())
        answer = await client.answer()
        return answer.status, "" if answer.status == 101 else (await client.eof()).decode()

    async def leave(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def standing(
    *,
    target: Target = DEMO,
    origins: tuple[str, ...] = ("same-host",),
    also: Mapping[str, Any] | None = None,
    **limits: Any,
) -> AsyncIterator[Standing]:
    """A bridge with these `[limits]`; with no limits but the ones given, and no deadlines.

    Args:
        also: Further fields of its settings.
    """
    none = dict.fromkeys(Limits.model_fields, 0)
    loop, buffer, told = asyncio.get_running_loop(), ReadBuffer(), Watcher()
    settings = Settings(
        connector=Connector(loop, target, buffer, 0),
        rules=OriginRules(origins),
        page_rules=OriginRules(origins),
        limits=Limits.model_validate(none | limits),
        files=None,
        tls=None,
        tls_only=False,
    )
    more = dict(also or {})
    if isinstance(more.get("tls"), ssl.SSLContext):
        more["tls"] = PortContexts([Shown(more["tls"])])
    bridge = Bridge(loop, buffer, replace(settings, **more), told)
    address = TcpAddress("127.0.0.1", 0)
    sockets = await open_listeners(loop, address)
    bridge.listen(Listener(loop, address, sockets, bridge.accepted, told.starved))
    door = Standing(bridge, told)
    try:
        yield door
    finally:
        await door.leave()
        await bridge.close("The test is over")
