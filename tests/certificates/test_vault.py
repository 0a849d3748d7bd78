"""The vault: keys that are never plain, passphrases that are found again, and no file that is half of anything."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring.errors
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.keyrings import MemoryKeyring, memory_keyring
from wsgui.certificates import sealed_files
from wsgui.certificates.authority import make_authority
from wsgui.certificates.issue import Bundle, issue, self_signed
from wsgui.certificates.vault import Managed, Vault
from wsgui.errors import CertificateError, SecretError, WsguiError
from wsgui.profiles.disk import DiskError

NAME = "office.lan"


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as made:
        yield made


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return self_signed([NAME, "127.0.0.1"])


@pytest.fixture(scope="module")
def other() -> Bundle:
    return self_signed([NAME])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "certificates"


@pytest.fixture
def vault(folder: Path, ring: MemoryKeyring) -> Vault:
    return Vault(folder)


class Person:
    """Answers with `answers` one after the other, and keeps what was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        return self.answers.pop(0)


def save(vault: Vault, bundle: Bundle, passphrase: str = "", name: str = NAME) -> Managed:
    return vault.save(name, bundle, "self-signed", asked=(NAME, "127.0.0.1"), authority="", passphrase=passphrase)


def holds(vault: Vault, bundle: Bundle, name: str = NAME) -> bool:
    return vault.key(name).public_key() == bundle.key.public_key() and vault.read(name).chain == bundle.chain


def files(folder: Path) -> dict[str, bytes]:
    """What there is but for the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def plain_forms(bundle: Bundle) -> list[bytes]:
    """How a plain key would look in a file."""
    key = bundle.key
    forms = [
        key.private_bytes(Encoding.DER, form, NoEncryption())
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    ]
    numbers = key.private_numbers()
    secret = getattr(numbers, "private_value", None)
    assert secret is not None
    return [*forms, secret.to_bytes(32, "big"), b"BEGIN PRIVATE KEY", b"BEGIN EC PRIVATE KEY"]


def test_what_is_saved_is_read_and_opened_again(vault: Vault, bundle: Bundle, ring: MemoryKeyring) -> None:
    managed = save(vault, bundle)
    assert managed == vault.read(NAME)
    assert (managed.name, managed.kind, managed.asked, managed.authority) == (
        NAME,
        "self-signed",
        (NAME, "127.0.0.1"),
        "",
    )
    assert managed.passphrase == f"keyring:certificate/{NAME}"
    assert managed.description.names == (NAME, "127.0.0.1")
    assert holds(vault, bundle)
    assert vault.names() == (NAME,)
    assert len(vault.passphrase(NAME)) == 43  # 256 bits as base64url
    assert ring.names == {f"certificate/{NAME}"}


def test_openssl_loads_the_file_with_the_passphrase(vault: Vault, bundle: Bundle) -> None:
    save(vault, bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(vault.file(NAME), password=lambda: vault.passphrase(NAME))
    with pytest.raises(ssl.SSLError):
        context.load_cert_chain(vault.file(NAME), password="wrong")


def test_folders_and_files_are_ones_own_whatever_the_umask(vault: Vault, bundle: Bundle, folder: Path) -> None:
    before = os.umask(0)
    try:
        save(vault, bundle)
        authority, key = make_authority([], machine=["here"])
        vault.save_authority(authority, key)
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_folder_that_was_open_to_others_is_closed(vault: Vault, bundle: Bundle, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    save(vault, bundle)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_plain_key_and_no_passphrase_is_ever_written(
    vault: Vault, bundle: Bundle, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("from a file")
    (tmp_path / "secret").chmod(0o600)
    written: list[bytes] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        # What is in every file that was written, temporary ones too: none is put in place without this.
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            written.append(Path(f"/proc/self/fd/{descriptor}").read_bytes())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    save(vault, bundle)
    passphrases = [vault.passphrase(NAME)]
    vault.move_passphrase(NAME, f"file:{tmp_path}/secret")
    vault.move_passphrase(NAME, "keyring")
    passphrases += [vault.passphrase(NAME), "from a file"]
    authority, key = make_authority([NAME], machine=["here"])
    vault.save_authority(authority, key)
    save(vault, issue(authority, vault.signing_key(authority.id), [NAME]))
    assert len(written) >= 9
    everything = b"\n".join((*written, *files(folder).values()))
    signer = Bundle(key, (authority.intermediate,))
    for plain in (*plain_forms(bundle), *plain_forms(signer), *(each.encode() for each in passphrases)):
        assert plain not in everything


def test_a_new_leaf_comes_under_the_same_passphrase(vault: Vault, bundle: Bundle, other: Bundle) -> None:
    first = save(vault, bundle)
    passphrase = vault.passphrase(NAME)
    second = save(vault, other)
    assert holds(vault, other)
    assert (second.passphrase, vault.passphrase(NAME)) == (first.passphrase, passphrase)


def test_names_are_the_same_in_capitals(vault: Vault, bundle: Bundle, other: Bundle) -> None:
    save(vault, bundle, name="Office")
    save(vault, other, name="OFFICE")
    assert vault.names() == ("office",)
    assert holds(vault, other, "office")


@pytest.mark.parametrize("name", ["*.lab.lan", "10.0.0.1", "fd00::1", "con"])
def test_any_name_of_a_certificate_is_found_again(vault: Vault, bundle: Bundle, name: str) -> None:
    save(vault, bundle, name=name)
    assert vault.names() == (name,)
    assert vault.read(name).name == name
    assert vault.remove(name) is True


@pytest.mark.parametrize("name", ["../x", "", "a/b", "authorities/x"])
def test_a_name_leads_nowhere_else(vault: Vault, bundle: Bundle, name: str) -> None:
    for call in (lambda: save(vault, bundle, name=name), lambda: vault.read(name), lambda: vault.remove(name)):
        with pytest.raises(CertificateError, match="cannot be the name"):
            call()


def test_an_entry_of_another_installation_is_left_alone(vault: Vault, bundle: Bundle, ring: MemoryKeyring) -> None:
    ring.secrets["wsgui", f"certificate/{NAME}"] = "another's"
    managed = save(vault, bundle)
    assert managed.passphrase.startswith(f"keyring:certificate/{NAME}~")
    assert holds(vault, bundle)
    vault.remove(NAME)
    assert ring.secrets == {("wsgui", f"certificate/{NAME}"): "another's"}


def test_removing_takes_files_and_entry_along(vault: Vault, bundle: Bundle, folder: Path, ring: MemoryKeyring) -> None:
    save(vault, bundle)
    assert vault.remove(NAME) is True
    assert (files(folder), ring.secrets, vault.names()) == ({}, {}, ())
    assert vault.remove(NAME) is False
    with pytest.raises(CertificateError, match="There is no certificate"):
        vault.read(NAME)


@pytest.mark.parametrize(
    "failure", [keyring.errors.NoKeyringError("x"), keyring.errors.KeyringLocked("x"), OSError("x")]
)
def test_without_a_keyring_nothing_is_written_and_the_choices_are_said(
    vault: Vault, bundle: Bundle, folder: Path, ring: MemoryKeyring, failure: Exception
) -> None:
    ring.failure = failure
    with pytest.raises(SecretError) as caught:
        save(vault, bundle)
    assert '"env:VARIABLE", "file:/PATH" or "ask"' in caught.value.hint
    assert not folder.exists()


def test_a_keyring_that_loses_what_it_is_given_leaves_no_key(
    vault: Vault, bundle: Bundle, folder: Path, ring: MemoryKeyring
) -> None:
    ring.loses = True
    with pytest.raises(SecretError, match="did not keep"):
        save(vault, bundle)
    assert files(folder) == {}


@pytest.mark.parametrize("fails_at", range(3))
def test_a_disk_that_is_full_leaves_neither_file_nor_entry(
    vault: Vault,
    bundle: Bundle,
    folder: Path,
    ring: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    fails_at: int,
) -> None:
    put = sealed_files._put
    calls = 0

    def full(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at + 1:
            raise DiskError("The disk is full.")
        put(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sealed_files, "_put", full)
    with pytest.raises(DiskError, match="full"):
        save(vault, bundle)
    assert (files(folder), ring.secrets) == ({}, {})


@pytest.mark.parametrize("fails_at", range(3))
def test_a_move_that_fails_leaves_all_as_it_was(
    vault: Vault,
    bundle: Bundle,
    folder: Path,
    ring: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    fails_at: int,
) -> None:
    save(vault, bundle)
    before, entries = files(folder), dict(ring.secrets)
    put = sealed_files._put
    calls = 0

    def full(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at + 1:
            raise DiskError("The disk is full.")
        put(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sealed_files, "_put", full)
    with pytest.raises(DiskError, match="full"):
        vault.move_passphrase(NAME, "keyring")
    assert (files(folder), ring.secrets) == (before, entries)
    assert holds(vault, bundle)


@pytest.mark.parametrize("ends_after", range(4))
def test_a_process_that_is_killed_during_a_move_leaves_a_key_that_opens(
    vault: Vault,
    bundle: Bundle,
    other: Bundle,
    ring: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    ends_after: int,
) -> None:
    save(vault, bundle)
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", "another")
    put = sealed_files._put
    calls = 0

    def killed(*arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls <= ends_after:
            put(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(sealed_files, "_put", killed)
        patch.setattr("wsgui.certificates.sealed_keys.forget", lambda entry: None)
        vault.move_passphrase(NAME, "env:WSGUI_TEST_PASSPHRASE")
    again = Vault(vault.folder)
    assert holds(again, bundle)
    save(again, other)
    assert holds(Vault(vault.folder), other)


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


Spoil = Callable[[Path, Path], object]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda pem, toml: toml.write_text("x = "), "damaged"),
        (lambda pem, toml: toml.write_text("kind = 1"), "damaged"),
        (lambda pem, toml: toml.write_text('passphrase = "ask"'), "damaged"),
        (lambda pem, toml: toml.write_bytes(b"\xff"), "damaged"),
        (lambda pem, toml: toml.unlink(), "missing"),
        (lambda pem, toml: pem.unlink(), "missing"),
        (lambda pem, toml: pem.write_text(""), "damaged"),
        (lambda pem, toml: pem.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"), "damaged"),
        (lambda pem, toml: pem.write_bytes(b"x" * 2_000_000), "damaged"),
        (lambda pem, toml: (pem.unlink(), pem.symlink_to("/etc/hostname")), "link"),
        (lambda pem, toml: (pem.unlink(), pem.mkdir()), "not a file"),
        (lambda pem, toml: (pem.unlink(), os.mkfifo(pem)), "not a file"),
    ],
)
def test_broken_files_are_named_and_hide_no_other(vault: Vault, bundle: Bundle, spoil: Spoil, sentence: str) -> None:
    save(vault, bundle)
    save(vault, bundle, name="whole")
    pem = vault.file(NAME)
    spoil(pem, pem.with_suffix(".toml"))
    with pytest.raises(CertificateError, match=sentence) as caught:
        vault.read(NAME)
    assert str(pem.with_suffix("")) in caught.value.message
    assert caught.value.hint
    assert vault.names() == (NAME, "whole")
    assert holds(vault, bundle, "whole")


def test_a_damaged_key_is_said(vault: Vault, bundle: Bundle) -> None:
    save(vault, bundle)
    lines = vault.file(NAME).read_text().splitlines(keepends=True)
    vault.file(NAME).write_text("".join(lines[lines.index("-----BEGIN CERTIFICATE-----\n") :]))
    with pytest.raises(CertificateError, match="no encrypted key"):
        vault.key(NAME)


def test_the_key_of_another_certificate_is_said(vault: Vault, bundle: Bundle, other: Bundle) -> None:
    save(vault, bundle)
    key = vault.file(NAME).read_text().partition("-----BEGIN CERT")[0]
    save(vault, other)
    chain = "-----BEGIN CERT" + vault.file(NAME).read_text().partition("-----BEGIN CERT")[2]
    vault.file(NAME).write_text(key + chain)
    with pytest.raises(CertificateError, match="does not belong"):
        vault.key(NAME)


def test_a_key_that_does_not_belong_to_its_certificate_is_not_saved(
    vault: Vault, bundle: Bundle, other: Bundle, folder: Path, ring: MemoryKeyring
) -> None:
    with pytest.raises(CertificateError, match="does not belong"):
        save(vault, Bundle(bundle.key, other.chain))
    assert (files(folder), ring.secrets) == ({}, {})


def test_a_broken_certificate_can_be_made_anew_and_removed(vault: Vault, bundle: Bundle, other: Bundle) -> None:
    save(vault, bundle)
    vault.file(NAME).with_suffix(".toml").write_text("x =")
    save(vault, other)
    assert holds(vault, other)
    vault.file(NAME).with_suffix(".toml").write_text("x =")
    assert vault.remove(NAME) is True
    assert vault.names() == ()


def test_a_planted_link_is_not_written_through(vault: Vault, bundle: Bundle, folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (tmp_path / "other").write_text("x")
    vault.file(NAME).symlink_to(tmp_path / "other")
    with pytest.raises(DiskError, match="link"):
        save(vault, bundle)
    assert (tmp_path / "other").read_text() == "x"


def test_files_of_others_in_the_folder_are_left_alone(vault: Vault, bundle: Bundle, folder: Path) -> None:
    save(vault, bundle)
    for name in ("README.txt", "Büro.pem", ".hidden.pem", "_x.toml"):
        (folder / name).write_text("x")
    assert vault.names() == (NAME,)


def test_what_a_killed_process_left_is_cleared_away(vault: Vault, bundle: Bundle, folder: Path) -> None:
    save(vault, bundle)
    (folder / ".office.lan.0123456789abcdef.tmp").write_text("half")
    save(vault, bundle)
    assert set(files(folder)) == {f"{NAME}.pem", f"{NAME}.toml"}


def test_authorities_are_kept_newest_first(vault: Vault, ring: MemoryKeyring) -> None:
    made = [make_authority([NAME], machine=["here"]) for _ in range(2)]
    for authority, key in made:
        stored = vault.save_authority(authority, key)
        assert stored.passphrase == f"keyring:authority/{authority.id}"
    (first, _), (second, second_key) = made
    assert [stored.authority for stored in vault.authorities()] == [second, first]
    assert vault.authorities()[0].created > vault.authorities()[1].created
    assert vault.signing_key(second.id).public_key() == second_key.public_key()
    assert vault.names() == ()
    assert vault.remove_authority(second.id) is True
    assert [stored.authority.id for stored in vault.authorities()] == [first.id]
    assert ring.names == {f"authority/{first.id}"}


def test_a_broken_authority_hides_no_other_and_is_told(vault: Vault) -> None:
    made = [make_authority([], machine=["here"]) for _ in range(3)]
    for authority, key in made:
        vault.save_authority(authority, key)
    folder = vault.folder / "authorities"
    (folder / f"{made[0][0].id}.toml").write_text("created = 1")
    (folder / f"{made[1][0].id}.pem").write_bytes((folder / f"{made[2][0].id}.pem").read_bytes())
    assert [stored.authority.id for stored in vault.authorities()] == [made[2][0].id]
    assert len(vault.broken_authorities()) == 2


@pytest.mark.parametrize("identity", ["", "../x", "x" * 16, "0" * 15, "A" * 16])
def test_what_is_no_authority_leads_nowhere(vault: Vault, identity: str) -> None:
    with pytest.raises(CertificateError, match="is not an authority"):
        vault.signing_key(identity)


def test_an_authoritys_key_under_a_passphrase_that_is_asked(folder: Path) -> None:
    authority, key = make_authority([], machine=["here"])
    Vault(folder, ask=Person("mine", "mine")).save_authority(authority, key, "ask")
    vault = Vault(folder)
    vault.unlock_authority(authority.id, "mine")
    assert vault.signing_key(authority.id).public_key() == key.public_key()


SAVE_MANY = """
import sys
from pathlib import Path
from wsgui.certificates.issue import self_signed
from wsgui.certificates.vault import Vault
from wsgui.errors import CertificateError
vault = Vault(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
done = 0
while done < 8:
    try:
        vault.save("shared", self_signed(["shared.lan"]), "self-signed", asked=[], authority="",
                   passphrase=f"env:PASS_{sys.argv[2]}")
        done += 1
    except CertificateError as error:
        assert "changed by another" in str(error), error
    try:
        vault.read("shared")
    except CertificateError as error:
        assert "missing" in str(error), error
"""


def test_two_processes_at_once_leave_one_whole_certificate(vault: Vault) -> None:
    environment = os.environ | {"PASS_0": "zero", "PASS_1": "one", "PYTHONPATH": os.getcwd()}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE_MANY, str(vault.folder), str(number)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    reference = vault.read("shared").passphrase
    vault.unlock("shared", {"env:PASS_0": "zero", "env:PASS_1": "one"}[reference])
    assert len(files(vault.folder)) == 2


def test_a_reader_never_finds_a_key_that_does_not_open(
    vault: Vault, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WSGUI_TEST_PASSPHRASE", "another")
    save(vault, bundle)
    reader = Vault(vault.folder)
    over = threading.Event()
    failures: list[WsguiError] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        while not over.is_set():
            try:
                reader.key(NAME)
                reads += 1
            except WsguiError as error:
                failures.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for turn in range(6):
            vault.move_passphrase(NAME, "keyring" if turn % 2 else "env:WSGUI_TEST_PASSPHRASE")
    finally:
        over.set()
        thread.join(30)
    assert failures == []
    assert reads


def test_no_repr_has_a_passphrase(folder: Path, bundle: Bundle) -> None:
    vault = Vault(folder, ask=Person("hunter2", "hunter2"))
    managed = save(vault, bundle, "ask")
    shown = [repr(vault), repr(vars(vault)), repr(managed), repr(vars(vault._certificates))]
    assert "hunter2" not in "".join(shown)
