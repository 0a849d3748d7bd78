"""Certificates that change while tunnels run: new clients get the new one, nobody is cut, what does not fit waits."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import pty
import random
import shutil
import ssl
import subprocess
import sys
import termios
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import keyring.errors
import pytest
from cryptography import x509

from tests.integration.conftest import RunWsgui, WriteProfile
from tests.support.certificates import Certificate, ClientAuthority, make_certificate
from tests.support.engines import Running, running
from tests.support.houses import FAULTS, missing, of_another_kind, spoiled
from tests.support.issuer import VARIABLE, Issuer
from tests.support.keyrings import memory_keyring
from tests.support.raw import RawClient, client_frame, tcp_target
from tests.support.trust_stores import MemoryStore
from tests.support.waiting import until
from wsgui.app.certificates import Certificates
from wsgui.app.paths import Paths
from wsgui.app.renewal import AutomaticRenewal
from wsgui.certificates.vault import Vault
from wsgui.engine import certificates as care
from wsgui.engine.engine import Engine
from wsgui.engine.events import CertificateEvent
from wsgui.engine.snapshot import ReasonKind, TunnelState
from wsgui.errors import TunnelError
from wsgui.profiles.model import Profile

CLIENTS = 100


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(care, "LOOK_SECONDS", 0.05)


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    return Issuer(tmp_path / "vault", monkeypatch)


@pytest.fixture
def files(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, name="current")


@pytest.fixture
def other(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, name="other")


def tls_of(files: Certificate, **more: Any) -> dict[str, Any]:
    return {"certificate_file": str(files.certificate), "key_file": str(files.key)} | more


def any_server() -> ssl.SSLContext:
    """A client that takes whatever certificate it is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def shown(tunnel: Running) -> str:
    """The fingerprint of the certificate that a new client is shown."""
    async with await RawClient.connect(tunnel.url, tls=any_server()) as client:
        return _digest(client.writer.get_extra_info("ssl_object").getpeercert(True))


def digest_of(path: Path) -> str:
    return _digest(ssl.PEM_cert_to_DER_cert(_first_certificate(path.read_text())))


def _first_certificate(text: str) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    start = text.index(begin)
    return text[start : text.index(end, start) + len(end)]


def _digest(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def put(source: Path, place: Path) -> None:
    """Put a copy in the place of a file, in one step."""
    aside = place.with_name(f"{place.name}.new")
    shutil.copy(source, aside)
    os.replace(aside, place)


def happened(tunnel: Running) -> list[str]:
    return [event.happened for event in tunnel.events if isinstance(event, CertificateEvent)]


async def happens(tunnel: Running, what: str) -> CertificateEvent:
    return await tunnel.event(CertificateEvent, lambda event: event.happened == what)


# Renewal under load


class Talker:
    """A client that sends pieces of random sizes through an echo without a rest, and sums up both ways."""

    def __init__(self, client: RawClient, seed: int) -> None:
        self.client = client
        self.rounds = 0
        self._dice = random.Random(seed)
        self._over = False
        self._sums = [0, 0]
        self.task = asyncio.create_task(self._talk())

    async def _talk(self) -> None:
        while not self._over:
            piece = self._dice.randbytes(self._dice.choice((1, 125, 126, 4096, 70_000)))
            self.client.send(client_frame(2, piece))
            echoed = await self.client.data(len(piece))
            self._sums = [zlib.crc32(data, so_far) for data, so_far in zip((piece, echoed), self._sums, strict=True)]
            self.rounds += 1

    async def end(self) -> None:
        """Come to an end; fails when the connection was cut, or a byte was another."""
        self._over = True
        await self.task
        assert self._sums[0] == self._sums[1]
        self.client.writer.transport.abort()


async def test_a_renewal_cuts_none_of_a_hundred_connections_and_new_ones_get_the_new_leaf(
    issuer: Issuer, tmp_path: Path
) -> None:
    old = issuer.make("127.0.0.1", now=datetime.now(UTC) - timedelta(days=380))
    issuer.vault.save_authority(issuer.authority, issuer.key, f"env:{VARIABLE}")
    certificates = Certificates(Paths.beneath(tmp_path), tuple, stores=[MemoryStore("None")], vault=issuer.vault)
    trust = issuer.client_context()
    async with (
        tcp_target() as port,
        running(vault=issuer.vault, target=f"127.0.0.1:{port}", tls={"certificate": ["127.0.0.1"]}) as tunnel,
    ):
        before = await shown(tunnel)
        assert before == old.description.fingerprint.replace(":", "").lower()
        clients = [await RawClient.connect(tunnel.url, tls=trust) for _ in range(CLIENTS)]
        for client in clients:
            await client.upgrade()
        talkers = [Talker(client, seed) for seed, client in enumerate(clients)]
        await until("all talk", lambda: all(talker.rounds for talker in talkers))

        await AutomaticRenewal(certificates, tunnel.engine.events).check()
        renewed = await happens(tunnel, "renewed")
        assert renewed.certificate == "127.0.0.1"
        changed = await happens(tunnel, "changed")
        assert changed.not_after == renewed.not_after
        assert changed.not_after > old.description.not_after.timestamp()
        assert await shown(tunnel) != before
        assert tunnel.now.certificate is not None
        assert tunnel.now.certificate.not_after == changed.not_after

        seen = [talker.rounds for talker in talkers]
        await until("all go on", lambda: all(t.rounds > s + 1 for t, s in zip(talkers, seen, strict=True)))
        assert not any(talker.task.done() for talker in talkers)
        assert len(tunnel.now.connections) == CLIENTS
        async with await RawClient.connect(tunnel.url, tls=trust) as late:  # it is trusted as the one before was
            await late.upgrade()
        for talker in talkers:
            await talker.end()
        assert happened(tunnel) == ["renewed", "changed"]


async def test_a_connection_that_waits_for_its_next_request_goes_on_after_a_renewal(files: Certificate) -> None:
    async with running(tls=tls_of(files)) as tunnel, await RawClient.connect(tunnel.url, tls=any_server()) as client:
        drop = ("upgrade", "connection", "sec-websocket-key", "sec-websocket-version")
        client.send(client.head(drop=drop))
        assert (await client.answer(body=True)).status == 200
        fresh = make_certificate(files.certificate.parent, name="fresh")
        put(fresh.key, files.key)
        put(fresh.certificate, files.certificate)
        await happens(tunnel, "changed")
        client.send(client.head(drop=drop))
        assert (await client.answer(body=True)).status == 200


# Replaced files


async def test_a_replaced_file_is_in_use_within_five_seconds(
    files: Certificate, other: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # as often as it really looks
    async with running(tls=tls_of(files)) as tunnel:
        put(other.key, files.key)
        put(other.certificate, files.certificate)
        began = time.monotonic()
        event = await happens(tunnel, "changed")
        assert time.monotonic() - began < 5
        assert event.certificate == str(files.certificate)
        assert "those who connect from now on" in event.message
        assert await shown(tunnel) == digest_of(other.certificate)


@pytest.mark.parametrize("how", [put, shutil.copy], ids=["in one step", "in place"])
async def test_a_new_key_waits_for_its_certificate_and_the_old_pair_stays_in_use(
    how: Callable[[Path, Path], object], files: Certificate, other: Certificate
) -> None:
    before = digest_of(files.certificate)
    async with running(tls=tls_of(files)) as tunnel:
        how(other.key, files.key)
        event = await happens(tunnel, "unusable")
        assert event.message == f"The key in {files.key} does not belong to the certificate in {files.certificate}."
        assert "stays in use" in event.hint
        assert await shown(tunnel) == before
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.reason is not None
        assert tunnel.now.reason.kind is ReasonKind.CERTIFICATE
        await looked(tunnel)
        assert happened(tunnel) == ["unusable"]  # once

        how(other.certificate, files.certificate)
        await happens(tunnel, "changed")
        assert await shown(tunnel) == digest_of(other.certificate)
        assert tunnel.now.reason is None
        assert happened(tunnel) == ["unusable", "changed"]


async def looked(tunnel: Running, times: int = 3) -> None:
    """Wait until it was looked a few times more at the files."""
    tunnel_of_engine = tunnel.engine._tunnels["T"]
    seen = 0
    whole = tunnel_of_engine._care.look

    async def counted() -> None:
        nonlocal seen
        await whole()
        seen += 1

    tunnel_of_engine._care.look = counted  # type: ignore[method-assign]
    await until("it was looked", lambda: seen >= times)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("which", ["certificate", "key"])
async def test_what_is_damaged_or_gone_leaves_the_old_in_use_until_it_is_put_right(
    which: str, fault: Callable[[Path, bool], None], files: Certificate
) -> None:
    path = getattr(files, which)
    async with running(tls=tls_of(files)) as tunnel:
        before = await shown(tunnel)
        with spoiled(path, fault):
            event = await happens(tunnel, "unusable")
            assert str(path) in event.message
            assert await shown(tunnel) == before
            assert tunnel.now.reason is not None
        event = await happens(tunnel, "changed")
        assert event.message.endswith("is in order again.")
        assert tunnel.now.reason is None
        assert await shown(tunnel) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_a_file_that_becomes_unreadable_leaves_the_old_in_use(files: Certificate, other: Certificate) -> None:
    async with running(tls=tls_of(files)) as tunnel:
        before = await shown(tunnel)
        other.key.chmod(0)
        os.replace(other.key, files.key)
        assert "cannot be read" in (await happens(tunnel, "unusable")).message
        assert await shown(tunnel) == before


async def test_links_that_lead_somewhere_else_are_noticed_too(
    tmp_path: Path, files: Certificate, other: Certificate
) -> None:
    live = Certificate(tmp_path / "live.pem", tmp_path / "live.key")

    def link(to: Certificate) -> None:
        for place, target in ((live.certificate, to.certificate), (live.key, to.key)):
            aside = tmp_path / "aside"
            aside.symlink_to(target)
            os.replace(aside, place)

    link(files)
    async with running(tls=tls_of(live)) as tunnel:
        link(other)
        await happens(tunnel, "changed")
        assert await shown(tunnel) == digest_of(other.certificate)


async def test_a_key_with_another_passphrase_is_used_once_the_secret_is_the_new_one(
    tmp_path: Path, files: Certificate
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first")
    secret.chmod(0o600)
    first = make_certificate(tmp_path, name="first", password=b"first")
    second = make_certificate(tmp_path, name="second", password=b"second")
    async with running(tls=tls_of(first, key_password=f"file:{secret}")) as tunnel:
        put(second.key, first.key)
        put(second.certificate, first.certificate)
        await until("it is said", lambda: any("passphrase does not open" in e.message for e in told(tunnel)))
        secret.write_text("second")
        await happens(tunnel, "changed")
        assert await shown(tunnel) == digest_of(second.certificate)


def told(tunnel: Running) -> list[CertificateEvent]:
    return [event for event in tunnel.events if isinstance(event, CertificateEvent)]


async def test_a_certificate_for_other_names_changes_by_which_names_the_tunnel_may_be_called(
    tmp_path: Path, files: Certificate
) -> None:
    fresh = make_certificate(tmp_path, name="fresh", names=["vnc.example"])
    async with running(tls=tls_of(files)) as tunnel:
        for answer in (403, 101):
            async with await RawClient.connect(tunnel.url, tls=any_server()) as client:
                client.send(client.head(host="vnc.example"))
                assert (await client.answer()).status == answer
            put(fresh.key, files.key)
            put(fresh.certificate, files.certificate)
            await until(
                "it is in use", lambda: tunnel.now.certificate and "vnc.example" in tunnel.now.certificate.names
            )
            await looked(tunnel, 2)


async def test_an_authority_that_is_taken_away_ends_its_sessions_and_lets_nobody_in(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    old, new = ClientAuthority(tmp_path, "old"), ClientAuthority(tmp_path, "new")
    place = tmp_path / "authorities.pem"
    place.write_bytes(old.path.read_bytes() + new.path.read_bytes())
    shows_old, shows_new = any_server(), any_server()
    shows_old.load_cert_chain(old.sign("anna"))
    shows_new.load_cert_chain(new.sign("ben"))
    async with running(tls=tls_of(files, client_authority=str(place))) as tunnel:
        first = await RawClient.connect(tunnel.url, tls=shows_old)
        await first.upgrade()
        put(new.path, place)
        code, _ = await first.closed()
        assert code == 1008
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            async with await RawClient.connect(tunnel.url, tls=shows_old) as client:
                await client.upgrade()
        async with await RawClient.connect(tunnel.url, tls=shows_new) as client:
            await client.upgrade()
        first.writer.transport.abort()


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_authority_that_is_damaged_leaves_the_old_rule(
    tmp_path: Path, fault: Callable[[Path, bool], None]
) -> None:
    files, authority = make_certificate(tmp_path), ClientAuthority(tmp_path)
    anna = any_server()
    anna.load_cert_chain(authority.sign("anna"))
    async with running(tls=tls_of(files, client_authority=str(authority.path))) as tunnel:
        async with await RawClient.connect(tunnel.url, tls=anna) as client:
            await client.upgrade()
            with spoiled(authority.path, fault):
                event = await happens(tunnel, "unusable")
                assert event.certificate == str(authority.path)
                async with await RawClient.connect(tunnel.url, tls=anna) as another:
                    await another.upgrade()
                with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                    async with await RawClient.connect(tunnel.url, tls=any_server()) as nobody:
                        await nobody.upgrade()
            await happens(tunnel, "changed")
            assert tunnel.now.reason is None
            client.send(client_frame(9, b"still there"))
            while (frame := await client.frame())[0] == 2:
                pass  # what the demo shows
            assert frame == (10, b"still there")


# Managed ones


async def test_a_managed_certificate_that_is_removed_or_broken_leaves_the_old_in_use(issuer: Issuer) -> None:
    issuer.make("office.lan", ["office.lan", "127.0.0.1"])
    file = issuer.vault.file("office.lan")
    async with running(vault=issuer.vault, tls={"certificate": ["office.lan"]}) as tunnel:
        before = await shown(tunnel)
        with spoiled(file, missing):
            event = await happens(tunnel, "unusable")
            assert event.certificate == "office.lan"
            assert await shown(tunnel) == before
        await happens(tunnel, "changed")
        with spoiled(file, of_another_kind):
            await until("it is said again", lambda: happened(tunnel).count("unusable") == 2)
            assert await shown(tunnel) == before


async def test_a_renewed_certificate_whose_passphrase_cannot_be_had_waits(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(care, "ASK_AGAIN_SECONDS", 0.05)
    issuer.make("office.lan")
    async with running(vault=issuer.vault, tls={"certificate": ["office.lan"]}) as tunnel:
        before = await shown(tunnel)
        issuer.make("office.lan")
        passphrase = os.environ[VARIABLE]
        monkeypatch.delenv(VARIABLE)
        await until("it is said", lambda: any(VARIABLE in event.message for event in told(tunnel)))
        assert tunnel.now.reason is not None
        assert tunnel.now.reason.kind is ReasonKind.SECRET
        monkeypatch.setenv(VARIABLE, passphrase)
        await happens(tunnel, "changed")
        assert await shown(tunnel) == digest_of(issuer.vault.file("office.lan"))
        assert await shown(tunnel) in (before, digest_of(issuer.vault.file("office.lan")))


# Ends


@pytest.mark.parametrize(
    ("days", "words"), [(13.5, "ends in 14 days"), (6.5, "ends in 7 days"), (0.5, "ends within a day")]
)
async def test_an_end_that_comes_near_is_said_once(days: float, words: str, tmp_path: Path) -> None:
    files = make_certificate(tmp_path, days=days)
    engine = Engine()
    tunnel = Running(engine)
    for name in ("T", "U"):  # one certificate, two tunnels
        await engine.configure(
            Profile.model_validate({"name": name, "listen": "127.0.0.1:0", "target": "demo:", "tls": tls_of(files)})
        )
        await engine.start(name)
    event = await happens(tunnel, "ends")
    assert words in event.message
    assert "in its place" in event.hint
    await looked(tunnel)
    assert happened(tunnel) == ["ends"]
    await engine.close()


@pytest.mark.parametrize(("days", "since", "what"), [(-1, 10, "ended"), (20, -1, "unusable")])
async def test_a_certificate_that_browsers_refuse_for_its_time_is_shown_and_said(
    days: float, since: float, what: str, tmp_path: Path
) -> None:
    files = make_certificate(tmp_path, days=days, since_days=since)
    async with running(tls=tls_of(files)) as tunnel:
        event = await happens(tunnel, what)
        assert "browsers refuse it" in event.message
        assert tunnel.now.state is TunnelState.RUNNING
        assert await shown(tunnel) == digest_of(files.certificate)
        fresh = make_certificate(tmp_path, name="fresh")
        put(fresh.key, files.key)
        put(fresh.certificate, files.certificate)
        await happens(tunnel, "changed")
        assert happened(tunnel)[0] == what
        assert happened(tunnel)[-1] == "changed"


# What does not start


async def refused(issuer: Issuer | None, certificate: str) -> TunnelError:
    engine = Engine(vault=issuer.vault if issuer is not None else None)
    settings = {"name": "T", "listen": "127.0.0.1:0", "target": "demo:", "tls": {"certificate": [certificate]}}
    await engine.configure(Profile.model_validate(settings))
    with pytest.raises(TunnelError) as caught:
        await engine.start("T")
    (tunnel,) = engine.snapshot().tunnels
    assert tunnel.state is TunnelState.FAILED
    assert tunnel.certificate is None
    await engine.close()
    assert caught.value.hint
    return caught.value


async def test_a_tunnel_without_the_passphrase_of_its_certificate_does_not_start(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.make("office.lan")
    monkeypatch.delenv(VARIABLE)
    error = await refused(issuer, "office.lan")
    assert VARIABLE in error.message
    assert error.field == "tls.certificate"


async def test_a_tunnel_with_a_wrong_passphrase_for_its_certificate_does_not_start(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.make("office.lan")
    monkeypatch.setenv(VARIABLE, "hunter2")
    error = await refused(issuer, "office.lan")
    assert "hunter2" not in str(error)
    assert "office.lan" in str(error)


async def test_a_tunnel_whose_passphrase_nobody_can_be_asked_for_does_not_start(issuer: Issuer) -> None:
    issuer.make("office.lan")
    issuer.vault.move_passphrase("office.lan", "file:" + str(_secret(issuer)))
    text = issuer.vault.file("office.lan").with_suffix(".toml")
    text.write_text(text.read_text().replace(f"file:{_secret(issuer)}", "ask"))
    error = await refused(issuer, "office.lan")
    assert "office.lan" in str(error)


def _secret(issuer: Issuer) -> Path:
    path = issuer.vault.folder / "secret"
    if not path.exists():
        path.write_text("a passphrase of its own")
        path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (keyring.errors.NoKeyringError(), "no keyring"),
        (keyring.errors.KeyringLocked(), "locked"),
        (RuntimeError("org.freedesktop: hunter2"), "RuntimeError"),
    ],
)
async def test_a_tunnel_whose_keyring_does_not_give_the_passphrase_says_why_and_does_not_start(
    failure: Exception, words: str, issuer: Issuer
) -> None:
    with memory_keyring() as ring:
        issuer.make("office.lan", passphrase="keyring")
        async with running(vault=issuer.vault, tls={"certificate": ["office.lan"]}) as tunnel:
            assert tunnel.now.state is TunnelState.RUNNING
        ring.failure = failure
        error = await refused(issuer, "office.lan")
        assert words in str(error)
        assert "hunter2" not in str(error)


async def test_a_tunnel_whose_certificate_is_not_there_does_not_start(issuer: Issuer) -> None:
    assert "office.lan" in (await refused(issuer, "office.lan")).message
    assert "office.lan" in (await refused(None, "office.lan")).message


async def test_a_managed_certificate_is_told_of_in_the_snapshot(issuer: Issuer) -> None:
    issuer.make("office.lan", ["office.lan", "127.0.0.1"])
    issuer.make("early.lan", now=datetime.now(UTC) - timedelta(days=300))
    async with running(vault=issuer.vault, tls={"certificate": ["office.lan", "early.lan"]}) as tunnel:
        told_of = tunnel.now.certificate
        assert told_of is not None
        assert (told_of.name, told_of.names, told_of.managed, told_of.renews) == (
            "early.lan",
            ("early.lan",),
            True,
            True,
        )
        assert told_of.not_after == issuer.vault.read("early.lan").description.not_after.timestamp()
    assert tunnel.now.certificate is None


# Whole processes


async def test_a_headless_process_uses_a_replaced_file_and_says_so_in_its_log(
    run_wsgui: RunWsgui, write_profile: WriteProfile, files: Certificate, other: Certificate
) -> None:
    write_profile(
        "lab",
        f'listen = "127.0.0.1:0"\ntarget = "demo:"\n[tls]\ncertificate_file = "{files.certificate}"\n'
        f'key_file = "{files.key}"\n',
    )
    process = await run_wsgui("--profile", "lab")
    url = await process.address("lab")
    put(other.key, files.key)
    await process.logged("does not belong to the certificate .* stays in use")
    put(other.certificate, files.certificate)
    await process.logged(f"lab: The certificate in {files.certificate} was replaced")
    async with await RawClient.connect(url, tls=any_server()) as client:
        der = client.writer.get_extra_info("ssl_object").getpeercert(True)
        assert x509.load_der_x509_certificate(der) == x509.load_pem_x509_certificate(other.certificate.read_bytes())


@pytest.fixture
def asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_profile: WriteProfile) -> str:
    """A profile with a certificate whose passphrase is kept nowhere; that passphrase."""
    issuer = Issuer(tmp_path / "data" / "certificates", monkeypatch)
    issuer.vault = Vault(issuer.vault.folder, ask=lambda _: "open sesame")
    issuer.make("office.lan", passphrase="ask")
    write_profile("lab", 'listen = "127.0.0.1:0"\ntarget = "demo:"\n[tls]\ncertificate = ["office.lan"]\n')
    return "open sesame"


async def test_headless_asks_on_its_terminal_before_it_starts(asked_for: str, environment: dict[str, str]) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wsgui", "--profile", "lab"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    os.set_blocking(master, False)
    shown = ""

    def has(text: str) -> Callable[[], bool]:
        def look() -> bool:
            nonlocal shown
            with contextlib.suppress(BlockingIOError):
                shown += os.read(master, 65536).decode()
            assert process.poll() is None, shown
            return text in shown

        return look

    try:
        await until("it asks", has('The passphrase of the certificate "office.lan": '))
        assert "wss://" not in shown
        assert "https://" not in shown
        os.write(master, b"open barley\n")
        await until("it asks again", lambda: has("")() and shown.count("The passphrase of the certificate") == 2)
        os.write(master, f"{asked_for}\n".encode())
        await until("it runs", has("lab: https://"))
        assert asked_for not in shown
    finally:
        process.terminate()
        os.close(master)
        await asyncio.to_thread(process.wait)


@pytest.mark.usefixtures("asked_for")
async def test_headless_without_a_terminal_says_what_is_missing(run_wsgui: RunWsgui) -> None:
    process = await run_wsgui("--profile", "lab")
    assert await process.ended() == 1
    said = "\n".join(process.err)
    assert "office.lan" in said
    assert "passphrase" in said
    assert "Traceback" not in said
