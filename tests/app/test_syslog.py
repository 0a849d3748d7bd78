"""Syslog as real receivers see it: framing, levels, restarts of the daemon, and that nobody ever waits for it."""

from __future__ import annotations

import io
import logging
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.waiting import wait_until
from wsgui.app import syslog
from wsgui.app.logging import EventLog
from wsgui.app.syslog import MAX_BYTES, MAX_LEGACY_BYTES, Syslog, SyslogAddress
from wsgui.engine.events import ConnectionOpened, LogLine
from wsgui.errors import UsageError

MOMENT = datetime(2031, 2, 3, 4, 5, 6, 789_000, UTC).timestamp()
NEW_FORM = re.compile(r"<(\d+)>1 (\S+) (\S+) (\S+) (\d+) - - (.*)", re.DOTALL)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as short:  # a socket's path is 100 characters long at most
        yield Path(short)


def listening(path: Path, kind: int = socket.SOCK_DGRAM) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, kind)
    sock.settimeout(30)
    sock.bind(str(path))
    return sock


def udp() -> tuple[socket.socket, SyslogAddress]:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(30)
    sock.bind(("127.0.0.1", 0))
    return sock, SyslogAddress.parse(f"127.0.0.1:{sock.getsockname()[1]}")


def sent(message: str, level: int = logging.INFO, **settings: object) -> bytes:
    """What a UDP receiver gets for one line."""
    sock, address = udp()
    with sock:
        log = Syslog(address, **settings)  # type: ignore[arg-type]
        log.put(MOMENT, level, message)
        data = sock.recv(65536)
        log.close()
    return data


def test_a_line_is_framed_as_rfc_5424_says() -> None:
    found = NEW_FORM.fullmatch(sent("office: connection 3 ended", name="websockify", facility="daemon").decode())

    assert found is not None
    assert found.groups() == (
        str(3 * 8 + 6),
        "2031-02-03T04:05:06.789Z",
        socket.gethostname(),
        "websockify",
        str(os.getpid()),
        "office: connection 3 ended",
    )


def test_the_old_form_is_what_local_daemons_complete() -> None:
    data = sent("it ran", logging.WARNING, name="websockify", legacy=True)

    assert data == f"<{1 * 8 + 4}>websockify[{os.getpid()}]: it ran".encode()


@pytest.mark.parametrize(
    ("level", "severity"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2), (25, 6)],
)
def test_levels_are_severities(level: int, severity: int) -> None:
    assert sent("x", level).startswith(b"<%d>1 " % (8 + severity))


def test_text_beyond_ascii_is_utf8_and_says_so() -> None:
    assert sent("→ ü").endswith(b" - - \xef\xbb\xbf\xe2\x86\x92 \xc3\xbc")


@pytest.mark.parametrize("legacy", [False, True])
def test_nothing_in_a_line_can_end_it_or_steer_a_terminal(legacy: bool) -> None:
    data = sent("a\r\n<0>forged\x00\x1b[31m\x85\u2028\u202e", legacy=legacy)

    assert data.endswith(b"a\\x0d\\x0a<0>forged\\x00\\x1b[31m\\x85\\u2028\\u202e")


def test_a_name_fits_the_header() -> None:
    found = NEW_FORM.fullmatch(sent("x", name="my tunnel\nwith a very long name indeed").decode())

    assert found is not None
    assert found[4] == "mytunnelwithaverylongnam"


@pytest.mark.parametrize(("legacy", "longest"), [(False, MAX_BYTES), (True, MAX_LEGACY_BYTES)])
@pytest.mark.parametrize("character", ["a", "ü", "→", "🙂"])
def test_a_long_line_is_cut_between_characters(character: str, longest: int, legacy: bool) -> None:
    data = sent(character * 5000, legacy=legacy)

    assert longest - 8 < len(data) <= longest
    assert data.decode().endswith("...")


def test_a_unix_datagram_socket_gets_a_datagram_a_line(folder: Path) -> None:
    with listening(folder / "log") as sock:
        log = Syslog(SyslogAddress.parse(str(folder / "log")))
        log.put(MOMENT, logging.INFO, "one")
        log.put(MOMENT, logging.INFO, "two")

        assert [sock.recv(4096)[-5:] for _ in range(2)] == [b"- one", b"- two"]
        log.close()


def test_a_unix_stream_socket_gets_a_line_break_behind_each(folder: Path) -> None:
    with listening(folder / "log", socket.SOCK_STREAM) as sock:
        sock.listen()
        log = Syslog(SyslogAddress.parse(str(folder / "log")), legacy=True)
        log.put(MOMENT, logging.INFO, "one")
        log.put(MOMENT, logging.INFO, "two")
        log.close()
        peer, _ = sock.accept()
        with peer, peer.makefile() as lines:
            assert [line.partition(": ")[2] for line in lines] == ["one\n", "two\n"]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_lines_of_a_restart_arrive_once_the_daemon_is_back(folder: Path, kind: int) -> None:
    path = folder / "log"
    log = Syslog(SyslogAddress.parse(str(path)))
    with listening(path, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.listen()
        log.put(MOMENT, logging.INFO, "before")
        peer = sock.accept()[0] if kind == socket.SOCK_STREAM else sock
        assert b"before" in peer.recv(4096)
        peer.close()
    path.unlink()
    if kind == socket.SOCK_STREAM:  # what is written into a connection as it breaks is nobody's to know
        log.put(MOMENT, logging.INFO, "breaks")
    for number in range(50):
        log.put(MOMENT, logging.INFO, f"meanwhile {number}")
    with listening(path, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.listen()
            sock = sock.accept()[0]
        with sock:
            received = b""
            while b"meanwhile 49" not in received:
                received += sock.recv(65536) + b"\n"
    log.close()

    assert all(b"meanwhile %d\n" % number in received for number in range(50))


def test_what_waited_too_long_is_counted_and_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(syslog, "_PATIENCE_SECONDS", 0.0)
    path = folder / "log"
    log = Syslog(SyslogAddress.parse(str(path)))
    for number in range(3):
        log.put(MOMENT, logging.INFO, f"gone {number}")
    wait_until("all lost", lambda: log._sender._lost == 3)
    with listening(path) as sock:
        log.put(MOMENT, logging.INFO, "here")
        assert b"3 lines were lost here" in sock.recv(4096)
        assert sock.recv(4096).endswith(b"here")
    log.close()

    assert [record.getMessage() for record in caplog.records] == [
        f"Syslog at {path} cannot be reached: No such file or directory. Start it, or name another one with --syslog."
    ]


def test_a_daemon_that_reads_nothing_holds_nobody_up(folder: Path) -> None:
    with listening(folder / "log"):
        log = Syslog(SyslogAddress.parse(str(folder / "log")))
        began = time.monotonic()
        for _ in range(20_000):
            log.put(MOMENT, logging.INFO, "x" * 200)
        assert time.monotonic() - began < 3
        log.close()

        assert time.monotonic() - began < 8


def test_a_name_that_does_not_resolve_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    log = Syslog(SyslogAddress.parse("no-such-host.invalid:514"))
    began = time.monotonic()
    log.put(MOMENT, logging.INFO, "x")
    log.close()

    assert time.monotonic() - began < 5


def test_a_udp_receiver_may_come_late_and_go(folder: Path) -> None:
    sock, address = udp()
    sock.close()
    log = Syslog(address)
    log.put(MOMENT, logging.INFO, "nobody hears this")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.settimeout(30)
        again.bind((address.host, address.port))

        def heard() -> bool:
            log.put(MOMENT, logging.INFO, "here")
            return b"here" in again.recv(4096)

        wait_until("a line", heard)
    log.close()


def test_the_event_log_hands_over_each_line_with_its_level() -> None:
    sock, address = udp()
    with sock:
        log = EventLog("json", logging.INFO, io.StringIO(), (Syslog(address, legacy=True),))
        log(
            (
                LogLine(MOMENT, "Demo", logging.ERROR, "it broke\x1b"),
                LogLine(MOMENT, "Demo", logging.DEBUG, "chatter"),
                ConnectionOpened(MOMENT, "Demo", 1, "c", "", "office:5901"),
            ),
            2,
        )
        received = [sock.recv(4096).decode() for _ in range(3)]
        log.close()

    pid = os.getpid()
    assert received == [
        f"<11>wsgui[{pid}]: Demo: it broke\\x1b",
        f"<14>wsgui[{pid}]: Demo: connection 1 of c → office:5901",
        f"<12>wsgui[{pid}]: 2 lines were left out here, as too much happened at once.",
    ]


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("/dev/log", SyslogAddress(path="/dev/log"), "/dev/log"),
        ("/run/a:b", SyslogAddress(path="/run/a:b"), "/run/a:b"),
        ("loghost:514", SyslogAddress(host="loghost", port=514), "loghost:514"),
        ("[::1]:514", SyslogAddress(host="::1", port=514), "[::1]:514"),
        ("::1:514", SyslogAddress(host="::1", port=514), "[::1]:514"),
        (":514", SyslogAddress(host="localhost", port=514), "localhost:514"),
    ],
)
def test_an_address_is_a_path_or_a_host_with_its_port(text: str, address: SyslogAddress, shown: str) -> None:
    assert SyslogAddress.parse(text) == address
    assert str(address) == shown


def test_a_relative_path_is_below_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    assert SyslogAddress.parse("log").path == os.path.join(os.getcwd(), "log")


@pytest.mark.parametrize("text", ["", "loghost:", "loghost:x", "loghost:0", "loghost:65536", "loghost:٣", "a\0b"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        SyslogAddress.parse(text)

    assert "/dev/log" in caught.value.hint
