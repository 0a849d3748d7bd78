"""What a browser, a scanner or a person can send or type that is wrong: a clear answer, and nothing else is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate
from tests.support.engines import running
from tests.support.raw import KEY, RawClient, client_frame, tcp_target
from wsgui.cli.main import main
from wsgui.engine.events import ClientRefused, ConnectionClosed

HOST = "Host: 127.0.0.1\r\n"
CLOSE = "Connection: close\r\n"
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
KEYED = f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"


@asynccontextmanager
async def two_sessions(**fields: object):  # type: ignore[no-untyped-def]
    """A tunnel with a session that must not notice anything."""
    async with tcp_target() as port, running(target=f"127.0.0.1:{port}", **fields) as tunnel:
        async with await RawClient.connect(tunnel.url) as bystander:
            await bystander.upgrade()
            yield tunnel
            bystander.send(client_frame(2, b"still here"))
            assert await bystander.data(10) == b"still here"


# Request heads and upgrade fields: what is sent, the status, and what the sentence says.


@dataclass(frozen=True)
class Head:
    sent: str
    status: int
    says: str


HEADS = {
    "no HTTP at all": Head("hello\r\n\r\n", 400, "not an HTTP request"),
    "an SSH client": Head("SSH-2.0-OpenSSH_9.2\r\n", 400, "not an HTTP request"),
    "a VNC client": Head("RFB 003.008\n", 400, "not an HTTP request"),
    "HTTP/0.9": Head("GET /\r\n\r\n", 400, "no Host field"),
    "HTTP/2's preface": Head("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "not an HTTP request"),
    "a space in a field's name": Head(f"GET / HTTP/1.1\r\n{HOST}Bad Name: x\r\n\r\n", 400, "not an HTTP request"),
    "a NUL in a field": Head(f"GET / HTTP/1.1\r\n{HOST}X: a\0b\r\n\r\n", 400, "not an HTTP request"),
    "no Host": Head(f"GET / HTTP/1.1\r\n{UPGRADE}{KEYED}\r\n", 400, "no Host field"),
    "two Hosts": Head(f"GET / HTTP/1.1\r\n{HOST}{HOST}{UPGRADE}{KEYED}\r\n", 400, "more than one Host field"),
    "two Origins": Head(
        f"GET / HTTP/1.1\r\n{HOST}Origin: http://127.0.0.1\r\nOrigin: http://x\r\n{UPGRADE}{KEYED}\r\n",
        400,
        "more than one Origin field",
    ),
    "two keys": Head(
        f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}{KEYED}Sec-WebSocket-Key: {KEY}\r\n\r\n",
        400,
        "more than one Sec-Websocket-Key",
    ),
    "101 fields": Head(f"GET / HTTP/1.1\r\n{HOST}" + "X: y\r\n" * 100 + "\r\n", 431, "more than 100 header fields"),
    "a head of 17 KiB": Head(f"GET / HTTP/1.1\r\n{HOST}X: {'y' * 17000}\r\n\r\n", 431, "larger than 16 KiB"),
    "a path of 17 KiB": Head(f"GET /{'y' * 17000} HTTP/1.1\r\n{HOST}\r\n", 431, "larger than 16 KiB"),
    "POST to open": Head(f"POST / HTTP/1.1\r\n{HOST}{UPGRADE}{KEYED}\r\n", 405, "opened with GET"),
    "HTTP/1.0 to open": Head(f"GET / HTTP/1.0\r\n{HOST}{UPGRADE}{KEYED}\r\n", 400, "needs HTTP/1.1"),
    "no Connection": Head(
        f"GET / HTTP/1.1\r\n{HOST}Upgrade: websocket\r\n{KEYED}\r\n", 400, "Connection field does not say Upgrade"
    ),
    "Connection: keep-alive": Head(
        f"GET / HTTP/1.1\r\n{HOST}Upgrade: websocket\r\nConnection: keep-alive\r\n{KEYED}\r\n",
        400,
        "Connection field does not say Upgrade",
    ),
    "Upgrade to two things": Head(
        f"GET / HTTP/1.1\r\n{HOST}Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n{KEYED}\r\n",
        400,
        "Upgrade field does not say websocket",
    ),
    "a malformed Upgrade": Head(
        f"GET / HTTP/1.1\r\n{HOST}Upgrade: websocket/\r\nConnection: Upgrade\r\n{KEYED}\r\n", 400, "malformed"
    ),
    "no version": Head(f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}Sec-WebSocket-Key: {KEY}\r\n\r\n", 426, "Only version 13"),
    "version 8": Head(
        f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: {KEY}\r\n\r\n",
        426,
        "Only version 13",
    ),
    "no key": Head(f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}Sec-WebSocket-Version: 13\r\n\r\n", 400, "Sec-WebSocket-Key"),
    "a short key": Head(
        f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YWJj\r\n\r\n",
        400,
        "not 16 bytes of base64",
    ),
    "a key that is no base64": Head(
        f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'!' * 24}\r\n\r\n",
        400,
        "not 16 bytes of base64",
    ),
    "a body": Head(f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}{KEYED}Content-Length: 5\r\n\r\nhello", 400, "has no body"),
    "a chunked body": Head(
        f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}{KEYED}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "has no body"
    ),
    "a malformed subprotocol": Head(
        f"GET / HTTP/1.1\r\n{HOST}{UPGRADE}{KEYED}Sec-WebSocket-Protocol: a b\r\n\r\n", 400, "Sec-WebSocket-Protocol"
    ),
    "a foreign origin": Head(
        f"GET / HTTP/1.1\r\n{HOST}Origin: https://evil.example\r\n{UPGRADE}{KEYED}\r\n", 403, "https://evil.example"
    ),
    "the null origin": Head(f"GET / HTTP/1.1\r\n{HOST}Origin: null\r\n{UPGRADE}{KEYED}\r\n", 403, "null"),
    "a file's origin": Head(f"GET / HTTP/1.1\r\n{HOST}Origin: file://\r\n{UPGRADE}{KEYED}\r\n", 403, "file://"),
    "a foreign host": Head(
        f"GET / HTTP/1.1\r\nHost: evil.example\r\n{UPGRADE}{KEYED}\r\n",
        403,
        'under [access] in the profile: hosts = ["evil.example"]',
    ),
    "a foreign host for a page": Head("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "evil.example"),
    "a host that is none": Head(f"GET / HTTP/1.1\r\nHost: a b\r\n{UPGRADE}{KEYED}\r\n", 403, "Host"),
    "an empty host": Head(f"GET / HTTP/1.1\r\nHost:\r\n{UPGRADE}{KEYED}\r\n", 403, "Host"),
    "POST a page": Head(f"POST / HTTP/1.1\r\n{HOST}{CLOSE}Content-Length: 0\r\n\r\n", 405, "GET and HEAD"),
    "DELETE a page": Head(f"DELETE /x HTTP/1.1\r\n{HOST}{CLOSE}\r\n", 405, "GET and HEAD"),
    "CONNECT through": Head(f"CONNECT example.org:443 HTTP/1.1\r\n{HOST}{CLOSE}\r\n", 405, "GET and HEAD"),
}


@pytest.mark.parametrize("name", HEADS)
async def test_a_bad_request_gets_its_status_and_a_sentence(name: str) -> None:
    case = HEADS[name]
    async with two_sessions() as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(case.sent.encode("latin-1"))
        answer = await client.answer(body=True)
        assert answer.status == case.status
        text = answer.body.decode()
        assert case.says in text
        assert text.count(".") >= 1
        assert len(text) < 500
        assert answer.fields["connection"] == "close"
        assert await client.eof() == b""


async def test_405_and_426_say_what_would_do() -> None:
    async with running() as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(f"POST / HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n".encode())
            assert (await client.answer()).fields["allow"] == "GET, HEAD"
        async with await RawClient.connect(tunnel.url) as client:
            client.send(client.head(sec_websocket_version="7"))
            assert (await client.answer()).fields["sec-websocket-version"] == "13"


async def test_tls_on_a_tunnel_without_a_certificate_gets_an_alert() -> None:
    async with two_sessions() as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(bytes.fromhex("16030100050100000100"))
        assert await client.eof() == bytes.fromhex("15030100020228")
        assert (await tunnel.event(ClientRefused)).refusal.message.startswith("A client spoke TLS")


async def test_plain_http_on_an_encrypted_only_tunnel_is_led_to_https(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    tls = {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key), "only": True}
    async with running(tls=tls) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(f"GET /a?b HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
            answer = await client.answer()
            assert (answer.status, answer.fields["location"]) == (308, f"https://{client.host}/a?b")
        async with await RawClient.connect(tunnel.url) as client:
            client.send(f"GET //evil.example/ HTTP/1.1\r\nHost: {client.host}\r\n\r\n".encode())
            assert (await client.answer()).fields["location"].startswith(f"https://{client.host}/")
        async with await RawClient.connect(tunnel.url) as client:
            client.send(client.head())
            answer = await client.answer(body=True)
            assert answer.status == 403
            assert b"wss://" in answer.body


@pytest.mark.parametrize("first", ["80", "16", "1603", "16030100050100000100"])
async def test_broken_tls_is_closed_and_told(first: str, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    tls = {"certificate_file": str(certificate.certificate), "key_file": str(certificate.key)}
    async with running(tls=tls, limits={"handshake_seconds": 1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            client.send(bytes.fromhex(first))
            if len(first) > 4:
                client.writer.write_eof()
            await client.eof()
        assert (await tunnel.event(ClientRefused)).refusal.rule == "tls"


# Frames: what is sent after the upgrade, and the close code with its reason.

FRAMES = {
    "unmasked": (b"\x82\x01x", 1002, "masked"),
    "RSV1 without an extension": (bytes((0xC2, 0x80, 0, 0, 0, 0)), 1002, "reserved bits"),
    "opcode 3": (client_frame(3), 1002, "invalid opcode"),
    "opcode 11": (client_frame(11), 1002, "invalid opcode"),
    "a fragmented ping": (client_frame(9, fin=False), 1002, "fragmented control"),
    "a ping of 126 bytes": (client_frame(9, bytes(126)), 1002, "too long"),
    "a continuation of nothing": (client_frame(0), 1002, "continuation"),
    "a message within a message": (client_frame(1, fin=False) + client_frame(1), 1002, "continuation"),
    "a length in too many bytes": (b"\x82\xfe\x00\x01" + bytes(5), 1002, "fewest bytes"),
    "a length of 2^63": (b"\x82\xff\x80" + bytes(11), 1002, "fewest bytes"),
    "a close of one byte": (client_frame(8, b"\x03"), 1002, "close code"),
    "close code 1005": (client_frame(8, b"\x03\xed"), 1002, "close code"),
    "a close reason that is no UTF-8": (client_frame(8, b"\x03\xe8\xff"), 1007, "UTF-8"),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_bad_frame_gets_its_close_code_and_a_reason(name: str) -> None:
    sent, code, says = FRAMES[name]
    async with two_sessions() as tunnel, await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        client.send(sent)
        closed, reason = await client.closed()
        assert closed == code
        assert says in reason
        assert await client.eof() == b""
        assert (await tunnel.event(ConnectionClosed)).code == code


# Limits: the refusal names the setting.


async def test_one_connection_too_many_is_told_the_setting() -> None:
    async with running(limits={"connections": 1}) as tunnel:
        async with await RawClient.connect(tunnel.url) as first, await RawClient.connect(tunnel.url) as second:
            await first.upgrade()
            second.send(second.head())
            answer = await second.answer(body=True)
            assert answer.status == 503
            assert b"[limits] connections" in answer.body
            first.send(client_frame(8))
            await first.closed()
        await tunnel.event(ConnectionClosed)
        async with await RawClient.connect(tunnel.url) as third:
            await third.upgrade()


@pytest.mark.parametrize("sent", [b"", b"GET / HT"])
async def test_a_request_that_never_ends_is_given_up(sent: bytes) -> None:
    async with running(limits={"handshake_seconds": 1}) as tunnel, await RawClient.connect(tunnel.url) as client:
        client.send(sent)
        answer = await client.answer(body=True)
        assert answer.status == 408
        assert b"[limits] handshake_seconds" in answer.body


# Profile files: what is written, the field, and what the sentence says.


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"WSGUI_{name}_DIR", str(tmp_path / name.lower()))
    return tmp_path


GOOD = 'target = "127.0.0.1:5900"\n'
PROFILES = {
    "not TOML": ("target = ", ":1", "is not TOML"),
    "not UTF-8": (b"target = '\xff'", "", "UTF-8"),
    "no target": ("", "target", "target"),
    "a target that is no address": ('target = "6080x"', "target", "Write host:port"),
    "a port too high": ('target = "office:70000"', "target", "65535"),
    "a listener that is no address": (GOOD + 'listen = "nowhere"', "listen", "Write host:port"),
    "a number where text is due": ("target = 5900.5", "target", "an address in quotes"),
    "an unknown field": (GOOD + "traget = 1", "traget", "target"),
    "an unknown section": (GOOD + "[limit]\nx = 1", "limit", "limits"),
    "an unknown field in a section": (GOOD + "[limits]\nidle = 1", "limits.idle", "idle_seconds"),
    "a negative limit": (GOOD + "[limits]\nconnections = -1", "limits.connections", "0 or more"),
    "text where a number is due": (GOOD + '[limits]\nconnections = "many"', "limits.connections", "number"),
    "a limit that is no number": (GOOD + "[limits]\nidle_seconds = nan", "limits.idle_seconds", ""),
    "a key without a certificate": (GOOD + '[tls]\nkey_file = "/k.pem"', "tls", "certificate"),
    "an old TLS version": (GOOD + '[tls]\nminimum = "1.0"', "tls.minimum", "1.2"),
    "a password in the open": (
        GOOD + '[tls]\ncertificate_file = "/c.pem"\nkey_password = "hunter2"',
        "tls.key_password",
        "keyring:",
    ),
    "an origin that is none": (GOOD + '[access]\norigins = ["vnc.lab"]', "access.origins", "https://"),
    "a feature of later": (GOOD + "[record]\non = true", "record.on", "not built yet"),
    "a target and a program": (GOOD + '[command]\nrun = ["vncserver"]', "target", "a target and a command"),
    "a target and tokens": (GOOD + '[tokens]\nsource = "file:/t"', "target", "targets by token"),
    "a name with a line break": (GOOD + 'name = "a\\nb"', "name", "name"),
    "a list where text is due": (GOOD + "group = []", "group", "text"),
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_bad_profile_names_file_field_and_remedy(
    name: str, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written, field, says = PROFILES[name]
    path = folders / "bad.toml"
    path.write_bytes(written if isinstance(written, bytes) else written.encode())
    assert main(["--profile", str(path)]) == 2
    said = capsys.readouterr().err
    assert "bad.toml" in said
    assert field in said
    assert says in said
    assert "hunter2" not in said
    assert "Traceback" not in said
    assert path.read_bytes() == (written if isinstance(written, bytes) else written.encode())


def test_all_problems_of_a_file_are_told_at_once(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folders / "bad.toml"
    path.write_text('target = "x"\nlisten = "y"\n[limits]\nconnections = -1\n')
    assert main(["profile", "check", str(path)]) == 2
    said = capsys.readouterr()
    assert all(field in said.out + said.err for field in ("target", "listen", "limits.connections"))


# Command lines: what is typed, the exit code, and what the sentence says.

COMMANDS = {
    "an unknown option": (["--nonsense"], 2, "--nonsense"),
    "an unknown command": (["frobnicate"], 2, "frobnicate"),
    "a profile that is not there": (["--profile", "nope"], 2, "nope"),
    "a file that is not there": (["--profile", "./nope.toml"], 2, "nope.toml"),
    "a folder as profile": (["--profile", "/"], 2, "/"),
    "--profile without a name": (["--profile"], 2, "--profile"),
    "--listen without a profile": (["--listen", "127.0.0.1:1"], 2, "--profile"),
    "--listen that is no address": (["--profile", "Demo", "--listen", "nowhere"], 2, "Write host:port"),
    "--listen for two profiles": (["--profile", "Demo", "--profile", "x", "--listen", "127.0.0.1:1"], 2, "--listen"),
    "--grace that is no number": (["--profile", "Demo", "--grace", "soon"], 2, "--grace"),
    "a negative --grace": (["--profile", "Demo", "--grace", "-1"], 2, "--grace"),
    "an unknown log level": (["--profile", "Demo", "--log-level", "loud"], 2, "loud"),
    "an unknown log format": (["--profile", "Demo", "--log-format", "xml"], 2, "xml"),
    "start with nothing running": (["start", "x"], 1, "running"),
    "stop without a name": (["stop"], 2, "NAME"),
    "new without a target": (["profile", "new", "x"], 2, "target"),
    "new with a bad target": (["profile", "new", "x", "--target", "y"], 2, "Write host:port"),
    "show what is not there": (["profile", "show", "nope"], 2, "nope"),
    "remove what is not there": (["profile", "remove", "nope", "--yes"], 2, "nope"),
    "a listener of another computer": (["--profile", "Demo", "--listen", "192.0.2.1:6080"], 1, "Listen on 127.0.0.1"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_bad_command_line_has_its_exit_code_and_a_sentence(
    name: str, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv, code, says = COMMANDS[name]
    try:
        exited = main(argv)
    except SystemExit as ended:
        exited = ended.code  # type: ignore[assignment]
    said = capsys.readouterr()
    assert exited == code, said
    assert says in said.err
    assert "Traceback" not in said.err
    assert re.search(r"(\.|--help|stopped)$", said.err.strip()), said.err


def test_the_table_has_its_sixty_inputs() -> None:
    assert len(HEADS) + len(FRAMES) + len(PROFILES) + len(COMMANDS) >= 60
