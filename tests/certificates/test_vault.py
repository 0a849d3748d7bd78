"""The vault: keys that are never plain, found again under their names."""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

import pytest

from tests.support.keyrings import MemoryKeyring
from tests.support.vaults import NAME, files, holds, plain_forms, save
from wsgui.certificates.authority import make_authority
from wsgui.certificates.issue import Bundle, issue
from wsgui.certificates.vault import Vault
from wsgui.errors import CertificateError


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


@pytest.mark.parametrize("identity", ["", "../x", "x" * 16, "0" * 15, "A" * 16])
def test_what_is_no_authority_leads_nowhere(vault: Vault, identity: str) -> None:
    with pytest.raises(CertificateError, match="is not an authority"):
        vault.signing_key(identity)
