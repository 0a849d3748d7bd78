"""`wsgui profile …` as people and scripts use it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wsgui.cli.main import main

BROKEN = 'name = "Broken"\ntarget = "office"\nlisen = 1\n'


class Shell:
    """Runs `wsgui profile ARGUMENTS` and keeps what it printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.out = self.err = ""

    def __call__(self, *arguments: str, code: int = 0, given: str = "") -> str:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        try:
            result = main(["profile", *arguments])
        except SystemExit as ended:
            result = int(ended.code or 0)
        self.out, self.err = self._capsys.readouterr()
        assert result == code, self.err
        return self.out

    def json(self, *arguments: str, code: int = 0, given: str = "") -> Any:
        return json.loads(self(*arguments, "--json", code=code, given=given))


@pytest.fixture
def wsgui(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("WSGUI_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path / "config" / "profiles", capsys, monkeypatch)


@pytest.fixture
def office(wsgui: Shell) -> Path:
    wsgui("new", "Office desktop", "--target", "office:5901")
    return wsgui.folder / "office-desktop.toml"


def test_without_profiles_it_says_how_to_make_one(wsgui: Shell) -> None:
    assert "wsgui profile new" in wsgui("list")


def test_a_new_profile_has_what_was_asked_for(wsgui: Shell, tmp_path: Path) -> None:
    arguments = ("--listen", "*:443", "--group", "Lab", "--web", "www", "--certificate", "cert.pem", "--no-autostart")
    wsgui("new", "Lab", "--target", "tls://lab:5901", *arguments, "--set", "limits.idle_seconds=60")
    shown = wsgui.json("show", "Lab")
    assert (shown["listen"], shown["target"]) == ("*:443", "tls://lab:5901")
    assert (shown["group"], shown["autostart"]) == ("Lab", False)
    assert shown["web"]["root"] == str(tmp_path / "www")
    assert shown["tls"]["certificate_file"] == str(tmp_path / "cert.pem")
    assert shown["limits"]["idle_seconds"] == 60


@pytest.mark.parametrize(
    ("assignment", "field", "value"),
    [
        ("access.origins=['same-host', 'https://a']", "access.origins", ["same-host", "https://a"]),
        ("group=Lab 2", "group", "Lab 2"),
        ("tls.minimum='1.3'", "tls.minimum", "1.3"),
        ("autostart=false", "autostart", False),
    ],
)
def test_any_field_can_be_set(wsgui: Shell, assignment: str, field: str, value: object) -> None:
    wsgui("new", "x", "--target", "a:1", "--set", assignment)
    shown = wsgui.json("show", "x")
    for step in field.split("."):
        shown = shown[step]
    assert shown == value


def test_a_wrong_new_profile_is_refused_with_all_its_problems(wsgui: Shell) -> None:
    wsgui("new", "x", "--target", "office", "--set", "limits.idle=3", "--set", "record.on=true", code=2)
    assert "target: " in wsgui.err
    assert 'There is no field "idle" in [limits].' in wsgui.err
    assert "Recording is not built yet in this version." in wsgui.err
    assert not wsgui.folder.exists()


@pytest.mark.parametrize("assignment", ["x", "=3", "a..b=3", "name.x=3"])
def test_what_is_no_assignment_is_refused(wsgui: Shell, assignment: str) -> None:
    wsgui("new", "x", "--target", "a:1", "--set", assignment, code=2)
    assert wsgui.err.startswith("wsgui: ")


def test_a_name_that_is_taken_is_refused(wsgui: Shell, office: Path) -> None:
    before = office.read_text()
    wsgui("new", "Office desktop", "--target", "other:1", code=2)
    assert 'There is a profile named "Office desktop" already' in wsgui.err
    assert office.read_text() == before


def test_a_list_says_of_each_where_it_leads(wsgui: Shell) -> None:
    wsgui(
        "new",
        "Shell",
        "--set",
        'command.run=["bash", "-l"]',
        "--set",
        "command.mode=terminal",
        "--set",
        "access.anyone=true",
    )
    wsgui("new", "Office", "--target", "office:5901")
    wsgui("new", "Office 2", "--target", "office:5902")
    wsgui("new", "Lab", "--set", "targets.one=office:5901")
    listed = [line.split(maxsplit=1) for line in wsgui("list").splitlines()]
    assert [(name, rest.split("  ")[-1]) for name, rest in listed] == [
        ("Lab", "by token"),
        ("Office", "office:5901"),
        ("Office", "office:5902"),
        ("Shell", "bash -l"),
    ]


def test_a_list_has_the_broken_ones_too(wsgui: Shell, office: Path) -> None:
    (wsgui.folder / "broken.toml").write_text(BROKEN)
    assert wsgui("list") == "Office desktop  127.0.0.1:6080  office:5901\n"
    assert "broken.toml:2: target: " in wsgui.err
    listed = wsgui.json("list")
    assert [each["name"] for each in listed["profiles"]] == ["Office desktop"]
    assert listed["profiles"][0]["file"] == str(office)
    assert [(each["field"], each["line"]) for each in listed["problems"]] == [("target", 2), ("lisen", 3)]


def test_a_profile_is_shown_as_toml(wsgui: Shell, office: Path) -> None:
    assert wsgui("show", "Office desktop") == 'name = "Office desktop"\ntarget = "office:5901"\n'
    assert wsgui("show", str(office)) == wsgui("show", "Office desktop")


def test_showing_what_is_not_there_says_what_is(wsgui: Shell, office: Path) -> None:
    wsgui("show", "Office", code=2)
    assert 'There is no profile named "Office".' in wsgui.err
    assert "Office desktop" in wsgui.err


def test_a_check_says_all_that_is_wrong(wsgui: Shell, office: Path) -> None:
    (wsgui.folder / "broken.toml").write_text(BROKEN)
    assert wsgui("check", code=2) == "Office desktop: valid\n"
    path = wsgui.folder / "broken.toml"
    assert wsgui.err.splitlines() == [
        f'wsgui: {path}:2: target: "office" is not an address: the port is missing. '
        "Write host:port, such as office:5901.",
        f'wsgui: {path}:3: lisen: There is no field "lisen" in a profile. Did you mean "listen"?',
    ]
    checked = wsgui.json("check", code=2)
    assert checked["valid"] == ["Office desktop"]
    assert [each["line"] for each in checked["problems"]] == [2, 3]
    assert all(each["hint"] and each["file"] == str(path) for each in checked["problems"])


def test_a_check_takes_names_and_files(wsgui: Shell, office: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(BROKEN)
    assert wsgui("check", "Office desktop") == "Office desktop: valid\n"
    wsgui("check", "./mine.toml", "Office desktop", code=2)
    wsgui("check", "none", code=2)
    wsgui.json("check", "none", code=2)


def test_what_a_file_says_cannot_steer_the_terminal(wsgui: Shell, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('target = "\\u001b]52;c;eA==\\u0007"\n"\\u001b[2J" = 1\n')
    wsgui("check", "./x.toml", code=2)
    assert "\x1b" not in wsgui.err
    assert "\x07" not in wsgui.err


def test_the_schema_is_json(wsgui: Shell) -> None:
    schema = json.loads(wsgui("schema"))
    assert schema["title"] == "Profile"
    assert set(schema["properties"]) >= {"name", "listen", "target", "tls", "limits"}


def test_an_import_turns_off_what_could_do_harm_and_says_so(wsgui: Shell, tmp_path: Path) -> None:
    (tmp_path / "theirs.toml").write_text('target = "a:1"\nlisten = "*:443"\n[access]\nhosts = ["*"]\n')
    wsgui("import", "theirs.toml")
    assert 'turned off: listen = "*:443". It listens beyond this computer.' in wsgui.err
    assert "turned off: access.hosts" in wsgui.err
    assert (wsgui.folder / "theirs.toml").read_text() == (
        'name = "theirs"\nlisten = "127.0.0.1:443"\ntarget = "a:1"\nautostart = false\n'
    )


def test_an_import_keeps_what_is_trusted(wsgui: Shell) -> None:
    text = 'name = "x"\ntarget = "a:1"\nlisten = "*:443"\n'
    imported = wsgui.json("import", "-", "--keep", "listen", given=text)
    assert [each["field"] for each in imported["turned_off"]] == ["autostart"]
    assert wsgui.json("show", "x")["listen"] == "*:443"


def test_a_dry_run_of_an_import_writes_nothing(wsgui: Shell) -> None:
    text = 'name = "x"\ntarget = "a:1"\n'
    assert wsgui("import", "-", "--dry-run", given=text) == 'name = "x"\ntarget = "a:1"\nautostart = false\n'
    assert wsgui.json("import", "-", "--dry-run", given=text)["profile"]["autostart"] is False
    assert not wsgui.folder.exists()


def test_an_import_never_replaces_a_profile(wsgui: Shell, office: Path) -> None:
    text = 'name = "Office desktop"\ntarget = "evil:1"\n'
    wsgui("import", "-", given=text, code=2)
    assert "--as NAME" in wsgui.err
    assert "evil" not in office.read_text()
    wsgui("import", "-", "--as", "Other", given=text)
    assert wsgui.json("show", "Other")["target"] == "evil:1"


@pytest.mark.parametrize("given", ["", "a =", 'target = "x"', "\x00"])
def test_an_import_of_what_is_no_profile_is_refused(wsgui: Shell, given: str) -> None:
    wsgui("import", "-", given=given, code=2)
    assert wsgui.err.startswith("wsgui: the standard input")


def test_an_import_of_a_file_that_is_not_there_is_refused(wsgui: Shell) -> None:
    wsgui("import", "none.toml", code=2)
    assert "none.toml cannot be read: No such file or directory." in wsgui.err


def test_an_export_goes_into_a_new_file_only(wsgui: Shell, office: Path, tmp_path: Path) -> None:
    wsgui("export", "Office desktop", "-o", "out.toml")
    assert (tmp_path / "out.toml").read_text() == wsgui("export", "Office desktop")
    wsgui("export", "Office desktop", "-o", "out.toml", code=2)
    assert "There is a file out.toml already." in wsgui.err


def test_an_export_can_be_imported(wsgui: Shell, office: Path) -> None:
    text = wsgui("export", "Office desktop")
    wsgui("import", "-", "--as", "Copy", "--keep", "autostart", given=text)
    copy, original = wsgui.json("show", "Copy"), wsgui.json("show", "Office desktop")
    assert copy | {"name": ""} == original | {"name": ""}


def test_removing_asks_first(wsgui: Shell, office: Path) -> None:
    wsgui("remove", "Office desktop", code=2)
    assert "Add --yes." in wsgui.err
    assert office.exists()
    wsgui("remove", "Office desktop", "--yes")
    assert not office.exists()
    wsgui("remove", "Office desktop", "--yes", code=2)
    assert "There is no profile named" in wsgui.err


@pytest.mark.parametrize(("answer", "gone"), [("y\n", True), ("n\n", False), ("\n", False), ("\x04", False)])
def test_removing_does_what_is_answered(wsgui: Shell, office: Path, answer: str, gone: bool) -> None:
    terminal, inside = os.openpty()
    try:
        command = [sys.executable, "-m", "wsgui", "profile", "remove", "Office desktop"]
        process = subprocess.Popen(command, stdin=inside, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        os.write(terminal, answer.encode())
        output, _ = process.communicate(timeout=60)
    finally:
        os.close(terminal)
        os.close(inside)
    assert process.returncode == 0
    assert b"Remove Office desktop" in output
    assert office.exists() is not gone


@pytest.mark.parametrize("arguments", [(), ("lst",), ("new",), ("show",), ("list", "--zzz"), ("import",)])
def test_a_wrong_command_line_is_answered_with_one_sentence(wsgui: Shell, arguments: tuple[str, ...]) -> None:
    wsgui(*arguments, code=2)
    assert wsgui.err.count("\n") == 1
    assert "--help" in wsgui.err


def test_the_built_in_demo_can_be_shown_and_exported(wsgui: Shell) -> None:
    assert 'target = "demo:"' in wsgui("show", "Demo")
    assert 'root = "demo"' in wsgui("export", "Demo")
