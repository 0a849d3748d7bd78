"""wsgui/command/environment.py: what a program of the tunnel's gets from our environment, and what it never sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgui.certificates.authority import make_authority
from wsgui.certificates.issue import self_signed
from wsgui.certificates.vault import Vault
from wsgui.command.environment import arguments_of, environment_of, referenced_variables
from wsgui.errors import WsguiError
from wsgui.profiles import withheld
from wsgui.profiles.model import Profile, Tls, Tokens
from wsgui.profiles.sections import Command, Metrics


def test_the_usual_variables_stay_and_those_of_the_profile_are_added() -> None:
    command = Command(run=("x",), environment={"DISPLAY": ":1", "LANG": "C"})

    made = environment_of({"HOME": "/home/a", "LANG": "de_DE"}, command, hidden=(), port=None)

    assert made == {"HOME": "/home/a", "LANG": "C", "DISPLAY": ":1"}


@pytest.mark.parametrize(
    "name",
    [
        "WSGUI_TARGET",
        "WSGUI_ACCESS__BASIC",
        "NOTIFY_SOCKET",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_FDNAMES",
        "CREDENTIALS_DIRECTORY",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
    ],
)
def test_what_was_meant_for_us_is_taken_out(name: str) -> None:
    assert environment_of({name: "x", "PATH": "/bin"}, Command(), hidden=(), port=None) == {"PATH": "/bin"}


@pytest.mark.parametrize("name", ["MY_NOTIFY_SOCKET", "LISTENER", "XWSGUI_A", "CREDENTIALS_DIRECTORY_2"])
def test_what_only_looks_alike_stays(name: str) -> None:
    assert environment_of({name: "x"}, Command(), hidden=(), port=None) == {name: "x"}


def test_the_port_is_told_and_has_the_last_word() -> None:
    made = environment_of({"PORT": "1"}, Command(environment={"PORT": "2"}), hidden=(), port=41234)

    assert made == {"PORT": "41234"}


def test_without_a_port_to_tell_the_program_keeps_the_variable_that_it_had() -> None:
    assert environment_of({"PORT": "1"}, Command(), hidden=(), port=None) == {"PORT": "1"}


def test_the_variables_of_the_profile_s_secrets_are_taken_out() -> None:
    profile = Profile.model_construct(
        name="x",
        tls=Tls.model_construct(certificate_file="/c.pem", key_password="env:KEY_PASSWORD"),
        tokens=Tokens.model_construct(source="jwt:env:JWT_KEY", password="env:REDIS"),
        metrics=Metrics.model_construct(token="keyring:metrics"),
    )

    hidden = referenced_variables(profile)

    assert hidden == {"KEY_PASSWORD", "JWT_KEY", "REDIS"}
    assert environment_of(dict.fromkeys([*hidden, "A"], "x"), Command(), hidden=hidden, port=None) == {"A": "x"}


def test_arguments_of_the_program_that_look_like_references_hide_nothing() -> None:
    profile = Profile.model_construct(name="x", command=Command(run=("x", "env:HOME")))

    assert referenced_variables(profile) == frozenset()


def test_what_the_profile_itself_hands_over_is_handed_over() -> None:
    command = Command(environment={"PASSWORD": "mine"})

    assert environment_of({"PASSWORD": "x"}, command, hidden={"PASSWORD"}, port=None) == {"PASSWORD": "mine"}


@pytest.mark.parametrize("name", ["", "A=B"])
def test_a_name_that_no_environment_can_hold_is_refused(name: str) -> None:
    with pytest.raises(WsguiError) as caught:
        environment_of({}, Command(environment={name: "x"}), hidden=(), port=None)

    assert caught.value.field == "command.environment"


def test_each_place_of_the_port_in_the_arguments_is_filled() -> None:
    command = Command(run=("serve", "--listen=[::1]:{port}", "{port}{port}", "{other}"))

    assert arguments_of(command, port=80) == ("serve", "--listen=[::1]:80", "8080", "{other}")
    assert arguments_of(command, port=None) == command.run


def test_the_variables_of_certificates_passphrases_are_taken_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAF_PASSPHRASE", "of the leaf")
    monkeypatch.setenv("AUTHORITY_PASSPHRASE", "of the authority")
    authority, key = make_authority([], machine=[])
    kept = Vault(tmp_path / "certificates")
    kept.save_authority(authority, key, "env:AUTHORITY_PASSPHRASE")
    kept.save(
        "a.lan", self_signed(["a.lan"]), "self-signed", asked=["a.lan"], authority="", passphrase="env:LEAF_PASSPHRASE"
    )
    monkeypatch.setattr(withheld, "_withheld", set())  # as in a process that has just begun

    Vault(tmp_path / "certificates").withhold_variables()

    base = {"LEAF_PASSPHRASE": "x", "AUTHORITY_PASSPHRASE": "x", "A": "x"}
    assert environment_of(base, Command(), hidden=(), port=None) == {"A": "x"}
