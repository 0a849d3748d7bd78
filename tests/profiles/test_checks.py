"""What the fields of a profile must be to one another: each combination that cannot be gets its sentence."""

from __future__ import annotations

from typing import Any

import pytest

from wsgui.errors import ProfileError
from wsgui.profiles.checks import access_needs_credential, problems_of
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile

TARGET = {"name": "Office", "target": "office:5901"}
TLS = {"certificate_file": "/c.pem"}
SHELL = {"name": "Shell", "listen": "127.0.0.1:6080"}
TOKEN = {"target": "office:5901"}


@pytest.mark.parametrize(
    "fields",
    [
        TARGET,
        {"name": "x", "targets": {"a": TOKEN}},
        {"name": "x", "command": {"run": ["vnc"]}},
        TARGET | {"tls": TLS | {"client_authority": "/ca.pem"}, "access": {"client_names": ["anna"]}},
        TARGET | {"access": {"plugin": "a.B", "plugin_argument": "x"}},
        SHELL | {"command": {"run": ["sh"], "mode": "stdio"}, "access": {"anyone": True}},
        SHELL | {"command": {"run": ["sh"], "mode": "stdio"}, "access": {"basic": "env:X"}},
        SHELL | {"command": {"run": ["sh"], "mode": "terminal"}, "tls": TLS | {"client_authority": "/ca.pem"}},
        SHELL | {"listen": "unix:/run/user/1000/s", "command": {"run": ["sh"], "mode": "stdio"}},
        SHELL | {"listen": "unix:/run/user/1000/s", "command": {"run": ["vnc"], "mode": "port", "port": 5901}},
    ],
)
def test_what_fits_together_is_fine(fields: dict[str, Any]) -> None:
    assert problems_of(Profile.model_validate(fields)) == ()


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": "x"}, "target", "has no target"),
        (TARGET | {"targets": {"a": TOKEN}}, "target", "a target and targets by token"),
        (TARGET | {"command": {"run": ["vnc"]}}, "target", "a target and a command"),
        (
            {"name": "x", "targets": {"a": TOKEN}, "command": {"run": ["vnc"]}},
            "targets",
            "targets by token and a command",
        ),
        (TARGET | {"listen": "127.0.0.1:5901", "target": "127.0.0.1:5901"}, "target", "connect to itself"),
        (TARGET | {"tls": {"client_authority": "/ca.pem"}}, "tls.client_authority", "over TLS only"),
        (TARGET | {"tls": {"certificate": ["a.lan"], "key_password": "env:X"}}, "tls.key_password", "itself"),
        (TARGET | {"tls": {"certificate": ["a.lan"], "key_file": "/k"}}, "tls.key_file", "itself"),
        (TARGET | {"tls": {"certificate": ["a.lan"], "certificate_file": "/c"}}, "tls.certificate", "only one"),
        (TARGET | {"access": {"client_names": ["anna"]}}, "access.client_names", "the authority that signs them"),
        (TARGET | {"access": {"plugin_argument": "x"}}, "access.plugin_argument", "no plugin to give it to"),
        (TARGET | {"command": {"mode": "port"}}, "command.mode", "no program to run"),
        (TARGET | {"command": {"port": 5901}}, "command.port", "no program to run"),
        (
            SHELL | {"command": {"run": ["sh"], "mode": "stdio", "port": 1}, "access": {"anyone": True}},
            "command.port",
            "binds no port",
        ),
        (SHELL | {"command": {"run": ["sh"], "mode": "stdio"}}, "command.mode", "Anybody who reaches this tunnel"),
        (
            SHELL | {"command": {"run": ["sh"], "mode": "terminal"}, "access": {"plugin": "a.B"}},
            "command.mode",
            "Anybody who reaches this tunnel",
        ),
        (
            SHELL | {"listen": "unix:/run/user/1000/s", "command": {"run": ["vnc"]}},
            "command.port",
            "binds is not known",
        ),
        (SHELL | {"listen": "127.0.0.1:0", "command": {"run": ["vnc"]}}, "command.port", "binds is not known"),
    ],
)
def test_what_does_not_is_named(fields: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(ProfileError) as caught:
        build_profile(fields, "x")
    (problem,) = caught.value.problems
    assert problem.field == field
    assert says in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        (TARGET, False),
        (TARGET | {"access": {"basic": "env:X"}}, True),
        (TARGET | {"access": {"plugin": "a.B"}}, False),
        (TARGET | {"access": {"anyone": True}}, False),
        (TARGET | {"tls": TLS | {"client_authority": "/ca.pem"}}, True),
        ({"name": "x", "targets": {"a": TOKEN}}, True),
        ({"name": "x", "targets": {"a": TOKEN}, "tokens": {"by_host": True}}, False),
    ],
)
def test_a_secret_is_a_password_a_certificate_or_a_token_of_one_s_own(fields: dict[str, Any], needs: bool) -> None:
    assert access_needs_credential(Profile.model_validate(fields)) is needs
