"""What token files say while somebody writes them; the clock is ours."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.access.tokens.lines import token_key
from wsgui.access.tokens.table import GONE_SECONDS, SETTLE_SECONDS, TokenTable
from wsgui.profiles.addresses import TcpAddress


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Tokens:
    """A table over `path`, asked by token."""

    def __init__(self, path: Path, *, every_file: bool = False) -> None:
        self.clock = Clock()
        self.table = TokenTable(path, every_file=every_file, clock=self.clock)

    def find(self, token: str) -> str | None:
        found = self.table.look().find(token_key(token))
        return None if found is None else str(found)

    @property
    def settled(self) -> bool:
        return self.table.look().settled

    @property
    def problem(self) -> str:
        return self.table.look().problem

    def wait(self, seconds: float) -> None:
        self.table.look()
        self.clock.now += seconds + 0.001
        self.table.look()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text("a: office:1\nb: office:2\n")
    return path


@pytest.fixture
def tokens(file: Path) -> Tokens:
    tokens = Tokens(file)
    tokens.wait(SETTLE_SECONDS)
    return tokens


def test_a_file_at_rest_is_settled(tokens: Tokens) -> None:
    assert tokens.settled
    assert tokens.find("a") == "office:1"
    assert tokens.find("c") is None


def test_a_file_without_a_final_line_break_counts_whole_at_first(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("a: office:1")
    assert Tokens(tmp_path / "tokens").find("a") == "office:1"


def test_what_is_added_counts_at_once(file: Path, tokens: Tokens) -> None:
    with file.open("a") as writer:
        writer.write("c: office:3\n")
    assert tokens.find("c") == "office:3"


def test_a_half_written_line_does_not_count(file: Path, tokens: Tokens) -> None:
    with file.open("a") as writer:
        writer.write("c: office:59")
        writer.flush()
        assert tokens.find("c") is None
        assert not tokens.settled
        writer.write("01\n")
    assert tokens.find("c") == "office:5901"


def test_that_a_token_is_gone_is_known_when_the_file_has_come_to_rest(file: Path, tokens: Tokens) -> None:
    file.write_text("a: office:1\n")
    assert tokens.find("b") is None
    assert not tokens.settled
    tokens.wait(SETTLE_SECONDS)
    assert tokens.settled
    assert tokens.find("b") is None


def test_a_change_that_leaves_no_trace_in_the_signature_is_seen_when_it_rests(file: Path, tokens: Tokens) -> None:
    file.write_text("a: office:8\n")
    tokens.find("a")
    status = file.stat()
    with file.open("r+") as writer:
        writer.write("a: office:9\n")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    tokens.wait(SETTLE_SECONDS)
    assert tokens.find("a") == "office:9"


def test_a_missing_file_lets_nobody_in_and_is_not_believed_at_once(file: Path, tokens: Tokens) -> None:
    file.unlink()
    assert tokens.find("a") is None
    assert not tokens.settled
    tokens.wait(GONE_SECONDS)
    assert tokens.settled
    assert "missing" in tokens.problem
    assert tokens.find("a") is None


def test_a_file_that_comes_back_counts_again(file: Path, tokens: Tokens) -> None:
    file.unlink()
    tokens.wait(GONE_SECONDS)
    file.write_text("a: office:1\n")
    assert tokens.find("a") == "office:1"
    assert tokens.problem == ""


def test_an_emptied_file_lets_nobody_in_and_is_not_believed_at_once(file: Path, tokens: Tokens) -> None:
    file.write_text("")
    tokens.wait(SETTLE_SECONDS)
    assert tokens.find("a") is None
    assert not tokens.settled
    tokens.wait(GONE_SECONDS)
    assert tokens.settled
    assert tokens.problem == ""


def test_a_file_with_no_right_line_any_more_counts_as_before(
    file: Path, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("a office 1\nb\n")
    tokens.wait(SETTLE_SECONDS)
    assert tokens.find("b") == "office:2"
    assert tokens.settled
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "still holds" in caplog.text


def test_a_bad_line_is_told_once_by_its_number_and_without_its_text(
    file: Path, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text("a: office:1\nhunter2 office\n")
    for _ in range(5):
        tokens.wait(SETTLE_SECONDS)
    assert len(caplog.records) == 1
    assert "Line 2" in caplog.text
    assert "hunter2" not in caplog.text


def test_many_bad_lines_do_not_fill_the_log(file: Path, tokens: Tokens, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text("a: office:1\n" + "nonsense\n" * 1000)
    tokens.wait(SETTLE_SECONDS)
    assert len(caplog.records) == 11
    assert "990 more" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_lets_nobody_in(file: Path, tokens: Tokens) -> None:
    file.chmod(0)
    assert tokens.find("a") is None
    assert "cannot be read" in tokens.problem


def test_what_is_no_file_any_more_lets_nobody_in_but_is_remembered(file: Path, tokens: Tokens) -> None:
    file.unlink()
    os.mkfifo(file)
    view = tokens.table.look()
    assert view.find(token_key("a")) is None
    assert "cannot be read" in view.problem
    assert view.knew(token_key("a"), TcpAddress("office", 1))


def test_a_file_that_can_be_read_again_counts_again(file: Path, tokens: Tokens) -> None:
    file.unlink()
    os.mkfifo(file)
    tokens.wait(SETTLE_SECONDS)
    file.unlink()
    file.write_text("a: office:7\n")
    assert tokens.find("a") == "office:7"
    assert tokens.problem == ""


def test_all_files_of_a_folder_count_but_hidden_and_backup_files(tmp_path: Path) -> None:
    for name in ("one", "two", ".three", "four~"):
        (tmp_path / name).write_text(f"{name}: office:1\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "lost").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("one")
    tokens = Tokens(tmp_path)
    assert [tokens.find(name) for name in ("one", "two", ".three", "four~")] == ["office:1", "office:1", None, None]
    assert Tokens(tmp_path, every_file=True).find(".three") == "office:1"
    assert tokens.problem == ""


def test_a_file_that_appears_in_a_folder_counts_at_once(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    assert tokens.find("a") is None
    (tmp_path / "one").write_text("a: office:1\n")
    assert tokens.find("a") == "office:1"


def test_a_file_that_is_gone_from_a_folder_takes_its_tokens_along(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("a: office:1\n")
    (tmp_path / "two").write_text("b: office:2\n")
    tokens = Tokens(tmp_path)
    tokens.wait(SETTLE_SECONDS)
    (tmp_path / "one").unlink()
    assert tokens.find("a") is None
    assert not tokens.settled
    tokens.wait(GONE_SECONDS)
    assert tokens.settled
    assert tokens.find("b") == "office:2"
    assert tokens.problem == ""


def test_a_folder_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    folder.mkdir()
    (folder / "one").write_text("a: office:1\n")
    tokens = Tokens(folder)
    tokens.wait(SETTLE_SECONDS)
    folder.rename(tmp_path / "elsewhere")
    assert tokens.find("a") is None
    tokens.wait(GONE_SECONDS)
    assert "missing" in tokens.problem
    assert tokens.settled


def test_a_file_that_is_too_long_is_not_read(
    file: Path, tokens: Tokens, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("wsgui.access.tokens.table.MAX_FILE_BYTES", 20)
    file.write_text("a: office:1\n" * 10)
    assert tokens.find("a") is None
    assert "longer" in tokens.problem
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


@given(st.lists(st.one_of(st.binary(max_size=40), st.none()), max_size=6), st.lists(st.sampled_from([0.0, 0.2, 2.5])))
def test_whatever_becomes_of_the_file_looking_at_it_never_raises(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes | None], waits: list[float]
) -> None:
    path = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens = Tokens(path)
    for content, seconds in zip(contents, [*waits, *[0.0] * len(contents)], strict=False):
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content)
        tokens.wait(seconds)
    path.write_text("a: office:1\n")
    assert tokens.find("a") == "office:1"
