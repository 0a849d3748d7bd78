"""The vault when something fails or somebody else is at it: no file that is half of anything."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import keyring.errors
import pytest

from tests.support.keyrings import MemoryKeyring
from tests.support.vaults import NAME, files, holds, save
from wsgui.certificates import sealed_files
from wsgui.certificates.authority import make_authority
from wsgui.certificates.issue import Bundle
from wsgui.certificates.vault import Vault
from wsgui.errors import CertificateError, SecretError, WsguiError
from wsgui.profiles.disk import DiskError
from wsgui.profiles.secrets import resolve


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


def test_a_broken_authority_hides_no_other_and_is_told(vault: Vault) -> None:
    made = [make_authority([], machine=["here"]) for _ in range(3)]
    for authority, key in made:
        vault.save_authority(authority, key)
    folder = vault.folder / "authorities"
    (folder / f"{made[0][0].id}.toml").write_text("created = 1")
    (folder / f"{made[1][0].id}.pem").write_bytes((folder / f"{made[2][0].id}.pem").read_bytes())
    assert [stored.authority.id for stored in vault.authorities()] == [made[2][0].id]
    assert len(vault.broken_authorities()) == 2


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


def another_users(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be a user who is neither root nor the folder's owner."""
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 4000)


@pytest.mark.skipif(os.name == "nt", reason="Access lists are not in the mode")
def test_a_folder_that_others_can_replace_gets_no_key(
    vault: Vault, bundle: Bundle, folder: Path, ring: MemoryKeyring
) -> None:
    folder.parent.mkdir(parents=True)
    folder.parent.chmod(0o777)
    with pytest.raises(CertificateError, match="put another in the place"):
        save(vault, bundle)
    assert (files(folder), ring.secrets) == ({}, {})
    folder.parent.chmod(0o1777)
    save(vault, bundle)
    assert holds(vault, bundle)


@pytest.mark.skipif(os.name == "nt", reason="Access lists are not in the mode")
@pytest.mark.parametrize("owner", ["own", "planted"])
def test_a_planted_folder_is_neither_read_nor_written(
    vault: Vault, bundle: Bundle, folder: Path, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    save(vault, bundle)
    folder.chmod(0o777)
    if owner == "own":
        assert holds(vault, bundle)  # and what others could do there is taken from them
        assert folder.stat().st_mode & 0o077 == 0
        return
    if folder.stat().st_uid == 0:
        os.chown(folder, 65534, 65534)
    another_users(folder, monkeypatch)
    with pytest.raises(CertificateError, match="belongs to another user"):
        vault.key(NAME)
    with pytest.raises(CertificateError, match="belongs to another user"):
        save(vault, bundle, name="other.lan")


def test_a_folder_that_looks_like_a_leftover_is_no_hindrance(vault: Vault, bundle: Bundle, folder: Path) -> None:
    (folder / ".x.tmp").mkdir(parents=True)
    save(vault, bundle)
    assert holds(vault, bundle)


def test_what_is_left_of_an_authority_that_was_being_made_is_passed_over(vault: Vault, folder: Path) -> None:
    authority, key = make_authority([], machine=[])
    vault.save_authority(authority, key)
    (folder / "authorities" / f"{authority.id}.pem").unlink()
    assert (vault.authorities(), vault.broken_authorities()) == ((), ())


def test_removing_half_a_certificate_removes_its_passphrase_too(
    vault: Vault, bundle: Bundle, folder: Path, ring: MemoryKeyring
) -> None:
    save(vault, bundle)
    vault.file(NAME).unlink()
    assert vault.remove(NAME)
    assert (files(folder), ring.secrets) == ({}, {})


def test_a_reader_waits_for_more_than_one_move_of_the_passphrase(
    vault: Vault, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRST", "first passphrase")
    monkeypatch.setenv("SECOND", "second passphrase")
    save(vault, bundle, "env:FIRST")
    mover = Vault(vault.folder)
    places = iter(["env:SECOND", "env:FIRST"])

    def meanwhile(reference: str) -> str:
        if place := next(places, ""):
            mover_resolves.setattr("wsgui.certificates.sealed_keys.resolve", resolve)
            mover.move_passphrase(NAME, place)
            mover_resolves.setattr("wsgui.certificates.sealed_keys.resolve", meanwhile)
            raise SecretError("It was moved.")
        return resolve(reference)

    with pytest.MonkeyPatch.context() as mover_resolves:
        mover_resolves.setattr("wsgui.certificates.sealed_keys.resolve", meanwhile)
        assert vault.key(NAME).private_numbers() == bundle.key.private_numbers()
