"""`wsgui profile import -- websockify …` and `export --as websockify`, as they are typed."""

from __future__ import annotations

import io
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from wsgui.cli.main import main
from wsgui.profiles.websockify.options import parse


class Shell:
    """Runs `wsgui profile LINE` and keeps what it printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, line: str, code: int = 0) -> str:
        try:
            result = main(["profile", *shlex.split(line)])
        except SystemExit as ended:
            result = int(ended.code or 0)
        self.out, self.err = self._capsys.readouterr()
        assert result == code, self.err
        return self.out

    def json(self, line: str) -> Any:
        return json.loads(self(line))


@pytest.fixture
def wsgui(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("WSGUI_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path / "config" / "profiles", capsys)


@pytest.mark.parametrize(
    "words", ["websockify", "/usr/bin/websockify", "python3 -m websockify", "wsgui websockify", ""]
)
def test_a_line_becomes_a_profile_of_its_targets_name(wsgui: Shell, words: str) -> None:
    wsgui(f"import -- {words} --heartbeat 20 6080 office:5901")
    assert "office: imported into" in wsgui.out
    shown = wsgui.json("show office --json")
    assert (shown["listen"], shown["target"]) == ("*:6080", "office:5901")
    assert shown["limits"]["heartbeat_seconds"] == 20


def test_what_was_typed_keeps_its_program_plugin_and_folder(wsgui: Shell, tmp_path: Path) -> None:
    wsgui("import --as Telnet -- websockify --web www --auth-plugin my.Auth 2023 --wrap-mode=respawn -- telnetd -d")
    shown = wsgui.json("show Telnet --json")
    assert shown["command"]["run"] == ["telnetd", "-d"]
    assert shown["command"]["when_it_ends"] == "restart"
    assert shown["access"]["plugin"] == "my.Auth"
    assert shown["web"]["root"] == str(tmp_path / "www")
    assert shown["autostart"] is True


def test_each_lost_option_is_told(wsgui: Shell) -> None:
    wsgui("import -- websockify -D --record x --syslog /dev/log 6080 office:5901")
    for option in ("--daemon", "--record", "--syslog", "--cert"):
        assert f"not the same: {option}: " in wsgui.err


def test_a_password_is_not_stored_and_it_is_said_how_to(wsgui: Shell) -> None:
    wsgui("import -- websockify --auth-plugin BasicHTTPAuth --auth-source ann:geheim 6080 office:5901")
    assert "not stored: the secret of access.basic. Store it: wsgui secret set office-basic" in wsgui.err
    (file,) = wsgui.folder.iterdir()
    assert "geheim" not in file.read_text() + wsgui.out + wsgui.err
    assert 'basic = "unbound:office-basic"' in file.read_text()


def test_a_second_one_gets_a_name_of_its_own(wsgui: Shell) -> None:
    wsgui("import -- websockify 6080 office:5901")
    wsgui("import -- websockify 6081 office:5902")
    assert wsgui.json("show 'office 2' --json")["listen"] == "*:6081"


def test_a_name_that_was_asked_for_and_is_taken_is_refused(wsgui: Shell) -> None:
    wsgui("import --as Office -- websockify 6080 office:5901")
    wsgui("import --as Office -- websockify 6081 office:5901", code=2)
    assert "already" in wsgui.err


def test_a_dry_run_shows_and_writes_nothing(wsgui: Shell) -> None:
    assert 'target = "office:5901"' in wsgui("import --dry-run -- websockify 6080 office:5901")
    assert not wsgui.folder.exists()


def test_programs_get_json(wsgui: Shell) -> None:
    line = "--auth-plugin BasicHTTPAuth --auth-source a:b -D 6080 office:5901"
    dry = wsgui.json(f"import --dry-run --json -- websockify {line}")
    done = wsgui.json(f"import --json -- websockify {line}")
    assert dry["profile"]["name"] == done["name"] == "office"
    assert "--daemon" in {each["option"] for each in done["lost"]}
    assert done["secrets"][0]["reference"] == "unbound:office-basic"
    assert not wsgui.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import -- websockify --nosuch 6080 office:5901", "--nosuch"),
        ("import -- websockify --help", "help"),
        ("import -- websockify 6080", "target_addr"),
        ("import -- novnc_proxy --vnc office:5901", "--vnc"),
        ("import file.toml -- websockify 6080 office:5901", "do not go together"),
        ("import --keep listen -- websockify 6080 office:5901", "do not go together"),
        ("import -- websockify 6080 localhost:6080", "connect to itself"),
        ("import -- websockify 6080 bad_host!:1", "target"),
    ],
)
def test_a_line_that_cannot_be_is_refused(wsgui: Shell, line: str, said: str) -> None:
    wsgui(line, code=2)
    assert said in wsgui.err
    assert not wsgui.folder.exists()


def test_a_file_whose_name_begins_with_a_hyphen_is_still_a_file(wsgui: Shell, tmp_path: Path) -> None:
    (tmp_path / "-lab.toml").write_text('name = "Lab"\ntarget = "lab:5901"\n')
    wsgui("import -- -lab.toml")
    assert wsgui.json("show Lab --json")["target"] == "lab:5901"


def test_a_profile_is_printed_as_a_line_for_a_shell(wsgui: Shell) -> None:
    wsgui("new Lab --target lab:5901 --web '/my files' --listen '*:6080'")
    line = wsgui("export Lab --as websockify")
    assert line == "websockify --web '/my files' --file-only --heartbeat 30 6080 lab:5901\n"
    assert parse(shlex.split(line)[1:]).web == "/my files"
    assert "not the same: access.origins: " in wsgui.err


def test_a_line_goes_into_a_file_too(wsgui: Shell, tmp_path: Path) -> None:
    wsgui("new Lab --target lab:5901")
    wsgui("export Lab --as websockify -o line.sh")
    assert (tmp_path / "line.sh").read_text().startswith("websockify ")


def test_what_was_imported_is_exported_as_the_same_line(wsgui: Shell) -> None:
    line = "websockify --cert /c.pem --ssl-only --heartbeat 30 443 office:5901"
    wsgui(f"import -- {line}")
    assert wsgui("export office --as websockify") == f"{line}\n"


def test_without_a_file_or_a_line_it_says_what_to_do(wsgui: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    wsgui("import", code=2)
    assert "--help" in wsgui.err
    wsgui("import --help")
    assert "-- websockify" in wsgui.out
