"""The keyring: its states in words, and no call that hangs or writes plain text."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import keyring.backend
import keyring.errors
import pytest
from keyring.backends import chainer, fail, null

from tests.support.keyrings import MemoryKeyring, PlaintextKeyring, keyring_is, memory_keyring
from wsgui.errors import SecretError
from wsgui.profiles import keyring_access
from wsgui.profiles.keyring_access import KeyringError, KeyringState, get, remove, state, store

SECRET = "hunter2-ü"


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as made:
        yield made


class EncryptedKeyring(MemoryKeyring):
    """Asks for its password on the terminal, as the file-based one of keyrings.alt."""

    @property
    def keyring_key(self) -> str:
        raise AssertionError("it asks on the terminal")


class HangingKeyring(MemoryKeyring):
    """Answers once it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.let_go.wait(30)
        return None


def chain(monkeypatch: pytest.MonkeyPatch, *backends: keyring.backend.KeyringBackend) -> chainer.ChainerBackend:
    monkeypatch.setattr(chainer.ChainerBackend, "backends", list(backends))
    return chainer.ChainerBackend()


def test_what_is_stored_is_there_until_it_is_removed(ring: MemoryKeyring) -> None:
    assert get("office") is None
    store("office", SECRET)
    assert get("office") == SECRET
    assert remove("office") is True
    assert get("office") is None
    assert remove("office") is False


def test_a_usable_keyring_is_available(ring: MemoryKeyring) -> None:
    finding = state()
    assert (finding.state, finding.backend) == (KeyringState.AVAILABLE, "MemoryKeyring")
    assert (finding.message, finding.hint) == ("", "")


def test_what_the_keyring_does_not_keep_is_said(ring: MemoryKeyring) -> None:
    ring.loses = True
    with pytest.raises(KeyringError, match="did not keep") as caught:
        store("office", SECRET)
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize("value", ["", "a\0b", "x" * 70_000, "\udcff"])
def test_what_is_no_secret_is_not_stored(ring: MemoryKeyring, value: str) -> None:
    with pytest.raises(SecretError):
        store("office", value)
    assert not ring.secrets


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\u202eb"])
def test_what_no_profile_can_refer_to_is_no_name(ring: MemoryKeyring, name: str) -> None:
    with pytest.raises(SecretError, match="cannot be a secret's name"):
        store(name, SECRET)
    assert not ring.secrets


@pytest.mark.parametrize(
    ("failure", "expected", "sentence"),
    [
        (keyring.errors.NoKeyringError("x"), KeyringState.ABSENT, "There is no keyring on this computer."),
        (keyring.errors.KeyringLocked("x"), KeyringState.LOCKED, "The keyring is locked."),
        (keyring.errors.InitError(SECRET), KeyringState.FAILED, "The keyring could not be asked (InitError)."),
        (OSError(SECRET), KeyringState.FAILED, "The keyring could not be asked (OSError)."),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, SECRET), KeyringState.FAILED, "is no text"),
    ],
)
def test_each_failure_has_its_state_and_words(
    ring: MemoryKeyring, failure: Exception, expected: KeyringState, sentence: str
) -> None:
    ring.failure = failure
    finding = state()
    assert finding.state is expected
    assert sentence in finding.message
    assert "env:VARIABLE" in finding.hint
    for call in (lambda: get("x"), lambda: store("x", "y"), lambda: remove("x")):
        with pytest.raises(KeyringError) as caught:
            call()
        assert caught.value.state is expected
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        (fail.Keyring(), KeyringState.ABSENT),
        (null.Keyring(), KeyringState.ABSENT),
        (PlaintextKeyring(), KeyringState.PLAINTEXT),
        (EncryptedKeyring(), KeyringState.LOCKED),
    ],
)
def test_a_backend_that_keeps_nothing_safe_is_not_used(
    backend: keyring.backend.KeyringBackend, expected: KeyringState
) -> None:
    with keyring_is(backend):
        assert state().state is expected
        with pytest.raises(KeyringError):
            store("office", SECRET)
    assert not getattr(backend, "secrets", None)


def test_keyrings_alts_other_backends_count_as_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryKeyring, "__module__", "keyrings.alt.multi")
    with memory_keyring():
        assert state().state is KeyringState.PLAINTEXT


def test_a_chain_passes_over_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, safe = PlaintextKeyring(), MemoryKeyring()
    plain.secrets["wsgui", "office"] = "plain"
    with keyring_is(chain(monkeypatch, plain, null.Keyring(), safe)):
        store("office", SECRET)
        assert get("office") == SECRET
    assert plain.secrets == {("wsgui", "office"): "plain"}


def test_a_chain_of_plain_text_only_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with keyring_is(chain(monkeypatch, PlaintextKeyring(), null.Keyring())):
        assert state().state is KeyringState.PLAINTEXT


def test_a_chain_is_asked_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = MemoryKeyring(), MemoryKeyring()
    second.secrets["wsgui", "office"] = SECRET
    with keyring_is(chain(monkeypatch, first, second)):
        assert get("office") == SECRET
        assert remove("office") is True
    assert not second.secrets


def test_a_keyring_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring_access, "ANSWER_SECONDS", 0.05)
    backend = HangingKeyring()
    with keyring_is(backend):
        try:
            for _ in range(12):
                with pytest.raises(KeyringError, match="does not answer"):
                    get("office")
            waiting = [thread for thread in threading.enumerate() if thread.name == "wsgui-keyring"]
            assert len(waiting) <= 8
        finally:
            backend.let_go.set()


def test_a_keyring_that_answers_again_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring_access, "ANSWER_SECONDS", 0.05)
    backend = HangingKeyring()
    with keyring_is(backend):
        for _ in range(9):
            with pytest.raises(KeyringError):
                get("office")
        backend.let_go.set()
        for thread in [each for each in threading.enumerate() if each.name == "wsgui-keyring"]:
            thread.join(10)
        monkeypatch.setattr(keyring_access, "ANSWER_SECONDS", 10.0)
        assert get("office") is None


def test_a_backend_that_cannot_be_loaded_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.Keyring")
    monkeypatch.setattr(keyring.core, "_keyring_backend", None)
    finding = state()
    assert finding.state is KeyringState.FAILED
    assert "PYTHON_KEYRING_BACKEND" in finding.message


def test_without_the_library_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    finding = state()
    assert finding.state is KeyringState.NOT_INSTALLED
    assert "pip install keyring" in finding.hint


def test_several_of_one_name_are_all_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Twice(MemoryKeyring):
        """Deletes the first of two, as Secret Services can have them."""

        def delete_password(self, service: str, username: str) -> None:
            value = self.secrets.pop((service, username))
            if value == "first":
                self.secrets[service, username] = "second"

    backend = Twice()
    with keyring_is(backend):
        store("office", "first")
        assert remove("office") is True
        assert get("office") is None
