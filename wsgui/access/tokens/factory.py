"""Makes the source of tokens that a profile, or websockify's command line, names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final

from wsgui.access.tokens.as_websockify import AsWebsockify
from wsgui.access.tokens.file_per_token import FilePerToken
from wsgui.access.tokens.files import TokenFiles
from wsgui.access.tokens.inline import InlineFirst, InlineTargets
from wsgui.access.tokens.redis_settings import RedisSettings
from wsgui.access.tokens.sockets import SocketFolder
from wsgui.access.tokens.source import TokenSource
from wsgui.display import display
from wsgui.errors import UsageError
from wsgui.profiles.access import Tokens, TokenTarget
from wsgui.profiles.formats import is_import_path
from wsgui.profiles.token_sources import parse_source

THEIR_MODULE: Final = "websockify.token_plugins."


def source_of(tokens: Tokens, targets: Mapping[str, TokenTarget]) -> TokenSource | None:
    """Return the source that a profile names, its own `[targets]` first; None when tokens are not asked for.

    Raises:
        WsguiError: `tokens.source` is none, or a target is one that tokens cannot lead to.
    """
    outside = _outside(tokens) if tokens.source else None
    if not targets:
        return outside
    inline = InlineTargets(targets)
    return inline if outside is None else InlineFirst(inline, outside)


def websockify_source(plugin: str, source: str | None) -> TokenSource:
    """Return what `--token-plugin` and `--token-source` name.

    Raises:
        UsageError: There is no such plugin, or it needs a source.
        WsguiError: The source is not what the plugin takes.
    """
    name = plugin.removeprefix(THEIR_MODULE)
    make = _PLUGINS.get(name)
    if make is not None:
        if not source:
            raise UsageError(f"--token-plugin {name} needs --token-source.", "Say where its tokens are.")
        return AsWebsockify(make(source))
    if not is_import_path(plugin):
        raise UsageError(
            f'There is no token plugin "{display(plugin, limit=80)}".',
            f"Take one of {', '.join(_PLUGINS)}, or write package.module.Class.",
        )
    return AsWebsockify(_plugin(plugin, source, working_directory=True))


def _outside(tokens: Tokens) -> TokenSource:
    source = parse_source(tokens.source)
    match source.kind:
        case "file":
            return TokenFiles(source.place)
        case "file-per-token":
            return FilePerToken(source.place)
        case "unix-directory":
            return SocketFolder(source.place)
        case "http":
            return _http(source.place, lenient=False)
        case "redis":
            return _redis(RedisSettings.of_url(source.place, tokens.password))
        case "jwt":
            return _jwt(os.path.expanduser(source.place), tokens.audience, strict=True)
        case "plugin":
            return _plugin(source.place, tokens.argument or None, working_directory=False)


# Their libraries take a while to load, and most tunnels need none of them.
def _http(url: str, *, lenient: bool) -> TokenSource:
    from wsgui.access.tokens.http import HttpTokens

    return HttpTokens(url, lenient=lenient)


def _jwt(key: str, audience: str = "", *, strict: bool) -> TokenSource:
    from wsgui.access.tokens.jwt import JwtTokens

    return JwtTokens(key, audience=audience, strict=strict)


def _redis(settings: RedisSettings) -> TokenSource:
    from wsgui.access.tokens.redis import RedisTokens

    return RedisTokens(settings)


def _plugin(import_path: str, source: str | None, *, working_directory: bool) -> TokenSource:
    from wsgui.access.plugins import PluginTokens

    return PluginTokens(import_path, source, working_directory=working_directory)


_PLUGINS: Final[Mapping[str, Callable[[str], TokenSource]]] = {
    "ReadOnlyTokenFile": lambda source: TokenFiles(source, once=True, lenient=True),
    "TokenFile": lambda source: TokenFiles(source, lenient=True),
    "TokenFileName": lambda source: FilePerToken(source, lenient=True),
    "BaseTokenAPI": lambda source: _http(source, lenient=True),
    "JSONTokenApi": lambda source: _http(source, lenient=True),
    "JWTTokenApi": lambda source: _jwt(source, strict=False),
    "TokenRedis": lambda source: _redis(RedisSettings.of_websockify(source)),
    "UnixDomainSocketDirectory": lambda source: SocketFolder(source, lenient=True),
}
