"""The command line: what it takes, and that whatever is wrong gets one sentence and exit code 2."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import wsgui
from wsgui.cli import main as cli
from wsgui.cli.main import COMMANDS, check_display, check_qt, main
from wsgui.errors import WsguiError


@pytest.fixture(autouse=True)
def own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Folders of its own, and what a start settles for the whole process put back."""
    for kind in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"WSGUI_{kind}_DIR", str(tmp_path / kind.lower()))
    umask, level = os.umask(0o022), logging.getLogger().level
    yield
    os.umask(umask)
    logging.getLogger().setLevel(level)
    logging.getLogger("wsgui").setLevel(logging.NOTSET)


def run(*arguments: str) -> int:
    """The exit code, also of what argparse ends by itself."""
    try:
        return main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"wsgui {wsgui.__version__}\n"


def test_help_names_every_command_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name} " in text for name in COMMANDS)
    assert "examples:" in text
    assert "exit codes:" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0
    shown = "websockify [options]" if command == "websockify" else f"wsgui {command}"
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stauts"], 'wsgui: "stauts" is no command of wsgui. Did you mean: wsgui status?'),
        (["frobnicate"], 'wsgui: "frobnicate" is no command of wsgui. The commands are profile, '),
        (["sta\x1b[31m"], 'wsgui: "sta\\x1b[31m" is no command of wsgui.'),
        (["--profil", "x"], "wsgui: Unrecognized arguments: --profil x. See: wsgui --help"),
        (["--profile"], "wsgui: Argument --profile: expected one argument. See: wsgui --help"),
        (["--demo", "extra"], "wsgui: Unrecognized arguments: extra. See: wsgui --help"),
        (["--demo", "--grace", "soon"], 'wsgui: Argument --grace: "soon" is not a number of seconds from 0 to 86400.'),
        (["--demo", "--grace", "-1"], 'wsgui: Argument --grace: "-1" is not a number of seconds from 0 to 86400.'),
        (["--demo", "--grace", "nan"], 'wsgui: Argument --grace: "nan" is not a number of seconds from 0 to 86400.'),
        (["--demo", "--log-format", "xml"], "wsgui: Argument --log-format: invalid choice: 'xml' (choose from"),
        (["--demo", "--log-level", "loud"], "wsgui: Argument --log-level: invalid choice: 'loud' (choose from"),
        (["--demo", "--minimized"], "wsgui: --minimized goes with the tray app. Leave out"),
        (
            ["--demo", "--profile", "x", "--listen", "1"],
            "wsgui: --listen goes with a single profile. Write the addresses",
        ),
        (["--listen", "6080"], "wsgui: --listen goes with --profile or --demo. Add the one you mean."),
        (["--wait"], "wsgui: --wait goes with --profile or --demo. Add the one you mean."),
        (["--grace", "0"], "wsgui: --grace goes with --profile or --demo. Add the one you mean."),
        (["--demo", "--listen", "6080x"], 'wsgui: "6080x" is not an address. Write host:port, such as 127.0.0.1:6080.'),
        (["--demo", "--listen", ""], "wsgui: --listen is empty. Write an address, such as 127.0.0.1:6080, or leave"),
        (["--profile", "nothere"], 'wsgui: There is no profile named "nothere". There is none yet; make one with'),
        (["--profile", "./nothere.toml"], "wsgui: There is no file ./nothere.toml. Check the path."),
        (["--profile", ""], "wsgui: There is no profile named"),
        (["status", "extra"], "wsgui status: Unrecognized arguments: extra. See: wsgui status --help"),
        (["start"], "wsgui start: The following arguments are required: NAME. See: wsgui start --help"),
        (["stop", "x", "--grace", "∞"], 'wsgui stop: Argument --grace: "∞" is not a number of seconds'),
    ],
)
def test_a_wrong_command_line_gets_one_sentence_and_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2

    output = capsys.readouterr()
    assert output.err.startswith(sentence)
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_two_profiles_of_one_name_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "lab.toml").write_text('target = "demo:"\n')

    code = run("--profile", str(tmp_path / "a" / "lab.toml"), "--profile", str(tmp_path / "b" / "lab.toml"))

    assert code == 2
    assert 'Two of these profiles are called "lab". Give each a name of its own.' in capsys.readouterr().err


def test_without_a_display_it_says_how_to_run_without_one() -> None:
    with pytest.raises(WsguiError, match=r"no display.*wsgui --demo"):
        check_display({}, "linux")


@pytest.mark.parametrize(
    ("environment", "platform"),
    [
        ({"DISPLAY": ":0"}, "linux"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux"),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux"),
        ({}, "darwin"),
        ({}, "win32"),
    ],
)
def test_a_display_of_any_kind_will_do(environment: dict[str, str], platform: str) -> None:
    check_display(environment, platform)


def test_a_missing_pyside_is_named_with_the_version_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec

    def without_qt(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        return None if name == "PySide6" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_qt)

    assert run() == 1
    text = capsys.readouterr().err
    assert text.startswith("wsgui: The tray app needs PySide6, which is not installed.")
    assert '"PySide6-Essentials==6.11.3"' in text


@pytest.mark.parametrize(
    ("installed", "python", "refused"),
    [("6.12.0", (3, 11), True), ("6.12.0", (3, 12), False), ("6.11.3", (3, 11), False)],
)
def test_the_pyside_that_aborts_is_refused_before_qt_is_loaded(
    installed: str, python: tuple[int, int], refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: installed)
    monkeypatch.setattr(cli.sys, "version_info", (*python, 0, "final", 0))

    if refused:
        with pytest.raises(WsguiError, match=r"PySide6 6\.12\.0 on Python 3\.11 aborts.*PySide6-Essentials==6\.11\.3"):
            check_qt()
    else:
        check_qt()


@pytest.mark.parametrize("arguments", [["--version"], ["status"], ["profile", "list"], ["--demo", "--listen", "x"]])
def test_nothing_but_the_tray_app_loads_qt(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom wsgui.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(name.startswith(('PySide6', 'qasync', 'wsgui.gui')) for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_reader_that_has_seen_enough_is_no_fault(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-m", "wsgui", "status", "--json"], stdout=writing, stderr=subprocess.PIPE, text=True
    )

    os.close(writing)
    assert done.stderr == ""


def test_what_the_terminal_has_no_letters_for_is_escaped() -> None:
    assert run("profile", "new", "Büro", "--target", "demo:") == 0
    done = subprocess.run(
        [sys.executable, "-m", "wsgui", "profile", "list"],
        env=os.environ | {"PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "B\\xfcro", "")
