"""Token classes for plugins to derive from, with the interface that websockify documents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from wsgui.access.visitor import TargetAddress
from wsgui.profiles.addresses import DemoAddress, UnixAddress

Target = Sequence[Any]
"""`[host, port]`, or `["unix_socket", path]`."""


class BasePlugin:
    """Knows no token.

    Args:
        src: What `--token-source` says.
    """

    def __init__(self, src: Any = None) -> None:
        self.source = src

    def lookup(self, token: str) -> Target | None:
        """Return where the token leads, None when it is unknown."""
        return None


class _OwnSource(BasePlugin):
    """Asks the source of that name which the tunnels have too; each look-up reads it anew."""

    _name = ""

    def lookup(self, token: str) -> Target | None:
        return asyncio.run(self._ask(token))

    async def _ask(self, token: str) -> Target | None:
        from wsgui.access.tokens.factory import websockify_source

        source = websockify_source(self._name, self.source)
        await source.open()
        try:
            return _listed(await source.look_up(token))
        finally:
            await source.close()


class ReadOnlyTokenFile(_OwnSource):
    """A file, or a folder of files, with lines `token: host:port`."""

    _name = "ReadOnlyTokenFile"


class TokenFile(ReadOnlyTokenFile):
    """The same."""

    _name = "TokenFile"


class TokenFileName(_OwnSource):
    """A folder in which the file named as the token holds `host:port`."""

    _name = "TokenFileName"


class BaseTokenAPI(BasePlugin):
    """A URL with `%s` where the token goes, that answers `host:port`."""

    def process_result(self, resp: Any) -> Target:
        """Return where an answer leads: `resp.text`, `resp.json()`, `resp.status_code`, `resp.headers`."""
        host, _, port = resp.text.strip().rpartition(":")
        return [host, port]

    def lookup(self, token: str) -> Target | None:
        import httpx

        answer = httpx.get(self.source.replace("%s", quote(token, safe="")), timeout=10.0, follow_redirects=True)
        return self.process_result(answer) if answer.is_success else None


class JSONTokenApi(BaseTokenAPI):
    """A URL with `%s` where the token goes, that answers JSON with `host` and `port`."""

    def process_result(self, resp: Any) -> Target:
        answer = resp.json()
        return [answer["host"], answer["port"]]


class JWTTokenApi(_OwnSource):
    """A file with the key of tokens that name their host and port themselves."""

    _name = "JWTTokenApi"


class TokenRedis(_OwnSource):
    """A Redis server, as `host[:port[:db[:password[:namespace]]]]`."""

    _name = "TokenRedis"


class UnixDomainSocketDirectory(_OwnSource):
    """A folder of unix sockets named as the tokens."""

    _name = "UnixDomainSocketDirectory"


def _listed(target: TargetAddress | None) -> Target | None:
    if target is None or isinstance(target, DemoAddress):
        return None
    if isinstance(target, UnixAddress):
        return ["unix_socket", target.path]
    return [target.host, str(target.port)]
