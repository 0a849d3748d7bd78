"""Sources of tokens as profiles and websockify's command line name them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wsgui.access.plugins import PluginTokens
from wsgui.access.tokens.factory import source_of, websockify_source
from wsgui.access.tokens.file_per_token import FilePerToken
from wsgui.access.tokens.files import TokenFiles
from wsgui.access.tokens.http import HttpTokens
from wsgui.access.tokens.inline import InlineFirst, InlineTargets
from wsgui.access.tokens.jwt import JwtTokens
from wsgui.access.tokens.redis import RedisTokens
from wsgui.access.tokens.sockets import SocketFolder
from wsgui.errors import UsageError, WsguiError
from wsgui.profiles.access import Tokens, TokenTarget
from wsgui.profiles.addresses import TcpAddress, UnixAddress

OFFICE = TcpAddress("office", 5901)
INLINE = {"mine": TokenTarget.model_validate("home:5902")}


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("file:/tokens", TokenFiles),
        ("file-per-token:/tokens", FilePerToken),
        ("unix-directory:/run/vms", SocketFolder),
        ("https://host/%s", HttpTokens),
        ("http://127.0.0.1/%s", HttpTokens),
        ("redis:host", RedisTokens),
        ("rediss://host/1?namespace=x", RedisTokens),
        ("jwt:/key.pem", JwtTokens),
        ("jwt:env:KEY", JwtTokens),
        ("plugin:lab.tokens.Source", PluginTokens),
    ],
)
def test_a_profile_names_its_source(source: str, kind: type) -> None:
    assert type(source_of(Tokens(source=source), {})) is kind


def test_a_profile_without_tokens_has_no_source() -> None:
    assert source_of(Tokens(), {}) is None


def test_a_profile_s_own_targets_are_a_source() -> None:
    assert type(source_of(Tokens(), INLINE)) is InlineTargets


async def test_a_profile_s_own_targets_come_before_its_source(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("mine: office:5901\nother: office:5901\n")
    tokens = source_of(Tokens(source=f"file:{tmp_path}/tokens"), INLINE)
    assert isinstance(tokens, InlineFirst)
    await tokens.open()
    assert await tokens.look_up("mine") == TcpAddress("home", 5902)
    assert await tokens.look_up("other") == OFFICE
    assert await tokens.look_up("neither") is None
    await tokens.close()


@pytest.mark.parametrize("source", ["nonsense", "http://office/%s", "redis:office:::hunter2", "plugin:Class"])
def test_a_source_that_is_none_is_refused(source: str) -> None:
    with pytest.raises(WsguiError) as caught:
        source_of(Tokens(source=source), {})
    assert caught.value.field == "tokens.source"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "websockify.token_plugins."])
@pytest.mark.parametrize("plugin", ["TokenFile", "ReadOnlyTokenFile"])
async def test_websockify_s_token_files(tmp_path: Path, prefix: str, plugin: str) -> None:
    (tmp_path / "tokens").write_text("a: office:5901\nb: unix_socket:/run/x\nc: :5901\n" + "x" * 600 + ": office:5901")
    for place in (tmp_path, tmp_path / "tokens"):
        tokens = websockify_source(prefix + plugin, str(place))
        await tokens.open()
        assert await tokens.look_up("a") == OFFICE
        assert await tokens.look_up("b") == UnixAddress("/run/x")
        assert await tokens.look_up("c") == TcpAddress("localhost", 5901)
        assert await tokens.look_up("x" * 600) == OFFICE
        assert await tokens.look_up("d") is None
        assert not tokens.from_outside
        await tokens.close()


async def test_websockify_s_other_sources_on_disk(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("office:5901")
    assert await websockify_source("TokenFileName", str(tmp_path)).look_up("x/a") == OFFICE
    assert await websockify_source("UnixDomainSocketDirectory", str(tmp_path)).look_up("a") is None


@pytest.mark.parametrize(
    ("plugin", "source"),
    [
        ("BaseTokenAPI", "http://office/%s"),
        ("JSONTokenApi", "https://office/?x=%s"),
        ("JWTTokenApi", "/key.pem"),
        ("TokenRedis", 'office:6380:1:secret:"a:b"'),
        ("lab.tokens.Source", None),
    ],
)
def test_websockify_s_sources_elsewhere(plugin: str, source: str | None) -> None:
    assert websockify_source(plugin, source).max_token_bytes >= 8192


@pytest.mark.parametrize("plugin", ["NoSuchPlugin", "", "a.b()", "BasePlugin"])
def test_an_unknown_plugin_is_a_mistake_on_the_command_line(plugin: str) -> None:
    with pytest.raises(UsageError) as caught:
        websockify_source(plugin, "x")
    assert "TokenFile" in caught.value.hint


def test_a_plugin_without_its_source_is_a_mistake_on_the_command_line() -> None:
    for source in (None, ""):
        with pytest.raises(UsageError) as caught:
            websockify_source("TokenFile", source)
        assert "--token-source" in caught.value.message


def test_libraries_that_no_profile_asks_for_are_not_loaded() -> None:
    code = (
        "import sys, wsgui.access.tokens.factory as factory;"
        "print([name for name in ('httpx', 'jwcrypto', 'redis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
