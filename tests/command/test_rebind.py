"""wsgui/command/rebind.py: the library is found, or the message says why it is not there and what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wsgui.command.rebind import LIBRARY_NAME, REASON_NAME, environment, library
from wsgui.errors import WsguiError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="LD_PRELOAD is for Linux")


def test_a_built_library_is_found(tmp_path: Path) -> None:
    (tmp_path / LIBRARY_NAME).write_bytes(b"\x7fELF")

    assert library(tmp_path) == tmp_path / LIBRARY_NAME


def test_without_a_library_the_message_tells_the_reason_that_the_build_left(tmp_path: Path) -> None:
    (tmp_path / REASON_NAME).write_text("no C compiler was found; tried cc\x1b[2J\n")

    with pytest.raises(WsguiError) as caught:
        library(tmp_path)

    assert "no C compiler was found; tried cc\\x1b[2J" in caught.value.message
    assert "apt install gcc" in caught.value.hint


def test_a_copy_that_was_never_built_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(WsguiError) as caught:
        library(tmp_path)

    assert "never built" in caught.value.message
    assert "pip install" in caught.value.hint


def test_on_another_system_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(WsguiError, match="Linux and macOS only") as caught:
        library(tmp_path)

    assert "{port}" in caught.value.hint
    assert "PORT" in caught.value.hint


def test_the_environment_keeps_what_was_there_and_names_both_ports() -> None:
    made = environment({"HOME": "/home/a"}, old_port=5900, new_port=41234, preload=Path("/x/rebind.so"))

    assert made == {
        "HOME": "/home/a",
        "LD_PRELOAD": "/x/rebind.so",
        "REBIND_OLD_PORT": "5900",
        "REBIND_NEW_PORT": "41234",
    }


def test_a_preload_that_was_there_is_loaded_too() -> None:
    made = environment({"LD_PRELOAD": "/y/a.so /y/b.so"}, old_port=1, new_port=2, preload=Path("/x/rebind.so"))

    assert made["LD_PRELOAD"] == "/x/rebind.so:/y/a.so:/y/b.so"


def test_wrapping_what_is_wrapped_already_names_the_library_once() -> None:
    once = environment({"LD_PRELOAD": "/y/a.so"}, old_port=1, new_port=2, preload=Path("/x/rebind.so"))

    twice = environment(once, old_port=3, new_port=4, preload=Path("/x/rebind.so"))

    assert twice == {"LD_PRELOAD": "/x/rebind.so:/y/a.so", "REBIND_OLD_PORT": "3", "REBIND_NEW_PORT": "4"}


@pytest.mark.parametrize("folder", ["/home/Jane Doe", "/srv/a:b"])
def test_a_path_that_cannot_be_preloaded_is_refused(folder: str) -> None:
    with pytest.raises(WsguiError, match="a space or a colon"):
        environment({}, old_port=1, new_port=2, preload=Path(folder, "rebind.so"))
