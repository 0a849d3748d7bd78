"""Terminals of ours, as a program finds them: its settings, its size, the environment that says what it is."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator

import pytest

from wsgui.command.terminal import USUAL_SIZE, Size, Terminal, environment_on_terminal, open_terminal, set_size


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = open_terminal()
    yield made
    os.close(made.fd)
    os.close(made.program_fd)


def test_it_has_the_usual_size_and_takes_another(terminal: Terminal) -> None:
    assert os.get_terminal_size(terminal.program_fd) == (USUAL_SIZE.columns, USUAL_SIZE.rows)
    set_size(terminal.fd, Size(132, 43))
    assert os.get_terminal_size(terminal.program_fd) == (132, 43)


def test_a_program_opens_it_by_its_path(terminal: Terminal) -> None:
    fd = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    os.write(fd, b"here")
    os.close(fd)
    assert os.read(terminal.fd, 100) == b"here"


def test_it_echoes_and_rubs_out_whole_characters(terminal: Terminal) -> None:
    os.write(terminal.fd, "aü\x7fb\n".encode())
    assert os.read(terminal.program_fd, 100) == b"ab\n"
    assert os.read(terminal.fd, 100).startswith("aü".encode())


def test_neither_side_is_given_to_programs(terminal: Terminal) -> None:
    assert not os.get_inheritable(terminal.fd)
    assert not os.get_inheritable(terminal.program_fd)


def test_the_window_s_side_does_not_wait(terminal: Terminal) -> None:
    with pytest.raises(BlockingIOError):
        os.read(terminal.fd, 1)


def test_the_size_of_one_that_is_gone_is_an_error() -> None:
    made = open_terminal()
    os.close(made.program_fd)
    os.close(made.fd)
    with pytest.raises(OSError, match="descriptor"):
        set_size(made.fd, Size(80, 25))


def test_control_c_is_a_key_of_its(terminal: Terminal) -> None:
    assert termios.tcgetattr(terminal.program_fd)[6][termios.VINTR] == b"\x03"


def test_its_environment_says_what_it_is_and_not_what_ours_was() -> None:
    ours = {"TERM": "dumb", "COLUMNS": "10", "LINES": "5", "TMUX": "x", "HOME": "/home/me"}
    made = environment_on_terminal(ours, {})
    assert made == {"TERM": "xterm-256color", "COLORTERM": "truecolor", "HOME": "/home/me"}


def test_what_the_user_chose_counts_more() -> None:
    made = environment_on_terminal({"COLUMNS": "10", "TERM": "vt100"}, {"TERM": "vt100", "COLUMNS": "10"})
    assert made == {"TERM": "vt100", "COLORTERM": "truecolor", "COLUMNS": "10"}
