"""The names of our secrets: in a file of names only, in step with the keyring."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring.errors
import pytest

from tests.support.keyrings import MemoryKeyring, memory_keyring
from wsgui.app.paths import Paths
from wsgui.app.secret_names import SecretIndex
from wsgui.errors import SecretError, WsguiError


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as made:
        yield made


@pytest.fixture
def index(tmp_path: Path, ring: MemoryKeyring) -> SecretIndex:
    return SecretIndex(Paths.beneath(tmp_path))


def file_of(tmp_path: Path) -> Path:
    return Paths.beneath(tmp_path).data / "secret-names.toml"


def test_there_is_none_at_first(index: SecretIndex, tmp_path: Path) -> None:
    assert index.names() == ()
    assert not file_of(tmp_path).exists()


def test_names_are_kept_and_secrets_are_not(index: SecretIndex, ring: MemoryKeyring, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        index.set("office", "hunter2")
        index.set("büro 2", "hunter2")
    finally:
        os.umask(before)
    assert index.names() == ("büro 2", "office")
    assert ring.secrets["wsgui", "office"] == "hunter2"
    assert "hunter2" not in file_of(tmp_path).read_text()
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600


def test_a_secret_that_is_not_kept_has_no_name(index: SecretIndex, ring: MemoryKeyring) -> None:
    index.set("office", "first")
    ring.failure = keyring.errors.KeyringLocked("x")
    for name in ("office", "other"):
        with pytest.raises(SecretError, match="locked"):
            index.set(name, "second")
    assert index.names() == ("office",)


def test_removing_takes_secret_and_name(index: SecretIndex, ring: MemoryKeyring) -> None:
    index.set("office", "hunter2")
    assert index.remove("office") is True
    assert (index.names(), ring.secrets) == ((), {})
    assert index.remove("office") is False


def test_a_name_whose_secret_has_gone_can_be_removed(index: SecretIndex, ring: MemoryKeyring) -> None:
    index.set("office", "hunter2")
    ring.secrets.clear()
    assert index.remove("office") is True
    assert index.names() == ()


@pytest.mark.parametrize("text", ["x", "names = 1", "names = [1]", ""])
def test_a_damaged_file_is_said_and_left(index: SecretIndex, ring: MemoryKeyring, tmp_path: Path, text: str) -> None:
    file_of(tmp_path).parent.mkdir(parents=True)
    file_of(tmp_path).write_text(text)
    for call in (index.names, lambda: index.set("office", "hunter2")):
        with pytest.raises(WsguiError, match="is damaged"):
            call()
    assert file_of(tmp_path).read_text() == text
    assert ring.secrets == {}


def test_two_that_write_at_once_lose_no_name(tmp_path: Path, ring: MemoryKeyring) -> None:
    def store(number: int) -> None:
        index = SecretIndex(Paths.beneath(tmp_path))
        for count in range(5):
            index.set(f"{number}-{count}", "x")

    threads = [threading.Thread(target=store, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(SecretIndex(Paths.beneath(tmp_path)).names()) == 15
