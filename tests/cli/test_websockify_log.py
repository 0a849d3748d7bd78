"""The lines that websockify's users know, from an engine's events, and no secret among them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgui.app.log_file import LogFile
from wsgui.cli.websockify_log import WebsockifyLog, host_of
from wsgui.engine.events import ClientRefused, ConnectionClosed, ConnectionOpened, Event, LogLine, StateChanged
from wsgui.engine.snapshot import Reason, ReasonKind, Refusal, TunnelState

NAME = "websockify"


class Written:
    """A log that writes into a file, and what stands there."""

    def __init__(self, folder: Path, *, verbose: bool = False, command: str = "") -> None:
        self.path = folder / "log"
        self.log = WebsockifyLog(verbose=verbose, command=command, file=LogFile(self.path))

    def lines(self, *events: Event, left_out: int = 0) -> list[str]:
        self.log(events, left_out)
        self.log.close()
        return [re.sub(r"\[\d\d/\w{3}/\d{4} [\d:]{8}\]", "[DATE]", line) for line in self.path.read_text().splitlines()]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def opened(target: str = "office:5901", *, client: str = "192.0.2.7:40000", secure: bool = False) -> ConnectionOpened:
    return ConnectionOpened(1.0, NAME, 1, client, "", target, secure)


def closed(code: int, reason: str) -> ConnectionClosed:
    return ConnectionClosed(2.0, NAME, 1, "192.0.2.7:40000", 10, 20, 1.0, code, reason)


def test_a_session(written: Written) -> None:
    assert written.lines(opened()) == [
        "192.0.2.7 - - [DATE] 192.0.2.7: Plain non-SSL (ws://) WebSocket connection",
        "192.0.2.7 - - [DATE] connecting to: office:5901",
    ]


def test_a_session_over_tls_of_ipv6(written: Written) -> None:
    lines = written.lines(opened(client="[2001:db8::1]:40000", secure=True))
    assert lines[0] == "2001:db8::1 - - [DATE] 2001:db8::1: SSL/TLS (wss://) WebSocket connection"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("[::1]:5901", "connecting to: ::1:5901"),
        ("tls://office:5901", "connecting to: office:5901 (using SSL)"),
        ("unix:/run/x", "connecting to unix socket: /run/x"),
    ],
)
def test_each_kind_of_target(written: Written, target: str, said: str) -> None:
    assert written.lines(opened(target))[1].endswith(f"] {said}")


def test_a_wrapped_program(tmp_path: Path) -> None:
    written = Written(tmp_path, command="'telnetd -debug' (port 2023)")
    assert written.lines(opened("telnetd -debug"))[1].endswith("] connecting to command: 'telnetd -debug' (port 2023)")


def test_a_target_that_cannot_be_reached(written: Written) -> None:
    lines = written.lines(opened(), closed(1011, "Failed to connect to downstream server"))
    assert lines[2] == "192.0.2.7 - - [DATE] Failed to connect to office:5901"


def test_an_end_is_said_to_who_asks_for_more(tmp_path: Path) -> None:
    (tmp_path / "quiet").mkdir()
    assert len(Written(tmp_path / "quiet").lines(opened(), closed(1000, "Target closed"))) == 2
    lines = Written(tmp_path, verbose=True).lines(opened(), closed(1000, "Target closed"))
    assert lines[2].endswith("connection ended with code 1000 (Target closed)")


def test_a_refusal(written: Written) -> None:
    refusal = Refusal(1.0, "192.0.2.7:40000", "", 404, "The token was not found.", "Ask for one.", "token")
    assert written.lines(ClientRefused(1.0, NAME, refusal)) == ["192.0.2.7: The token was not found."]


def test_a_line_break_cannot_begin_a_line_of_its_own(written: Written) -> None:
    (line,) = written.lines(LogLine(1.0, NAME, logging.INFO, "one\nIn exit\x1b[2J"))
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_reason_for_not_running(written: Written) -> None:
    reason = Reason(ReasonKind.PORT_IN_USE, "Port 6080 is used.", "Use another.")
    assert written.lines(StateChanged(1.0, NAME, TunnelState.FAILED, reason)) == ["Port 6080 is used. Use another."]


def test_what_was_left_out_is_told(written: Written) -> None:
    assert "12 events were left out" in written.lines(left_out=12)[0]


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("wsgui")
    before = root.level, own.level
    yield
    root.setLevel(before[0])
    own.setLevel(before[1])


@pytest.mark.usefixtures("logging_as_before")
def test_what_libraries_log_stands_there_too(written: Written) -> None:
    written.log.install()
    try:
        raise ValueError("no host")
    except ValueError:
        logging.getLogger("some.library").exception("It %s", "failed")
    logging.getLogger("some.library").info("chatter")
    assert written.lines() == ["It failed (ValueError: no host)"]


@pytest.mark.parametrize(("client", "host"), [("192.0.2.7:1", "192.0.2.7"), ("[::1]:1", "::1"), ("unix", "unix")])
def test_a_client_s_host(client: str, host: str) -> None:
    assert host_of(client) == host
