"""Log lines: what they say, that programs can read them, and that nothing in them steers a terminal or leaks."""

from __future__ import annotations

import io
import json
import logging
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from wsgui.app.logging import EventLog, LogFormat, without_secrets
from wsgui.engine.events import (
    CertificateEvent,
    CertificateHappening,
    ClientRefused,
    ConnectionClosed,
    ConnectionOpened,
    Event,
    LogLine,
    StateChanged,
)
from wsgui.engine.snapshot import Reason, ReasonKind, Refusal, TunnelState

HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\u202e\nINFO forged"
OPENED = ConnectionOpened(0.0, "Demo", 3, "127.0.0.1:50312", "http://127.0.0.1:6080", "office:5901")
CLOSED = ConnectionClosed(1.0, "Demo", 3, "127.0.0.1:50312", 1_234_567, 89, 75.25, 1000, "done")
RUNNING = StateChanged(0.0, "Demo", TunnelState.RUNNING, None, ("http://127.0.0.1:6080/",))
FAILED = StateChanged(
    0.0, "Demo", TunnelState.FAILED, Reason(ReasonKind.PORT_IN_USE, "Port 6080 is used.", "Use 6081.", "listen")
)
REFUSED = ClientRefused(
    0.0, "Demo", Refusal(0.0, "10.0.0.1:5", "http://evil", 403, "It may not.", "Add the line.", "origin")
)


def text(*events: Event, level: int = logging.INFO, left_out: int = 0, log_format: LogFormat = "text") -> list[str]:
    stream = io.StringIO()
    log = EventLog(log_format, level, stream)
    log(events, left_out)
    log.close()
    return stream.getvalue().splitlines()


def entries(*events: Event, **settings: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text(*events, log_format="json", **settings)]


def test_a_connection_s_start_and_end_are_one_line_each() -> None:
    opened, closed = text(OPENED, CLOSED)

    assert opened.endswith(
        "info    Demo: connection 3 of 127.0.0.1:50312 from a page of http://127.0.0.1:6080 → office:5901"
    )
    assert closed.endswith(
        "info    Demo: connection 3 of 127.0.0.1:50312 ended after 1 min 15 s: 1.2 MB to the client, "
        "89 B to the target, code 1000 (done)"
    )


def test_who_was_let_in_is_said() -> None:
    event = ConnectionOpened(0.0, "Demo", 3, "10.0.0.9:5", "", "office:5901", identity="anna, token 3fa9c1")

    assert text(event)[0].endswith("connection 3 of 10.0.0.9:5 (anna, token 3fa9c1) → office:5901")
    assert entries(event)[0]["identity"] == "anna, token 3fa9c1"


def test_json_has_stable_names_and_plain_numbers() -> None:
    opened, closed = entries(OPENED, CLOSED)

    assert opened | {"message": ""} == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": "info",
        "event": "connection.opened",
        "tunnel": "Demo",
        "connection": 3,
        "client": "127.0.0.1:50312",
        "identity": "",
        "origin": "http://127.0.0.1:6080",
        "target": "office:5901",
        "message": "",
    }
    assert {
        key: closed[key] for key in ("event", "to_client_bytes", "to_target_bytes", "duration_seconds", "code")
    } == {
        "event": "connection.closed",
        "to_client_bytes": 1_234_567,
        "to_target_bytes": 89,
        "duration_seconds": 75.25,
        "code": 1000,
    }


def test_a_tunnel_s_state_says_where_or_why() -> None:
    running, failed = text(RUNNING, FAILED)

    assert running.endswith("info    Demo: running at http://127.0.0.1:6080/")
    assert failed.endswith("error   Demo: failed: Port 6080 is used. Use 6081.")
    assert entries(FAILED)[0]["reason"] == "port-in-use"


@pytest.mark.parametrize(
    ("happened", "level"),
    [
        *(("renewed", "info"), ("changed", "info"), ("ends", "warning")),
        *(("ended", "error"), ("not-renewed", "error"), ("unusable", "error")),
    ],
)
def test_what_happens_to_a_certificate_is_said_in_words(happened: CertificateHappening, level: str) -> None:
    event = CertificateEvent(0.0, "Demo", "office.lan", happened, 5.0, "It ends soon.", "Renew it.")

    assert text(event)[0].endswith(f"{level:<7} Demo: It ends soon. Renew it.")
    assert entries(event)[0] | {"message": ""} == {
        "time": "1970-01-01T00:00:00.000Z",
        "level": level,
        "event": f"certificate.{happened}",
        "tunnel": "Demo",
        "certificate": "office.lan",
        "not_after": 5.0,
        "hint": "Renew it.",
        "message": "",
    }


def test_a_refusal_says_what_would_let_the_client_in() -> None:
    assert text(REFUSED)[0].endswith("warning Demo: 10.0.0.1:5 was refused (403): It may not. Add the line.")
    assert entries(REFUSED)[0]["rule"] == "origin"


def test_a_refusal_without_an_answer_in_http_names_no_status() -> None:
    tls = ClientRefused(0.0, "Demo", Refusal(0.0, "10.0.0.1:5", "", 0, "It spoke TLS.", "Use ws://.", "request"))
    assert text(tls)[0].endswith("warning Demo: 10.0.0.1:5 was refused: It spoke TLS. Use ws://.")


def test_lines_below_the_level_are_left_out() -> None:
    assert len(text(OPENED, FAILED, LogLine(0.0, "", logging.DEBUG, "x"), level=logging.ERROR)) == 1
    assert len(text(LogLine(0.0, "", logging.DEBUG, "x"), level=logging.DEBUG)) == 1


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_outside_text_can_neither_steer_a_terminal_nor_forge_a_line(log_format: LogFormat) -> None:
    hostile = [
        ConnectionOpened(0.0, HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE, identity=HOSTILE),
        ConnectionClosed(0.0, HOSTILE, 1, HOSTILE, 0, 0, 0.0, 1000, HOSTILE),
        StateChanged(0.0, HOSTILE, TunnelState.FAILED, Reason(ReasonKind.OTHER, HOSTILE, HOSTILE), (HOSTILE,)),
        ClientRefused(0.0, HOSTILE, Refusal(0.0, HOSTILE, HOSTILE, 403, HOSTILE, HOSTILE, "origin")),
        LogLine(0.0, HOSTILE, logging.ERROR, HOSTILE),
    ]

    lines = text(*hostile, log_format=log_format)

    assert len(lines) == len(hostile)
    assert all(line.isprintable() for line in lines)


def test_queries_and_passwords_in_addresses_are_not_logged() -> None:
    event = ConnectionOpened(
        0.0, "Gate", 1, "c", "https://a.example?token=hush", "wss://me:hush@gate/ssh?token=hush#hush"
    )

    assert "hush" not in text(event)[0]
    assert "hush" not in json.dumps(entries(event))
    assert entries(event)[0]["target"] == "wss://gate/ssh"


@pytest.mark.parametrize("address", ["office:5901", "[::1]:80", "unix:/run/x@y", "tls://h:1", "demo:", ""])
def test_an_address_without_secrets_stays_as_it_is(address: str) -> None:
    assert without_secrets(address) == address


def test_events_that_were_left_out_are_counted() -> None:
    assert entries(OPENED, left_out=7)[1]["lines"] == 7


@pytest.fixture
def installed() -> Iterator[tuple[EventLog, io.StringIO]]:
    stream = io.StringIO()
    root, own = logging.getLogger(), logging.getLogger("wsgui")
    before = root.level, own.level
    log = EventLog("text", logging.INFO, stream)
    log.install()
    yield log, stream
    log.close()
    root.setLevel(before[0])
    own.setLevel(before[1])


def test_what_the_program_logs_comes_out_too(installed: tuple[EventLog, io.StringIO]) -> None:
    log, stream = installed
    logging.getLogger("wsgui.x").info("own %s", "\x1b[31m")
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("trouble")
    log.close()

    assert [line.split(maxsplit=2)[2] for line in stream.getvalue().splitlines()] == ["own \\x1b[31m", "trouble"]


def test_a_fault_s_trace_is_one_line(installed: tuple[EventLog, io.StringIO]) -> None:
    log, stream = installed
    try:
        raise KeyError("gone")
    except KeyError:
        logging.getLogger("wsgui.x").exception("It broke")
    log.close()

    assert stream.getvalue().count("\n") == 1
    assert "KeyError: 'gone'" in stream.getvalue()


def handle(log: EventLog, logger: str, message: str, error: Any) -> None:
    """Hand a record to the log alone: pytest's own handlers fail where `error` is a class, as aiofastnet has it."""
    record = logging.LogRecord(logger, logging.ERROR, "x.py", 1, message, None, (type(error), error, None))
    log._handler.handle(record)


TRANSPORT = "SSL handshake failed\nprotocol: [fd=18 SSLTransport_Socket server]\ntransport: [fd=18 SSLTransport_Socket]"


@pytest.mark.parametrize("error", [ConnectionResetError("x"), ssl.SSLError(1, "x"), ConnectionResetError])
def test_a_client_that_breaks_tls_off_is_told_by_its_refusal_alone(
    error: Any, installed: tuple[EventLog, io.StringIO]
) -> None:
    log, stream = installed
    handle(log, "asyncio", TRANSPORT, error)
    log.close()

    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("logger", "message", "error"),
    [
        ("asyncio", TRANSPORT, RuntimeError("ours")),
        ("asyncio", "Task exception was never retrieved", ConnectionResetError("ours")),
        ("wsgui.x", TRANSPORT, ConnectionResetError("ours")),
    ],
)
def test_other_faults_in_a_transport_are_not_hushed(
    logger: str, message: str, error: Exception, installed: tuple[EventLog, io.StringIO]
) -> None:
    log, stream = installed
    logging.getLogger(logger).error(message, exc_info=error)
    log.close()

    assert "ours" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_a_record_whose_exception_is_none_is_still_a_line(
    installed: tuple[EventLog, io.StringIO], capsys: pytest.CaptureFixture[str]
) -> None:
    log, stream = installed
    handle(log, "library", "It broke", KeyError)
    log.close()

    assert stream.getvalue().endswith("It broke (<class 'KeyError'>)\n")
    assert capsys.readouterr().err == ""
