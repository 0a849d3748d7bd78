"""Certificates by the command, from nothing to a browser's database that trusts them, with real keyrings and none."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import subprocess
import sys
import termios
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.secret_service import MISSING, SecretService, secret_service
from tests.support.waiting import wait_until
from wsgui.app import qr

PASSPHRASE = "correct horse battery staple"
BY_VARIABLE = {"OFFICE_PASSPHRASE": PASSPHRASE}
ENTRY = ("service", "wsgui", "username")

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@pytest.fixture
def unlocked(tmp_path: Path) -> Iterator[SecretService]:
    with secret_service(tmp_path) as service:
        yield service


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[SecretService]:
    with secret_service(tmp_path, "locked") as service:
        yield service


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[SecretService]:
    """A computer without any keyring: a container, a server."""
    with secret_service(tmp_path, "no-bus") as service:
        yield service


def certificate(service: SecretService, *arguments: str, code: int = 0, **more: Any) -> str:
    done = service.wsgui("certificate", *arguments, **more)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def folder_of(service: SecretService) -> Path:
    return Path(service.environment["WSGUI_DATA_DIR"]) / "certificates"


def in_keyring(service: SecretService, name: str) -> str:
    return service.run("secret-tool", "lookup", *ENTRY, name).stdout


def openssl(service: SecretService, *arguments: str) -> str:
    done = service.run("openssl", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_from_nothing_to_a_browser_that_trusts_it_and_back(unlocked: SecretService) -> None:
    made = certificate(unlocked, "create", "office.lan", "192.168.1.20")
    assert "office.lan: made" in made
    assert 'is in the keyring, as "certificate/office.lan"' in made

    (authority,) = json.loads(certificate(unlocked, "list", "--json"))["authorities"]
    nickname = f"wsgui local authority {authority['id']}"
    assert "Chrome trusts it now." in certificate(unlocked, "trust", "--store", "chrome")
    database = f"sql:{unlocked.home}/.pki/nssdb"
    assert nickname in unlocked.run("certutil", "-L", "-d", database).stdout
    assert "Chrome" in certificate(unlocked, "list").splitlines()[1]
    certificate(unlocked, "untrust", "--store", "chrome")
    assert nickname not in unlocked.run("certutil", "-L", "-d", database).stdout


def test_openssl_accepts_it_by_name_and_by_address_and_nothing_else(unlocked: SecretService) -> None:
    certificate(unlocked, "create", "office.lan", "192.168.1.20")
    certificate(unlocked, "export", "office.lan", "--pem", "chain.pem")
    certificate(unlocked, "export", "--authority", "root.pem")
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "chain.pem"]
    for names in (["-verify_hostname", "office.lan"], ["-verify_ip", "192.168.1.20"]):
        assert unlocked.run(*verify, *names, "chain.pem").returncode == 0
    for names in (["-verify_hostname", "lab.lan"], ["-verify_ip", "192.168.1.21"]):
        assert unlocked.run(*verify, *names, "chain.pem").returncode != 0


def test_each_key_has_a_passphrase_of_its_own_in_the_keyring_and_in_no_file(unlocked: SecretService) -> None:
    certificate(unlocked, "create", "office.lan")
    (authority,) = json.loads(certificate(unlocked, "list", "--json"))["authorities"]
    passphrases = [
        in_keyring(unlocked, f"certificate/{'office.lan'}"),
        in_keyring(unlocked, f"authority/{authority['id']}"),
    ]
    assert len(set(passphrases)) == 2
    assert all(len(each) >= 43 for each in passphrases)
    for path in unlocked.home.rglob("*"):
        if path.is_file() and "keyrings" not in path.parts:
            data = path.read_bytes()
            assert not any(each.encode() in data for each in passphrases), path
            assert b"BEGIN PRIVATE KEY" not in data, path
    assert openssl(
        unlocked, "pkey", "-in", str(folder_of(unlocked) / "office.lan.pem"), "-passin", f"pass:{passphrases[0]}"
    )


def test_a_renewed_one_opens_with_the_same_entry(unlocked: SecretService) -> None:
    certificate(unlocked, "create", "office.lan")
    before = in_keyring(unlocked, "certificate/office.lan")
    certificate(unlocked, "renew", "office.lan")
    assert in_keyring(unlocked, "certificate/office.lan") == before
    certificate(
        unlocked, "export", "office.lan", "--pkcs12", "a.p12", "--password", "env:OFFICE_PASSPHRASE", more=BY_VARIABLE
    )


def test_a_moved_passphrase_and_a_removed_certificate_leave_no_entry(unlocked: SecretService) -> None:
    certificate(unlocked, "create", "office.lan")
    certificate(unlocked, "passphrase", "office.lan", "env:OFFICE_PASSPHRASE", more=BY_VARIABLE)
    assert in_keyring(unlocked, "certificate/office.lan") == ""
    certificate(unlocked, "passphrase", "office.lan", "keyring", more=BY_VARIABLE)
    assert in_keyring(unlocked, "certificate/office.lan")
    certificate(unlocked, "remove", "office.lan")
    assert in_keyring(unlocked, "certificate/office.lan") == ""
    assert "no certificate yet" in certificate(unlocked, "list")


def test_what_openssl_made_is_imported_and_what_was_exported_openssl_reads(unlocked: SecretService) -> None:
    protected = ["-passout", "pass:sesame"]
    request = ["req", "-x509", "-newkey", "rsa:2048", "-days", "90", "-subj", "/CN=bought.lan", *protected]
    openssl(unlocked, *request, "-addext", "subjectAltName=DNS:bought.lan", "-keyout", "k.pem", "-out", "c.pem")
    pair = ["-in", "c.pem", "-inkey", "k.pem", "-passin", "pass:sesame"]
    openssl(unlocked, "pkcs12", "-export", *pair, "-out", "b.p12", *protected)
    password = {"PASSWORD": "sesame", **BY_VARIABLE}
    certificate(unlocked, "import", "k.pem", "c.pem", "--password", "env:PASSWORD", more=password)
    certificate(unlocked, "import", "b.p12", "--name", "again.lan", "--password", "env:PASSWORD", more=password)
    assert "imported" in certificate(unlocked, "show", "again.lan")
    wrong = certificate(
        unlocked, "import", "b.p12", "--name", "x.lan", "--password", "env:OFFICE_PASSPHRASE", code=1, more=password
    )
    assert "b.p12" in wrong

    export = ["export", "bought.lan", "--password", "env:OFFICE_PASSPHRASE"]
    certificate(unlocked, *export, "--pkcs12", "out.p12", more=password)
    certificate(unlocked, *export, "--pem", "out.pem", "--with-key", more=password)
    assert "bought.lan" in openssl(unlocked, "pkcs12", "-in", "out.p12", "-passin", f"pass:{PASSPHRASE}", "-nokeys")
    openssl(unlocked, "pkey", "-in", "out.pem", "-passin", f"pass:{PASSPHRASE}", "-noout")
    for file in ("out.p12", "out.pem"):
        assert (unlocked.home / file).stat().st_mode & 0o777 == 0o600


def test_with_a_locked_keyring_nothing_is_made_until_somebody_says_where(locked: SecretService) -> None:
    said = certificate(locked, "create", "office.lan", code=1)
    assert "The keyring is locked." in said
    assert "--passphrase" in said
    assert not list(folder_of(locked).rglob("*.pem"))
    certificate(locked, "create", "office.lan", "--passphrase", "env:OFFICE_PASSPHRASE", more=BY_VARIABLE)
    assert "env:OFFICE_PASSPHRASE" in certificate(locked, "show", "office.lan")


def test_a_certificate_of_a_keyring_that_is_locked_now_can_be_looked_at_but_not_used(unlocked: SecretService) -> None:
    certificate(unlocked, "create", "office.lan")
    unlocked.lock()
    assert "office.lan" in certificate(unlocked, "list")
    assert "PRIVATE" not in certificate(unlocked, "export", "office.lan")
    assert "so that the key of this computer's authority cannot be used" in certificate(
        unlocked, "renew", "office.lan", code=1
    )
    export = ["export", "office.lan", "--pkcs12", "a.p12", "--password", "env:OFFICE_PASSPHRASE"]
    assert "The keyring is locked." in certificate(unlocked, *export, code=1, more=BY_VARIABLE)
    assert not (unlocked.home / "a.p12").exists()


def test_without_a_keyring_a_file_has_the_passphrase(nobody: SecretService) -> None:
    said = certificate(nobody, "create", "office.lan", code=1)
    assert "There is no keyring on this computer." in said
    assert not list(folder_of(nobody).rglob("*.pem"))
    file = nobody.home / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    file.chmod(0o600)
    certificate(nobody, "create", "office.lan", "--passphrase", f"file:{file}")
    certificate(nobody, "renew", "--all")
    data = (folder_of(nobody) / "office.lan.pem").read_bytes()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in data


def test_without_a_keyring_a_person_may_choose_to_type_it(nobody: SecretService) -> None:
    shown = converse(
        nobody,
        ["certificate", "create", "office.lan"],
        ("instead? [y/N] ", "y"),
        (": ", PASSPHRASE),
        (": ", PASSPHRASE),
        (": ", PASSPHRASE),
        (": ", PASSPHRASE),
    )
    assert "There is no keyring on this computer." in shown
    assert "office.lan: made" in shown
    assert PASSPHRASE not in shown
    shown = converse(nobody, ["certificate", "passphrase", "office.lan", "env:OFFICE_PASSPHRASE"], (": ", PASSPHRASE))
    assert "env" in shown


def test_the_authority_is_offered_by_a_running_tunnel(nobody: SecretService) -> None:
    create = ["create", "localhost", "127.0.0.1", "--passphrase", "env:OFFICE_PASSPHRASE"]
    certificate(nobody, *create, more=BY_VARIABLE)
    profiles = Path(nobody.environment["WSGUI_CONFIG_DIR"]) / "profiles"
    profiles.mkdir(parents=True, mode=0o700)
    (profiles / "office.toml").write_text(
        'name = "Office"\nlisten = "*:0"\ntarget = "127.0.0.1:1"\n[tls]\ncertificate = ["localhost"]\n'
    )
    running = subprocess.Popen(
        [sys.executable, "-m", "wsgui", "--profile", "Office"],
        env=nobody.environment | BY_VARIABLE,
        cwd=nobody.home,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        assert "Office" in running.stdout.readline()
        wait_until("its control channel", lambda: "Office" in nobody.wsgui("status").stdout)
        shown = converse(nobody, ["certificate", "export", "--authority", "--offer", "Office"])
        (authority,) = json.loads(certificate(nobody, "list", "--json"))["authorities"]
        assert authority["fingerprint"] in shown
        url = re.search(r"http://\S+/\.wsgui/authority/\S+", shown)
        assert url is not None, shown
        assert qr.terminal(url[0]) in shown.replace("\r\n", "\n")
        with urllib.request.urlopen(url[0], timeout=10) as page:
            assert authority["id"][:8] in page.read().decode()
    finally:
        running.terminate()
        running.communicate(timeout=30)


def converse(service: SecretService, arguments: list[str], *turns: tuple[str, str]) -> str:
    """Run wsgui on a terminal, type each answer when its question is there, and return all that was shown."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wsgui", *arguments],
        env=service.environment | BY_VARIABLE,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=service.home,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    shown = b""
    try:
        for question, answer in turns:
            heard = b""
            while not heard.endswith(question.encode()):
                piece = _read(master)
                assert piece, shown + heard
                heard += piece
            shown += heard
            os.write(master, answer.encode() + b"\n")
        while piece := _read(master):
            shown += piece
        assert process.wait(30) == 0, shown
    finally:
        os.close(master)
        if process.poll() is None:
            process.kill()
            process.wait()
    return shown.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""  # the terminal's last program has ended
