"""Secrets and certificates with a real Secret Service: unlocked, locked, without a keyring, absent, hanging."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.secret_service import MISSING, SecretService, secret_service

SECRET = "user:hunter2-ü"
PROFILE = """
name = "Office"
target = "office:5901"

[access]
basic = "keyring:office"
"""
STATE = "from wsgui.profiles.keyring_access import state; print(state().state, state().backend, sep='|')"
READ = "import sys; from wsgui.profiles.secrets import resolve; print(resolve(sys.argv[1]))"
SAVE = """
import sys
from pathlib import Path
from wsgui.certificates.issue import self_signed
from wsgui.certificates.vault import Vault
from wsgui.errors import WsguiError
bundle, vault = self_signed(["lab.lan"]), Vault(Path(sys.argv[1]))
try:
    print(vault.save("lab", bundle, "self-signed", asked=["lab.lan"], authority="").passphrase)
except WsguiError as error:
    sys.exit(str(error))
"""
LOAD = """
import ssl, sys
from pathlib import Path
from wsgui.certificates.vault import Vault
vault = Vault(Path(sys.argv[1]))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(vault.file("lab"), password=lambda: vault.passphrase("lab"))
print(vault.key("lab").public_key() == vault.read("lab").chain[0].public_key())
"""
# Takes the place of the program that asks for the keyring's password, says who calls, and never answers.
PROMPTER = """
from jeepney import MessageType, message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection
bus = open_dbus_connection()
for name in ("org.gnome.keyring.SystemPrompter", "org.gnome.keyring.PrivatePrompter"):
    Proxy(message_bus, bus).RequestName(name)
print("ready", flush=True)
while True:
    message = bus.receive()
    if message.header.message_type is MessageType.method_call:
        print("asked", flush=True)
"""
ASKING = """
import sys
import wsgui.profiles.keyring_backends as backends
from wsgui.errors import SecretError
from wsgui.profiles.keyring_access import allow_prompts, get
backends.PROMPT_SECONDS = 1.0
allow_prompts(sys.argv[1] == "allowed")
for _ in range(2):
    try:
        print(get("office"))
    except SecretError as error:
        print(error.message)
"""

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    with secret_service(tmp_path_factory.mktemp("unlocked")) as service:
        yield service


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    with secret_service(tmp_path_factory.mktemp("locked"), "locked") as service:
        yield service


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    with secret_service(tmp_path_factory.mktemp("empty"), "empty") as service:
        yield service


@pytest.fixture(scope="module")
def absent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    with secret_service(tmp_path_factory.mktemp("absent"), "absent") as service:
        yield service


@pytest.fixture(scope="module")
def no_bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    with secret_service(tmp_path_factory.mktemp("none"), "no-bus") as service:
        yield service


def folder_of(service: SecretService) -> Path:
    return Path(service.environment["WSGUI_DATA_DIR"]) / "certificates"


def write_profile(service: SecretService, text: str = PROFILE) -> None:
    profiles = Path(service.environment["WSGUI_CONFIG_DIR"]) / "profiles"
    profiles.mkdir(parents=True, exist_ok=True, mode=0o700)
    (profiles / "office.toml").write_text(text)


def test_what_is_stored_here_another_process_reads(unlocked: SecretService) -> None:
    done = unlocked.wsgui("secret", "set", "stored", given=f"{SECRET}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert SECRET not in done.stdout
    assert unlocked.run("python", "-c", READ, "keyring:stored").stdout == f"{SECRET}\n"
    found = unlocked.run("secret-tool", "lookup", "service", "wsgui", "username", "stored")
    assert found.stdout == SECRET


def test_it_is_said_to_be_available(unlocked: SecretService) -> None:
    assert unlocked.run("python", "-c", STATE).stdout == "available|SecretService\n"


def test_a_secret_of_0_bytes_is_none(unlocked: SecretService) -> None:
    unlocked.run("secret-tool", "store", "--label=x", "service", "wsgui", "username", "nothing")
    done = unlocked.run("python", "-c", READ, "keyring:nothing")
    assert "is empty" in done.stderr


def test_a_secret_set_again_is_the_new_one(unlocked: SecretService) -> None:
    for value in ("first", "second"):
        assert unlocked.wsgui("secret", "set", "again", given=value).returncode == 0
    assert unlocked.run("python", "-c", READ, "keyring:again").stdout == "second\n"


def test_a_secret_from_a_variable_and_from_a_file(unlocked: SecretService) -> None:
    (unlocked.home / "secret").write_text(f"{SECRET}\n")
    (unlocked.home / "secret").chmod(0o600)
    unlocked.wsgui("secret", "set", "file", "--from", "file:secret")
    unlocked.wsgui("secret", "set", "variable", "--from", "env:GIVEN", more={"GIVEN": SECRET})
    for name in ("file", "variable"):
        assert unlocked.run("python", "-c", READ, f"keyring:{name}").stdout == f"{SECRET}\n"


def test_a_secret_is_typed_twice_and_not_shown(unlocked: SecretService) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wsgui", "secret", "set", "typed"],
        env=unlocked.environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    shown = b""
    for expected in (b'"typed": ', b"again: "):
        while not shown.endswith(expected):
            shown += os.read(master, 1024)
        os.write(master, b"hunter2-typed\n")
    while piece := _read(master):
        shown += piece
    os.close(master)
    assert process.wait(30) == 0, shown
    assert b"hunter2" not in shown
    assert unlocked.run("python", "-c", READ, "keyring:typed").stdout == "hunter2-typed\n"


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1024)
    except OSError:
        return b""  # the terminal's last program has ended


def test_the_list_has_names_users_and_what_is_missing_and_no_secret(unlocked: SecretService) -> None:
    write_profile(unlocked, PROFILE + '\n[tls]\ncertificate_file = "/x.pem"\nkey_password = "keyring:gone"\n')
    unlocked.wsgui("secret", "set", "office", given=SECRET)
    unlocked.run("python", "-c", SAVE, str(folder_of(unlocked)))
    done = unlocked.wsgui("secret", "list", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    rows = {row["name"]: (row["state"], row["used_by"]) for row in listed["secrets"]}
    assert rows["office"] == ("kept", ["Office"])
    assert rows["gone"] == ("missing", ["Office"])
    assert [(row["state"], row["used_by"]) for row in listed["certificates"]] == [("kept", ["certificate lab"])]
    assert SECRET not in done.stdout + unlocked.wsgui("secret", "list").stdout


def test_a_secret_is_removed_unless_a_profile_uses_it(unlocked: SecretService) -> None:
    write_profile(unlocked)
    unlocked.wsgui("secret", "set", "office", given=SECRET)
    refused = unlocked.wsgui("secret", "remove", "office")
    assert refused.returncode == 2
    assert '"office" is used by Office.' in refused.stderr
    assert unlocked.wsgui("secret", "remove", "office", "--yes").returncode == 0
    assert "has no secret" in unlocked.run("python", "-c", READ, "keyring:office").stderr


def test_a_certificates_passphrase_is_not_removed_by_accident(unlocked: SecretService) -> None:
    reference = unlocked.run("python", "-c", SAVE, str(folder_of(unlocked))).stdout.strip()
    refused = unlocked.wsgui("secret", "remove", reference, "--yes")
    assert refused.returncode == 2
    assert "certificate lab" in refused.stderr
    assert unlocked.wsgui("secret", "set", "certificate/lab", given="x").returncode == 2


def test_another_process_opens_a_key_whose_passphrase_is_in_the_keyring(unlocked: SecretService) -> None:
    saved = unlocked.run("python", "-c", SAVE, str(folder_of(unlocked)))
    assert saved.stdout.startswith("keyring:certificate/lab"), saved.stderr
    loaded = unlocked.run("python", "-c", LOAD, str(folder_of(unlocked)))
    assert loaded.stdout == "True\n", loaded.stderr


@pytest.mark.parametrize("name", ["locked", "empty", "absent", "no_bus"])
def test_a_keyring_that_cannot_be_used_is_said_at_once_and_nothing_is_written(
    name: str, request: pytest.FixtureRequest
) -> None:
    service: SecretService = request.getfixturevalue(name)
    state, sentence = {
        "locked": ("locked|", "The keyring is locked."),
        "empty": ("absent|", "The computer's Secret Service has no keyring in it yet."),
        "absent": ("absent|", "There is no keyring on this computer."),
        "no_bus": ("absent|", "There is no keyring on this computer."),
    }[name]
    assert service.run("python", "-c", STATE).stdout == f"{state}\n"
    started = time.monotonic()
    done = service.wsgui("secret", "set", "office", given=SECRET)
    assert time.monotonic() - started < 10
    assert done.returncode == 1
    assert sentence in done.stderr
    assert SECRET not in done.stderr
    saved = service.run("python", "-c", SAVE, str(folder_of(service)))
    assert sentence in saved.stderr
    assert '"env:VARIABLE", "file:/PATH" or "ask"' in saved.stderr
    left = [path.name for path in folder_of(service).glob("**/*")] if folder_of(service).exists() else []
    assert not [each for each in left if each != ".lock"]
    listed = json.loads(service.wsgui("secret", "list", "--json").stdout)
    assert listed["secrets"] == []
    assert sentence in listed["problems"][0]


def test_what_profiles_use_is_listed_also_with_a_locked_keyring(locked: SecretService) -> None:
    write_profile(locked)
    done = locked.wsgui("secret", "list")
    try:
        assert done.returncode == 0
        assert "office" in done.stdout
        assert "not known" in done.stdout
        assert "The keyring is locked." in done.stderr
    finally:
        (Path(locked.environment["WSGUI_CONFIG_DIR"]) / "profiles" / "office.toml").unlink()


def test_a_keyring_that_is_locked_later_does_not_open_the_key_any_more(tmp_path: Path) -> None:
    with secret_service(tmp_path) as service:
        service.run("python", "-c", SAVE, str(folder_of(service)))
        service.lock()
        assert "The keyring is locked." in service.run("python", "-c", LOAD, str(folder_of(service))).stderr


def test_a_service_that_hangs_holds_up_nobody_for_long(tmp_path: Path) -> None:
    quick = "import wsgui.profiles.keyring_access as k; k.ANSWER_SECONDS = 1.0; print(k.state().message)"
    with secret_service(tmp_path) as service, service.hanging():
        assert service.run("python", "-c", quick, seconds=30).stdout == "The keyring does not answer.\n"


def test_a_bus_that_comes_late_is_found_without_a_restart(tmp_path: Path) -> None:
    late = """
import os, sys
from wsgui.profiles.keyring_access import state
address = os.environ.pop("DBUS_SESSION_BUS_ADDRESS")
print(state().state)
os.environ["DBUS_SESSION_BUS_ADDRESS"] = address
print(state().state)
"""
    with secret_service(tmp_path) as service:
        assert service.run("python", "-c", late).stdout.split() == ["absent", "available"]


@contextmanager
def prompter(service: SecretService) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROMPTER], env=service.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_where_nobody_is_there_nobody_is_asked(locked: SecretService) -> None:
    with prompter(locked) as asking:
        done = locked.run("python", "-c", ASKING, "not allowed", seconds=10)
        assert done.stdout == "The keyring is locked.\n" * 2, done.stderr
        asking.kill()
        assert asking.stdout is not None
        assert asking.stdout.read() == ""


def test_a_question_that_nobody_answers_ends_and_is_not_put_again_at_once(locked: SecretService) -> None:
    with prompter(locked) as asking:
        started = time.monotonic()
        done = locked.run("python", "-c", ASKING, "allowed", seconds=30)
        assert done.stdout == "The keyring is locked.\n" * 2, done.stderr
        assert time.monotonic() - started < 20
        asking.kill()
        assert asking.stdout is not None
        assert asking.stdout.read() == "asked\n"
