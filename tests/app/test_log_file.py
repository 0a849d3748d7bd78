"""The log file: whole lines under its name, whatever rotates it away, and a clear word when there can be none."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from wsgui.app.background_writer import BackgroundWriter
from wsgui.app.log_file import LogFile
from wsgui.errors import WsguiError


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    with LogFile(tmp_path / "own.log") as opened:
        yield opened


def test_a_new_file_is_for_this_user_alone(log: LogFile, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "own.log").stat().st_mode) == 0o600


def test_an_existing_file_is_gone_on_with_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "own.log"
    path.write_text("before\n")
    path.chmod(0o640)
    with LogFile(path) as log:
        log.write("after\n")

    assert path.read_text() == "before\nafter\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_was_moved_away_is_made_anew_at_the_next_line(log: LogFile, tmp_path: Path) -> None:
    log.write("one\n")
    (tmp_path / "own.log").rename(tmp_path / "own.log.1")
    log.write("two\n")

    assert (tmp_path / "own.log.1").read_text() == "one\n"
    assert (tmp_path / "own.log").read_text() == "two\n"


def test_a_file_that_was_replaced_is_gone_on_with(log: LogFile, tmp_path: Path) -> None:
    log.write("one\n")
    (tmp_path / "new").write_text("")
    (tmp_path / "new").replace(tmp_path / "own.log")
    log.write("two\n")

    assert (tmp_path / "own.log").read_text() == "two\n"


def test_a_file_that_was_cut_short_in_place_goes_on_at_its_new_end(log: LogFile, tmp_path: Path) -> None:
    log.write("one\n")
    os.truncate(tmp_path / "own.log", 0)
    log.write("two\n")

    assert (tmp_path / "own.log").read_text() == "two\n"


def test_reopening_makes_the_new_file_at_once(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "own.log").rename(tmp_path / "own.log.1")
    log.reopen()

    wait_until("the new file", (tmp_path / "own.log").exists)


def test_reopening_a_closed_one_does_nothing(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "own.log")
    log.close()
    (tmp_path / "own.log").unlink()
    log.reopen()
    for thread in threading.enumerate():
        if thread.name == "log file":
            thread.join()

    assert not (tmp_path / "own.log").exists()


def test_while_no_new_file_can_be_made_the_old_one_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with LogFile(folder / "own.log") as log:
        folder.rename(tmp_path / "moved")
        log.write("one\n")
        assert (tmp_path / "moved" / "own.log").read_text() == "one\n"
        folder.mkdir()
        log.write("two\n")

    assert (folder / "own.log").read_text() == "two\n"


def test_a_relative_name_means_the_same_file_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with LogFile("own.log") as log:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        (tmp_path / "own.log").unlink()
        log.write("one\n")

    assert (tmp_path / "own.log").read_text() == "one\n"


def test_rotating_under_load_loses_no_line_and_breaks_none(log: LogFile, tmp_path: Path) -> None:
    writer = BackgroundWriter(log)
    for number in range(3000):
        writer.put(f"line {number}")
        if number % 500 == 499:
            (tmp_path / "own.log").rename(tmp_path / f"own.log.{number}")
            log.reopen()
            wait_until("the new file", (tmp_path / "own.log").exists)
    writer.close()
    lines = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]

    assert sorted(lines) == sorted(f"line {number}" for number in range(3000))


def test_a_pipe_is_no_file_that_could_be_rotated(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        with LogFile(f"/dev/fd/{writing}") as log:
            log.write("one\n")
        assert os.read(reading, 100) == b"one\n"
    finally:
        os.close(reading)
        os.close(writing)


def test_a_full_disk_is_an_error_the_writer_survives() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with LogFile("/dev/full") as log:
        with pytest.raises(OSError, match="No space"):
            log.write("one\n")


@pytest.mark.parametrize("name", ["missing/own.log", ".", "fifo"])
def test_a_file_that_cannot_be_written_is_said_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(WsguiError) as caught:
        LogFile(tmp_path / name)

    assert "cannot be written" in caught.value.message
    assert caught.value.hint


def test_what_has_no_utf8_is_escaped(log: LogFile, tmp_path: Path) -> None:
    log.write("\udcff\n")

    assert (tmp_path / "own.log").read_text() == "\\udcff\n"
