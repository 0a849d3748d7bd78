"""Where the passphrases of keys are: the keyring, a variable, a file, or a memory."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.keyrings import MemoryKeyring
from tests.support.vaults import NAME, Person, files, holds, save
from wsgui.certificates.authority import make_authority
from wsgui.certificates.issue import Bundle
from wsgui.certificates.vault import Vault
from wsgui.errors import SecretError, WsguiError


@pytest.mark.parametrize("reference", ["env:WSGUI_TEST_PASSPHRASE", "file:{folder}/secret", "keyring:mine"])
def test_a_passphrase_of_ones_own(
    vault: Vault,
    bundle: Bundle,
    ring: MemoryKeyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reference: str,
) -> None:
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", "my own ü")
    (tmp_path / "secret").write_text("my own ü\n")
    (tmp_path / "secret").chmod(0o600)
    ring.secrets["wsgui", "mine"] = "my own ü"
    reference = reference.format(folder=tmp_path)
    assert save(vault, bundle, reference).passphrase == reference
    assert vault.passphrase(NAME) == "my own ü"
    assert holds(vault, bundle)
    assert save(vault, bundle).passphrase == reference
    vault.remove(NAME)
    assert ring.names == {"mine"}


def test_a_name_of_ones_own_that_the_keyring_has_not_gets_a_passphrase(
    vault: Vault, bundle: Bundle, ring: MemoryKeyring
) -> None:
    assert save(vault, bundle, "keyring:mine").passphrase == "keyring:mine"
    assert len(ring.secrets["wsgui", "mine"]) == 43


@pytest.mark.parametrize(
    "reference", ["hunter2", "unbound:x", "env:WSGUI_NOT_SET", "file:/none", "keyring:certificate/x"]
)
def test_a_reference_that_leads_nowhere_writes_nothing(
    vault: Vault, bundle: Bundle, folder: Path, reference: str
) -> None:
    with pytest.raises(SecretError) as caught:
        save(vault, bundle, reference)
    assert "hunter2" not in str(caught.value)
    assert not folder.exists()


@pytest.mark.parametrize("value", ["x" * 1024, "\udcff"])
def test_a_passphrase_that_openssl_would_not_take_is_refused(
    vault: Vault, bundle: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", value)
    with pytest.raises(WsguiError):
        save(vault, bundle, "env:WSGUI_TEST_PASSPHRASE")
    assert files(folder) == {}


def test_a_variable_that_has_changed_is_said(vault: Vault, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", "first")
    save(vault, bundle, "env:WSGUI_TEST_PASSPHRASE")
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", "hunter2")
    with pytest.raises(SecretError, match=r"env:WSGUI_TEST_PASSPHRASE.*does not open the key") as caught:
        vault.passphrase(NAME)
    assert str(vault.file(NAME)) in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_moving_to_another_place_and_back(
    vault: Vault, bundle: Bundle, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", "another")
    save(vault, bundle)
    first = vault.passphrase(NAME)
    assert vault.move_passphrase(NAME, "env:WSGUI_TEST_PASSPHRASE").passphrase == "env:WSGUI_TEST_PASSPHRASE"
    assert (vault.passphrase(NAME), ring.secrets) == ("another", {})
    vault.move_passphrase(NAME, "keyring")
    assert vault.passphrase(NAME) not in (first, "another")
    assert holds(vault, bundle)


def test_moving_within_the_keyring_makes_a_new_passphrase(vault: Vault, bundle: Bundle, ring: MemoryKeyring) -> None:
    save(vault, bundle)
    first = vault.passphrase(NAME)
    vault.move_passphrase(NAME, "keyring")
    assert vault.passphrase(NAME) != first
    assert len(ring.secrets) == 1


def test_moving_to_where_it_is_changes_nothing(vault: Vault, bundle: Bundle, folder: Path) -> None:
    reference = save(vault, bundle).passphrase
    before = files(folder)
    assert vault.move_passphrase(NAME, reference).passphrase == reference
    assert files(folder) == before


def test_a_passphrase_that_is_kept_nowhere_is_asked_once_in_a_process(
    folder: Path, bundle: Bundle, ring: MemoryKeyring
) -> None:
    first = Person("mine", "mine")
    assert save(Vault(folder, ask=first), bundle, "ask").passphrase == "ask"
    assert len(first.asked) == 2
    assert ring.secrets == {}
    second = Person("wrong", "mine")
    vault = Vault(folder, ask=second)
    for _ in range(2):
        assert vault.passphrase(NAME) == "mine"
    assert len(second.asked) == 2
    assert NAME in second.asked[0]
    assert b"mine" not in b"".join(files(folder).values())


def test_what_was_just_chosen_is_not_asked_again(folder: Path, bundle: Bundle, other: Bundle) -> None:
    person = Person("mine", "mine")
    vault = Vault(folder, ask=person)
    save(vault, bundle, "ask")
    save(vault, other)
    assert vault.passphrase(NAME) == "mine"
    assert person.answers == []


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [(("a", "b", "c"), "None of 3 passphrases opens"), (("",), "No passphrase was given"), (("a", ""), "was given")],
)
def test_three_wrong_passphrases_or_none_are_the_end(
    folder: Path, bundle: Bundle, answers: tuple[str, ...], sentence: str
) -> None:
    save(Vault(folder, ask=Person("mine", "mine")), bundle, "ask")
    person = Person(*answers)
    with pytest.raises(SecretError, match=sentence):
        Vault(folder, ask=person).key(NAME)
    assert person.answers == []


def test_a_new_passphrase_is_the_same_twice(folder: Path, bundle: Bundle) -> None:
    with pytest.raises(SecretError, match="not the same"):
        save(Vault(folder, ask=Person(*"abcdef")), bundle, "ask")
    assert not folder.exists()
    save(Vault(folder, ask=Person("a", "b", "c", "c")), bundle, "ask")
    assert Vault(folder, ask=Person("c")).passphrase(NAME) == "c"


def test_where_nobody_can_be_asked_it_is_said(folder: Path, bundle: Bundle) -> None:
    save(Vault(folder, ask=Person("mine", "mine")), bundle, "ask")
    vault = Vault(folder)
    with pytest.raises(SecretError, match="nobody here to ask"):
        vault.passphrase(NAME)
    with pytest.raises(SecretError, match="not the passphrase"):
        vault.unlock(NAME, "wrong")
    vault.unlock(NAME, "mine")
    assert vault.passphrase(NAME) == "mine"


def test_several_threads_are_one_question(folder: Path, bundle: Bundle) -> None:
    save(Vault(folder, ask=Person("mine", "mine")), bundle, "ask")
    person = Person("mine")
    vault = Vault(folder, ask=person)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(vault.passphrase(NAME))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == ["mine"] * 4
    assert len(person.asked) == 1


def test_a_new_passphrase_replaces_the_one_in_memory(folder: Path, bundle: Bundle) -> None:
    person = Person("old", "old", "new", "new")
    vault = Vault(folder, ask=person)
    save(vault, bundle, "ask")
    vault.move_passphrase(NAME, "ask")
    assert vault.passphrase(NAME) == "new"
    assert Vault(folder, ask=Person("new")).passphrase(NAME) == "new"


def test_a_lost_entry_of_the_keyring_is_made_anew_with_the_next_certificate(
    vault: Vault, bundle: Bundle, other: Bundle, ring: MemoryKeyring
) -> None:
    save(vault, bundle)
    ring.secrets.clear()
    with pytest.raises(SecretError, match="has no secret"):
        vault.key(NAME)
    save(vault, other)
    assert holds(vault, other)


def test_no_repr_has_a_passphrase(folder: Path, bundle: Bundle) -> None:
    vault = Vault(folder, ask=Person("hunter2", "hunter2"))
    managed = save(vault, bundle, "ask")
    shown = [repr(vault), repr(vars(vault)), repr(managed), repr(vars(vault._certificates))]
    assert "hunter2" not in "".join(shown)


def test_an_authoritys_key_under_a_passphrase_that_is_asked(folder: Path) -> None:
    authority, key = make_authority([], machine=["here"])
    Vault(folder, ask=Person("mine", "mine")).save_authority(authority, key, "ask")
    vault = Vault(folder)
    vault.unlock_authority(authority.id, "mine")
    assert vault.signing_key(authority.id).public_key() == key.public_key()
