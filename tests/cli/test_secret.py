"""`wsgui secret …` as people and scripts use it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring.errors
import pytest

from tests.support.keyrings import MemoryKeyring, memory_keyring
from wsgui.app.paths import paths
from wsgui.certificates.authority import make_authority
from wsgui.certificates.issue import issue
from wsgui.certificates.vault import Vault
from wsgui.cli.main import main
from wsgui.profiles import keyring_access

SECRET = "user:hunter2-ü"
PROFILE = 'name = "{name}"\ntarget = "office:5901"\n[access]\nbasic = "{basic}"\n'


class Shell:
    """Runs `wsgui secret ARGUMENTS` and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.out = self.err = ""

    def __call__(self, *arguments: str, code: int = 0, given: bytes = b"") -> str:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        try:
            result = main(["secret", *arguments])
        except SystemExit as ended:
            result = int(ended.code or 0)
        self.out, self.err = self._capsys.readouterr()
        assert result == code, self.err
        assert "hunter2" not in self.out + self.err
        return self.out

    def json(self) -> Any:
        return json.loads(self("list", "--json"))


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    with memory_keyring() as made:
        yield made


@pytest.fixture
def wsgui(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ring: MemoryKeyring
) -> Iterator[Shell]:
    for variable in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"WSGUI_{variable}_DIR", str(tmp_path / variable.lower()))
    monkeypatch.chdir(tmp_path)
    yield Shell(capsys, monkeypatch)
    keyring_access.allow_prompts(False)


def profile(name: str, basic: str) -> None:
    folder = paths().profiles
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name.lower()}.toml").write_text(PROFILE.format(name=name, basic=basic))


def certificate() -> tuple[str, str]:
    """Make one; the names of its entry and its authority's in the keyring."""
    vault = Vault(paths().certificates)
    authority, key = make_authority([], machine=["here"])
    vault.save_authority(authority, key)
    vault.save("lab.lan", issue(authority, key, ["lab.lan"]), "issued", asked=["lab.lan"], authority=authority.id)
    return "certificate/lab.lan", f"authority/{authority.id}"


@pytest.mark.parametrize("name", ["", " ", "keyring:"])
def test_a_secret_needs_a_name(wsgui: Shell, ring: MemoryKeyring, name: str) -> None:
    wsgui("set", name, given=b"x", code=2)
    assert "has no name" in wsgui.err
    assert ring.secrets == {}


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_pipe_without_its_last_line_end(wsgui: Shell, ring: MemoryKeyring, ending: bytes) -> None:
    assert '"keyring:office"' in wsgui("set", "office", given=SECRET.encode() + ending)
    assert ring.secrets == {("wsgui", "office"): SECRET}


def test_only_one_line_end_is_taken_off(wsgui: Shell, ring: MemoryKeyring) -> None:
    wsgui("set", "office", given=b"a\n\n")
    assert ring.secrets == {("wsgui", "office"): "a\n"}


def test_a_reference_is_taken_for_its_name(wsgui: Shell, ring: MemoryKeyring) -> None:
    wsgui("set", "keyring:office", given=b"x")
    assert ring.names == {"office"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [(b"", "was empty"), (b"\n", "was empty"), (b"\xff", "not UTF-8"), (b"x" * 70_000, "at most 64 KiB")],
)
def test_what_is_no_secret_is_not_stored(wsgui: Shell, ring: MemoryKeyring, given: bytes, sentence: str) -> None:
    wsgui("set", "office", code=1, given=given)
    assert sentence in wsgui.err
    assert ring.secrets == {}


def test_from_a_variable_and_from_a_file(
    wsgui: Shell, ring: MemoryKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIVEN", SECRET)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "secret").chmod(0o600)
    wsgui("set", "a", "--from", "env:GIVEN")
    wsgui("set", "b", "--from", "file:secret")
    assert set(ring.secrets.values()) == {SECRET}


def test_another_place_is_refused_and_not_repeated(wsgui: Shell, ring: MemoryKeyring) -> None:
    wsgui("set", "office", "--from", "hunter2", code=2)
    wsgui("set", "office", "--from", "keyring:x", code=2)
    assert ring.secrets == {}


@pytest.mark.parametrize("name", ["certificate/x", "authority/x"])
def test_names_of_certificates_cannot_be_set(wsgui: Shell, name: str) -> None:
    wsgui("set", name, code=2, given=b"x")
    assert "kept for certificates" in wsgui.err


def test_two_that_differ_are_not_stored(wsgui: Shell, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["one", "two"])
    monkeypatch.setattr("wsgui.cli.secret.somebody_is_there", lambda: True)
    monkeypatch.setattr("wsgui.cli.secret.typed", lambda prompt: next(answers))
    wsgui("set", "office", code=1)
    assert "not the same" in wsgui.err
    assert ring.secrets == {}


def test_without_any_the_list_says_how_to_store_one(wsgui: Shell) -> None:
    assert "wsgui secret set NAME" in wsgui("list")


def test_the_list_has_users_and_what_is_missing(wsgui: Shell, ring: MemoryKeyring) -> None:
    profile("Office", "keyring:office")
    profile("Lab", "keyring:gone")
    profile("Other", "env:X")
    wsgui("set", "office", given=SECRET.encode())
    wsgui("set", "unused", given=b"x")
    assert wsgui.json() == {
        "keyring": "available",
        "secrets": [
            {"name": "gone", "state": "missing", "used_by": ["Lab"]},
            {"name": "office", "state": "kept", "used_by": ["Office"]},
            {"name": "unused", "state": "kept", "used_by": []},
        ],
        "certificates": [],
        "problems": [],
    }
    lines = wsgui("list").splitlines()
    assert lines[0].split() == ["SECRET", "KEYRING", "USED", "BY"]
    assert lines[1].split() == ["gone", "missing", "Lab"]


def test_certificates_entries_are_listed_apart(wsgui: Shell) -> None:
    of_leaf, of_authority = certificate()
    listed = wsgui.json()
    assert listed["secrets"] == []
    assert [row["name"] for row in listed["certificates"]] == sorted([of_leaf, of_authority])
    assert "OF A CERTIFICATE" in wsgui("list")


def test_with_a_locked_keyring_names_are_listed_and_it_is_said(wsgui: Shell, ring: MemoryKeyring) -> None:
    wsgui("set", "office", given=b"x")
    ring.failure = keyring.errors.KeyringLocked("x")
    assert "not known" in wsgui("list")
    assert "The keyring is locked." in wsgui.err


def test_a_broken_file_hides_nothing_else(wsgui: Shell) -> None:
    profile("Office", "keyring:office")
    (paths().profiles / "broken.toml").write_text("x = ")
    certificate()
    (paths().certificates / "lab.lan.toml").write_text("x = ")
    assert "office" in wsgui("list")
    assert "broken.toml" in wsgui.err
    assert "lab.lan.toml" in wsgui.err


def test_one_that_is_used_stays_unless_it_is_meant(wsgui: Shell, ring: MemoryKeyring) -> None:
    profile("Office", "keyring:office")
    wsgui("set", "office", given=b"x")
    wsgui("remove", "office", code=2)
    assert '"office" is used by Office.' in wsgui.err
    wsgui("remove", "office", "--yes")
    assert ring.secrets == {}


def test_one_that_is_not_there_is_said(wsgui: Shell) -> None:
    wsgui("remove", "office", code=1)
    assert "has no secret" in wsgui.err


def test_the_passphrase_of_a_certificate_stays(wsgui: Shell, ring: MemoryKeyring) -> None:
    for name in certificate():
        wsgui("remove", name, "--yes", code=2)
        assert "opens the key of" in wsgui.err
        kind, _, owner = name.partition("/")
        option = "--authority " if kind == "authority" else ""
        assert f"wsgui certificate remove {option}{owner}" in wsgui.err
        assert name in ring.names


def test_a_certificates_entry_that_nothing_uses_goes_when_it_is_meant(wsgui: Shell, ring: MemoryKeyring) -> None:
    ring.secrets["wsgui", "certificate/old"] = "x"
    wsgui("remove", "certificate/old", code=2)
    assert "add --yes" in wsgui.err
    wsgui("remove", "certificate/old", "--yes")
    assert ring.secrets == {}


def test_nothing_of_a_name_steers_the_terminal(wsgui: Shell) -> None:
    wsgui("remove", "a\x1b[31m", code=1)
    assert "\x1b" not in wsgui.err
