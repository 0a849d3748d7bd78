"""What `[tokens] source` may say."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.errors import FieldError
from wsgui.profiles.access import Tokens
from wsgui.profiles.token_sources import Source, parse_source, problems_of_tokens


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("file:/etc/tokens", Source("file", "/etc/tokens")),
        ("file:///etc/tokens", Source("file", "/etc/tokens")),
        ("file:~/tokens", Source("file", "~/tokens")),
        ("file:C:\\tokens", Source("file", "C:\\tokens")),
        ("file:/with space", Source("file", "/with space")),
        ("file-per-token:/run/tokens", Source("file-per-token", "/run/tokens")),
        ("unix-directory:/run/vms", Source("unix-directory", "/run/vms")),
        ("https://host/path?x=%s", Source("http", "https://host/path?x=%s")),
        ("https://host:8443/a%20b/%s/y", Source("http", "https://host:8443/a%20b/%s/y")),
        ("http://127.0.0.1:8000/%s", Source("http", "http://127.0.0.1:8000/%s")),
        ("http://[::1]:8000/%s", Source("http", "http://[::1]:8000/%s")),
        ("http://localhost/%s", Source("http", "http://localhost/%s")),
        ("jwt:/etc/key.pem", Source("jwt", "/etc/key.pem")),
        ("jwt:keyring:office", Source("jwt", "keyring:office")),
        ("jwt:env:KEY", Source("jwt", "env:KEY")),
        ("jwt:file:/run/key", Source("jwt", "file:/run/key")),
        ("plugin:lab.tokens.Source", Source("plugin", "lab.tokens.Source")),
        ("redis:host", Source("redis", "redis://host:6379/0")),
        ("redis:host:6380:1::first", Source("redis", "redis://host:6380/1?namespace=first")),
        ('redis:host::::"a:b"', Source("redis", "redis://host:6379/0?namespace=a%3Ab")),
        ('redis:"::1":7', Source("redis", "redis://[::1]:7/0")),
        ("redis://host", Source("redis", "redis://host:6379/0")),
        ("redis://HOST:1/2?namespace=x", Source("redis", "redis://host:1/2?namespace=x")),
        ("redis://anna@host", Source("redis", "redis://anna@host:6379/0")),
        ("rediss://host", Source("redis", "rediss://host:6379/0")),
        ("rediss:host", Source("redis", "rediss://host:6379/0")),
    ],
)
def test_a_source_is_read(text: str, source: Source) -> None:
    assert parse_source(text) == source


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tokens.txt",
        "ftp://host/%s",
        "unbound:tokens",
        "file:",
        "file:tokens",
        "file-per-token:tokens",
        "file:/a\u202eb",
        "https:host/%s",
        "https://host/",
        "https://%s/",
        "https://%s.lab/",
        "https://host:%s/",
        "https://host:99999/%s",
        "https:///%s",
        "https://ho st/%s",
        "https://host\\x/%s",
        "https://host/#%s",
        "https://host/%s#x",
        "http://host/%s",
        "http://0x7f.1/%s",
        "jwt:",
        "jwt:key.pem",
        "jwt:env:not a variable",
        "plugin:Class",
        "plugin:a.b()",
        "redis:",
        "redis://",
        "redis:host:port",
        "redis:host:1:x",
        "redis:host:1:2::n:more",
        'redis:"host',
        "redis://host/x",
        "redis://host/0?password=x",
        "redis://host/0?namespace=x&namespace=y",
        "redis://host/0#x",
        "unix-directory:" + "/x" * 60,
    ],
)
def test_what_is_no_source_is_told_what_would_be_right(text: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_source(text)
    assert caught.value.field == "tokens.source"
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "https://anna:hunter2@host/%s",
        "redis://:hunter2@host",
        "redis:host:::hunter2",
        "jwt:hunter2",
        "hunter2@host",
        "redis://host/0?password=hunter2",
    ],
)
def test_a_secret_in_a_source_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_source(text)
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=40), st.sampled_from(["", "file:", "https://", "redis:", "redis://", "jwt:", "plugin:", "x:"]))
def test_any_text_is_a_source_or_refused(text: str, kind: str) -> None:
    with contextlib.suppress(FieldError):
        assert parse_source(kind + text).place


@given(st.text("ab:\"'x019", max_size=20))
def test_a_redis_source_is_read_the_same_from_its_canonical_form(text: str) -> None:
    try:
        source = parse_source("redis:" + text)
    except FieldError:
        return
    assert parse_source(source.place) == source


@pytest.mark.parametrize(
    ("tokens", "field"),
    [
        (Tokens(source="nonsense"), "tokens.source"),
        (Tokens(source="file:/x", argument="y"), "tokens.argument"),
        (Tokens(argument="y"), "tokens.argument"),
        (Tokens(source="file:/x", password="env:P"), "tokens.password"),
        (Tokens(source="redis:localhost", audience="lab"), "tokens.audience"),
        (Tokens(allow=("10.0.0.0/8:22",)), "tokens.allow"),
        (Tokens(by_host=True), "tokens.by_host"),
        (Tokens(source="redis://office", password="env:P"), "tokens.source"),
    ],
)
def test_fields_that_do_not_fit_are_found(tokens: Tokens, field: str) -> None:
    assert [problem.field for problem in problems_of_tokens(tokens, has_targets=False)] == [field]


@pytest.mark.parametrize(
    "tokens",
    [
        Tokens(),
        Tokens(source="file:/x", allow=(), by_host=True),
        Tokens(source="plugin:a.B", argument="y"),
        Tokens(source="jwt:/key", audience="lab"),
        Tokens(source="redis://localhost", password="env:P"),
        Tokens(source="rediss://office", password="env:P"),
        Tokens(source="redis://office"),
    ],
)
def test_fields_that_fit_are_left_alone(tokens: Tokens) -> None:
    assert list(problems_of_tokens(tokens, has_targets=False)) == []


def test_inline_targets_can_be_chosen_by_host() -> None:
    assert list(problems_of_tokens(Tokens(by_host=True), has_targets=True)) == []
