"""Secrets by reference: found where they say, and never shown."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import keyring.errors
import pytest

from tests.support.keyrings import MemoryKeyring, PlaintextKeyring, keyring_is, memory_keyring
from wsgui.errors import SecretError
from wsgui.profiles.secrets import resolve

SECRET = "hunter2-ü"


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as made:
        yield made


def refused(reference: str) -> SecretError:
    with pytest.raises(SecretError) as caught:
        resolve(reference, field="tls.key_password")
    assert caught.value.field == "tls.key_password"
    assert caught.value.hint
    assert SECRET not in str(caught.value)
    return caught.value


def secret_file(tmp_path: Path, data: bytes, mode: int = 0o600) -> Path:
    path = tmp_path / "secret"
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUI_TEST", SECRET)
    assert resolve("env:WSGUI_TEST") == SECRET


def test_a_variable_that_is_missing_or_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WSGUI_TEST", raising=False)
    assert "is not set" in refused("env:WSGUI_TEST").message
    monkeypatch.setenv("WSGUI_TEST", "")
    assert "is empty" in refused("env:WSGUI_TEST").message


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_file_without_its_last_line_end(tmp_path: Path, ending: str) -> None:
    path = secret_file(tmp_path, f" {SECRET} {ending}".encode())
    assert resolve(f"file:{path}") == f" {SECRET} "


def test_only_one_line_end_is_taken_off(tmp_path: Path) -> None:
    assert resolve(f"file:{secret_file(tmp_path, b'a' + bytes([10, 10]))}") == "a\n"


def test_a_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret_file(tmp_path, b"x")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve("file:~/secret") == "x"


def test_a_link_to_a_file_as_container_platforms_make_them(tmp_path: Path) -> None:
    secret_file(tmp_path, b"x")
    (tmp_path / "link").symlink_to("secret")
    assert resolve(f"file:{tmp_path}/link") == "x"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "is not UTF-8"), (b"x" * 70_000, "is longer than 64 KiB")],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, data: bytes, sentence: str) -> None:
    assert sentence in refused(f"file:{secret_file(tmp_path, data)}").message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refused(f"file:{tmp_path}/none").message


def test_a_folder_or_a_fifo_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert "is not a file" in refused(f"file:{tmp_path}/fifo").message
    assert "is not a file" in refused(f"file:{tmp_path}").message


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path, SECRET.encode(), mode)
    error = refused(f"file:{path}")
    assert "Others can change" in error.message
    assert error.hint == f"Run: chmod 600 {path}"


def test_a_file_that_everybody_can_read_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = secret_file(tmp_path, SECRET.encode(), 0o444)
    with caplog.at_level(logging.WARNING):
        assert resolve(f"file:{path}") == SECRET
    assert f"chmod 600 {path}" in caplog.text
    assert SECRET not in caplog.text


def test_a_keyring(ring: MemoryKeyring) -> None:
    ring.set_password("wsgui", "office", SECRET)
    assert resolve("keyring:office") == SECRET


def test_a_keyring_without_the_secret_says_how_to_store_it(ring: MemoryKeyring) -> None:
    error = refused("keyring:office desktop")
    assert error.message == 'The keyring has no secret "office desktop".'
    assert error.hint == "Store it: wsgui secret set 'office desktop'"


def test_an_empty_secret_in_a_keyring_is_none(ring: MemoryKeyring) -> None:
    ring.set_password("wsgui", "office", "")
    assert "is empty" in refused("keyring:office").message


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (keyring.errors.NoKeyringError("x"), "There is no keyring on this computer."),
        (keyring.errors.KeyringLocked("x"), "The keyring is locked."),
        (keyring.errors.InitError("x"), "The keyring could not be asked (InitError)."),
        (ConnectionError(SECRET), "The keyring could not be asked (ConnectionError)."),
    ],
)
def test_a_keyring_that_fails_leaves_a_choice(ring: MemoryKeyring, failure: Exception, sentence: str) -> None:
    ring.failure = failure
    error = refused("keyring:office")
    assert error.message == sentence
    assert "env:VARIABLE" in error.hint


def test_a_keyring_that_keeps_plain_text_is_refused() -> None:
    with keyring_is(PlaintextKeyring()):
        assert "plain text" in refused("keyring:office").message


def test_an_unbound_secret_says_what_to_do() -> None:
    assert "came with an imported profile" in refused("unbound:office").message


@pytest.mark.parametrize("reference", [SECRET, "", "vault:x", f"keyring:{SECRET}\n", "env:A B"])
def test_what_is_no_reference_is_not_repeated(reference: str) -> None:
    assert refused(reference).message == "It is not a reference to a secret."
