"""Where Redis is: what a profile's URL and websockify's source say, and what neither may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockify.token_plugins import parse_source_args

from wsgui.access.tokens.redis_settings import RedisSettings, split_quoted
from wsgui.errors import WsguiError


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("redis://office", RedisSettings("office")),
        ("redis://Office:6380/2", RedisSettings("office", 6380, 2)),
        ("redis://[::1]:7000", RedisSettings("::1", 7000)),
        ("rediss://office/1?namespace=vnc%3Alab", RedisSettings("office", database=1, namespace="vnc:lab", tls=True)),
        ("redis://anna%40lab@office/", RedisSettings("office", username="anna@lab")),
    ],
)
def test_a_url_names_host_port_database_user_and_namespace(url: str, settings: RedisSettings) -> None:
    assert RedisSettings.of_url(url) == settings


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis:",
        "redis://",
        "redis://:6379",
        "http://office",
        "redis://office:0",
        "redis://office:65536",
        "redis://office:x",
        "redis://office/x",
        "redis://office/-1",
        "redis://office/1/2",
        "redis://office/²",
        "redis://office?db=1",
        "redis://office?namespace",
        "redis://office#1",
        "redis://[::1",
        "redis://anna:hunter2@office",
        "redis://:hunter2@office",
    ],
)
def test_what_is_no_url_of_redis_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(WsguiError) as caught:
        RedisSettings.of_url(url)
    assert caught.value.field == "tokens.source"
    assert caught.value.hint
    assert "hunter2" not in str(caught.value)


def test_a_password_crosses_a_network_only_by_tls() -> None:
    with pytest.raises(WsguiError, match="rediss://"):
        RedisSettings.of_url("redis://office", "env:PASSWORD")
    for url in ("rediss://office", "redis://localhost", "redis://127.0.0.7", "redis://[::1]"):
        assert RedisSettings.of_url(url, "env:PASSWORD").password_reference == "env:PASSWORD"


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("office", RedisSettings("office")),
        ("office:", RedisSettings("office")),
        ("office:6380:1:hunter2:lab", RedisSettings("office", 6380, 1, password="hunter2", namespace="lab")),
        ("office:::hunter2", RedisSettings("office", password="hunter2")),
        ('office::::"vnc:lab"', RedisSettings("office", namespace="vnc:lab")),
        ('"::1":6380::"a:b"', RedisSettings("::1", 6380, password="a:b")),
        ("", RedisSettings("localhost")),
    ],
)
def test_websockifys_source_may_leave_parts_empty_and_quote_colons(source: str, settings: RedisSettings) -> None:
    assert RedisSettings.of_websockify(source) == settings


@pytest.mark.parametrize(
    "source", ["a:b", "a:1:c", "a:1:2:hunter2:n:too", "a:0", "a:70000", "a:999999999999", "a:²", "a:-1", "a:1:-1"]
)
def test_what_is_not_websockifys_source_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(WsguiError) as caught:
        RedisSettings.of_websockify(source)
    assert "hunter2" not in str(caught.value)


@given(st.text(st.sampled_from('ab:" 1'), max_size=16))
def test_parts_are_split_as_websockify_splits_them(text: str) -> None:
    assert split_quoted(text) == parse_source_args(text)


def test_a_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(RedisSettings("office", password="hunter2", password_reference="env:hunter2"))
