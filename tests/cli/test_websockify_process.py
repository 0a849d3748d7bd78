"""The process behind websockify's line: what ends it, what it leaves behind, and what a changed file does."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from pathlib import Path

import pytest

from tests.support.certificates import make_certificate
from tests.support.raw import RawClient, client_frame, tcp_target
from tests.support.waiting import until
from wsgui.cli import websockify_process
from wsgui.cli.websockify import NAME
from wsgui.cli.websockify_log import WebsockifyLog
from wsgui.profiles.websockify.options import absolute, parse


class Running:
    """A line that is served in this process, with what it has said."""

    def __init__(self, *line: str) -> None:
        self.said: list[str] = []
        log = WebsockifyLog(verbose=False)
        log.say = lambda message, level=20: self.said.append(message)  # type: ignore[method-assign,misc]
        self.process = websockify_process._Process(absolute(parse(line), os.getcwd()), None, log, None)
        self._task = asyncio.create_task(self.process.run())

    async def listens(self) -> str:
        """Wait until it does; its WebSocket address."""
        await until("the start", lambda: any("proxying" in line for line in self.said) or self._task.done())
        tunnel = self.process._engine.snapshot().tunnel(NAME)
        assert tunnel is not None
        return tunnel.websocket_url

    async def ended(self) -> int:
        async with asyncio.timeout(20):
            return await self._task


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(websockify_process, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(websockify_process, "CERTIFICATE_SECONDS", 0.1)
    return tmp_path


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
async def test_a_signal_ends_it(name: str) -> None:
    async with tcp_target() as target:
        running = Running("127.0.0.1:0", f"127.0.0.1:{target}")
        async with await RawClient.connect(await running.listens()) as client:
            await client.upgrade()
            os.kill(os.getpid(), getattr(signal, name))
            assert await client.closed() == (1001, "The tunnel is stopping")
        assert await running.ended() == 0


async def refused(url: str) -> bool:
    """Whether one more client gets no WebSocket: the port is closed, or it is told so."""
    try:
        async with await RawClient.connect(url) as client:
            client.send(client.head())
            return (await client.answer()).status == 503
    except (OSError, asyncio.IncompleteReadError):
        return True


async def test_run_once_serves_one_of_many_that_come_at_once() -> None:
    async with tcp_target() as target:
        running = Running("127.0.0.1:0", f"127.0.0.1:{target}", "--run-once")
        url = await running.listens()
        clients = [await RawClient.connect(url) for _ in range(5)]
        for client in clients:
            client.send(client.head())
        statuses = sorted([(await client.answer()).status for client in clients])
        assert statuses == [101, 503, 503, 503, 503]
        for client in clients:
            client.writer.transport.abort()
        assert await running.ended() == 0


async def test_run_once_lets_nobody_else_in_and_ends_with_the_first() -> None:
    async with tcp_target() as target:
        running = Running("127.0.0.1:0", f"127.0.0.1:{target}", "--run-once")
        url = await running.listens()
        async with await RawClient.connect(url) as client:
            await client.upgrade()
            client.send(client_frame(2, b"a"))
            assert await client.data(1) == b"a"
            assert await refused(url)
            client.send(client_frame(2, b"b"))
            assert await client.data(1) == b"b"
        assert await running.ended() == 0
        assert "127.0.0.1: exiting due to --run-once" in running.said


async def test_recordings_are_whole_when_it_is_ended(folder: Path) -> None:
    async with tcp_target() as target:
        running = Running("127.0.0.1:0", f"127.0.0.1:{target}", "--record", "rec")
        async with await RawClient.connect(await running.listens()) as client:
            await client.upgrade()
            client.send(client_frame(2, b"a"))
            assert await client.data(1) == b"a"
            os.kill(os.getpid(), signal.SIGTERM)
            await running.ended()
    lines = (folder / "rec.1").read_text().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("var VNC_frame_data = [", "'EOF'];", 4)


async def shown(url: str, context: ssl.SSLContext) -> bytes:
    """The certificate that a client sees."""
    async with await RawClient.connect(url, tls=context) as client:
        certificate = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(certificate, bytes)
        return certificate


async def test_a_renewed_certificate_is_shown_to_those_who_come_later(folder: Path) -> None:
    old = make_certificate(folder, name="self")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    line = ("127.0.0.1:0", "127.0.0.1:1", "--cert", str(old.certificate), "--key", str(old.key))
    running = Running(*line)
    url = await running.listens()
    before = await shown(url, context)
    (folder / "new").mkdir()
    new = make_certificate(folder / "new", name="self")
    os.replace(new.key, old.key)
    os.replace(new.certificate, old.certificate)

    async def another() -> bool:
        return await shown(url, context) != before

    await until("the new certificate", another)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running.ended() == 0


async def test_a_certificate_that_became_rubbish_changes_nothing(folder: Path) -> None:
    made = make_certificate(folder, name="self")
    running = Running("127.0.0.1:0", "127.0.0.1:1", "--cert", str(made.certificate), "--key", str(made.key))
    url = await running.listens()
    made.certificate.write_text("rubbish")
    await until("the warning", lambda: any("stays in use" in line for line in running.said))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    assert await shown(url, context)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running.ended() == 0
