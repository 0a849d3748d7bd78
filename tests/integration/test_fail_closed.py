"""Access rules fail closed: what is missing, empty or unreadable starts nothing, and on a reload the old rule stays.

FILES and LISTS below go through every field of [access] and [tls] that is built; one that is built later and stands in
neither fails the test at the end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import RunWsgui, WriteProfile
from tests.support.certificates import make_certificate
from tests.support.engines import NAME, Running, running
from tests.support.raw import RawClient
from wsgui.engine.engine import Engine
from wsgui.engine.snapshot import ReasonKind, TunnelState
from wsgui.errors import ProfileError, TunnelError
from wsgui.profiles.access import Access, Tls, Tokens
from wsgui.profiles.availability import NOT_BUILT
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile

PASSPHRASE = "correct horse"


class House:
    """A folder with a certificate, its encrypted key and the passphrase's file, as a profile names them."""

    def __init__(self, folder: Path) -> None:
        files = make_certificate(folder, password=PASSPHRASE.encode())
        self.certificate = files.certificate
        self.key = files.key
        self.secret = folder / "secret"
        self.secret.write_text(PASSPHRASE)
        self.secret.chmod(0o600)
        self.trust: ssl.SSLContext = files.client_context()

    @property
    def tls(self) -> dict[str, Any]:
        return {
            "certificate_file": str(self.certificate),
            "key_file": str(self.key),
            "key_password": f"file:{self.secret}",
            "only": True,
        }


@dataclass(frozen=True)
class FileField:
    """A field whose file is taken away, and the reason that is then given."""

    path: Callable[[House], Path]
    kind: ReasonKind


FILES = {
    "tls.certificate_file": FileField(lambda house: house.certificate, ReasonKind.CERTIFICATE),
    "tls.key_file": FileField(lambda house: house.key, ReasonKind.CERTIFICATE),
    "tls.key_password": FileField(lambda house: house.secret, ReasonKind.SECRET),
}


def missing(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_junk(path: Path) -> None:
    path.write_bytes(b"\xff\x00junk")


FAULTS = [missing, empty, replaced_by_a_folder, replaced_by_junk]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def profile(**fields: Any) -> Profile:
    return build_profile({"name": NAME, "listen": "127.0.0.1:0", "target": "demo:"} | fields, "test")


async def is_served(tunnel: Running, house: House) -> None:
    """The tunnel lets in who comes encrypted and trusts the certificate, and nobody else."""
    async with await RawClient.connect(tunnel.url, tls=house.trust) as client:
        await client.upgrade()
    async with await RawClient.connect(tunnel.url) as client:
        client.send(client.head())
        assert (await client.answer()).status == 403


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("field", FILES)
async def test_with_a_file_that_is_not_as_it_should_be_the_tunnel_does_not_start(
    field: str, fault: Callable[[Path], None], house: House
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    fault(FILES[field].path(house))
    engine = Engine()
    await engine.configure(profile(tls=house.tls, listen=f"127.0.0.1:{port}"))
    with pytest.raises(TunnelError) as caught:
        await engine.start(NAME)
    assert caught.value.field == field
    assert caught.value.hint
    (now,) = engine.snapshot().tunnels
    assert now.state is TunnelState.FAILED
    assert now.reason is not None
    assert (now.reason.kind, now.reason.field) == (FILES[field].kind, field)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await engine.close()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("field", FILES)
async def test_with_a_file_that_went_while_it_ran_the_old_rule_stays_and_the_reason_is_said(
    field: str, fault: Callable[[Path], None], house: House
) -> None:
    async with running(tls=house.tls) as tunnel:
        path = FILES[field].path(house)
        before = path.read_bytes()
        fault(path)
        await is_served(tunnel, house)
        with pytest.raises(TunnelError) as caught:
            await tunnel.engine.configure(profile(tls=house.tls))
        assert caught.value.field == field
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.reason is not None
        assert (tunnel.now.reason.kind, tunnel.now.reason.field) == (FILES[field].kind, field)
        await is_served(tunnel, house)

        if path.is_dir():
            path.rmdir()
        path.write_bytes(before)
        path.chmod(0o600)
        await tunnel.engine.configure(profile(tls=house.tls))
        assert tunnel.now.reason is None
        await is_served(tunnel, house)


async def test_a_fault_of_our_own_starts_nothing_either(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Tls) -> ssl.SSLContext:
        raise RuntimeError("surprise")

    monkeypatch.setattr("wsgui.engine.tunnel.server_context", broken)
    engine = Engine()
    await engine.configure(profile(tls=house.tls))
    with pytest.raises(RuntimeError):
        await engine.start(NAME)
    (now,) = engine.snapshot().tunnels
    assert now.state is TunnelState.FAILED
    assert now.reason is not None
    assert now.reason.message == "wsgui itself has failed (RuntimeError)."
    await engine.close()


# Unreadable: as a user whom the file's mode keeps out.

AS_NOBODY = """
import asyncio, concurrent.futures.thread, encodings.idna, json, os, sys  # nobody may not read the library
from wsgui.engine.engine import Engine
from wsgui.engine.loops import new_event_loop
from wsgui.errors import TunnelError
from wsgui.profiles.model import Profile

async def attempt(what):
    try:
        await what
    except TunnelError as error:
        return {"field": error.field, "message": error.message}
    return None

async def main(fields, victim):
    engine = Engine()
    profile = Profile.model_validate(fields)
    await engine.configure(profile)
    os.chmod(victim, 0)
    started = await attempt(engine.start("T"))
    after_start = engine.snapshot().tunnels[0].state
    os.chmod(victim, 0o600)
    await engine.configure(profile)  # what has failed is tried again
    url = engine.snapshot().tunnels[0].websocket_url
    os.chmod(victim, 0)
    reloaded = await attempt(engine.configure(profile))
    now = engine.snapshot().tunnels[0]
    print(json.dumps([started, after_start, reloaded, now.state, now.websocket_url == url, now.reason.kind]))
    await engine.close()

if os.geteuid() == 0:
    os.seteuid(65534)
with asyncio.Runner(loop_factory=new_event_loop) as runner:
    runner.run(main(json.loads(sys.argv[1]), sys.argv[2]))
"""


@pytest.fixture
def public_house() -> Iterator[House]:
    """One that another user owns, in a folder that this user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        os.chmod(folder, 0o755)
        if os.geteuid() == 0:
            for path in Path(folder).iterdir():
                os.chown(path, 65534, 65534)
        yield house


@pytest.mark.parametrize("field", FILES)
def test_with_a_file_that_may_not_be_read_it_neither_starts_nor_forgets_the_old_rule(
    field: str, public_house: House
) -> None:
    fields = {"name": NAME, "listen": "127.0.0.1:0", "target": "demo:", "tls": public_house.tls}
    victim = FILES[field].path(public_house)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, json.dumps(fields), str(victim)], capture_output=True, text=True, timeout=30
    )
    assert done.stdout, done.stderr
    started, after_start, reloaded, state, same_url, kind = json.loads(done.stdout)
    assert after_start == "failed"
    assert (state, same_url, kind) == ("running", True, FILES[field].kind)
    for error in (started, reloaded):
        assert error["field"] == field
        assert str(victim) in error["message"]
        assert "permission denied" in error["message"].lower()


async def test_sighup_with_a_deleted_certificate_says_so_and_stays_encrypted(
    house: House, run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    lines = [f"{name} = {json.dumps(value)}" for name, value in house.tls.items()]
    write_profile("lab", "\n".join(['listen = "127.0.0.1:0"', 'target = "demo:"', "[tls]", *lines, ""]))
    process = await run_wsgui("--profile", "lab")
    url = await process.address("lab")
    house.certificate.unlink()
    process.signal(signal.SIGHUP)
    await process.logged(f"There is no file {house.certificate}")
    async with await RawClient.connect(url, tls=house.trust) as client:
        await client.upgrade()
    async with await RawClient.connect(url) as client:
        client.send(client.head())
        assert (await client.answer()).status == 403


# References and paths that are themselves empty

EMPTY_TEXT: dict[str, tuple[dict[str, Any], str]] = {
    "certificate_file": ({"certificate_file": ""}, "certificate"),
    "key_password": ({"key_password": "file:"}, "key_password"),
    "key_password by variable": ({"key_password": "env:"}, "key_password"),
    "key_password by keyring": ({"key_password": "keyring:"}, "key_password"),
}


@pytest.mark.parametrize("name", EMPTY_TEXT)
def test_a_name_that_is_empty_where_one_is_needed_makes_no_profile(name: str, house: House) -> None:
    change, says = EMPTY_TEXT[name]
    with pytest.raises(ProfileError) as caught:
        profile(tls=house.tls | change)
    assert says in str(caught.value)


@pytest.mark.parametrize("left_out", ["key_file", "key_password"])
@pytest.mark.parametrize("how", ["empty", "absent"])
async def test_what_is_left_out_though_the_key_needs_it_starts_nothing(left_out: str, how: str, house: House) -> None:
    fields = house.tls | {left_out: ""}
    if how == "absent":
        del fields[left_out]
    engine = Engine()
    await engine.configure(profile(tls=fields))
    with pytest.raises(TunnelError) as caught:
        await engine.start(NAME)
    assert caught.value.field == f"tls.{left_out}"
    await engine.close()


@pytest.mark.parametrize("value", [None, ""])
async def test_a_variable_that_is_missing_or_empty_starts_nothing(
    value: str | None, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("WSGUI_TEST_SECRET", raising=False)
    else:
        monkeypatch.setenv("WSGUI_TEST_SECRET", value)
    engine = Engine()
    await engine.configure(profile(tls=house.tls | {"key_password": "env:WSGUI_TEST_SECRET"}))
    with pytest.raises(TunnelError) as caught:
        await engine.start(NAME)
    assert caught.value.field == "tls.key_password"
    assert engine.snapshot().tunnels[0].reason is not None
    await engine.close()


# Lists: absent is the rule's default, empty is nobody, nonsense is no profile.

PAGE = "https://vnc.lab"
LISTS = {"access.origins": "origin", "access.hosts": "host"}


async def status(tunnel: Running, **fields: str) -> int:
    async with await RawClient.connect(tunnel.url) as client:
        client.send(client.head(**fields))
        return (await client.answer()).status


async def own_page(tunnel: Running) -> int:
    return await status(tunnel, origin=tunnel.now.page_url.rstrip("/"))


async def test_an_empty_list_of_origins_lets_no_page_in_but_native_clients() -> None:
    async with running(access={"origins": []}) as tunnel:
        assert await own_page(tunnel) == 403
        assert await status(tunnel, origin=PAGE) == 403
        assert await status(tunnel, origin="null") == 403
        assert await status(tunnel) == 101


async def test_origins_left_out_let_own_pages_in_and_no_others() -> None:
    async with running() as tunnel:
        assert await own_page(tunnel) == 101
        assert await status(tunnel, origin=PAGE) == 403


@pytest.mark.parametrize("access", [{}, {"hosts": []}])
async def test_hosts_left_out_or_empty_add_no_name(access: dict[str, Any]) -> None:
    async with running(access=access) as tunnel:
        assert await status(tunnel, host="vnc.example") == 403
        assert await status(tunnel) == 101


async def test_what_is_taken_from_a_list_while_it_runs_is_refused_from_then_on() -> None:
    async with running(access={"origins": [PAGE], "hosts": ["vnc.example"]}) as tunnel:
        assert await status(tunnel, origin=PAGE, host="vnc.example") == 101
        await tunnel.engine.configure(profile(access={"origins": [], "hosts": ["vnc.example"]}))
        assert await status(tunnel, origin=PAGE, host="vnc.example") == 403
        assert await status(tunnel, host="vnc.example") == 101
        await tunnel.engine.configure(profile())
        assert await status(tunnel, host="vnc.example") == 403
        assert await status(tunnel, origin=PAGE) == 403


NONSENSE: list[Any] = [[""], "", [" "], [None], [5], ["a b"], ["http://"], [[]], {"a": 1}, None, True]


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize("field", LISTS)
def test_a_list_that_is_none_makes_no_profile(field: str, value: Any) -> None:
    section, _, name = field.partition(".")
    with pytest.raises(ProfileError) as caught:
        profile(**{section: {name: value}})
    assert field in str(caught.value)


@pytest.mark.parametrize("field", LISTS)
async def test_a_list_that_becomes_nonsense_while_it_runs_leaves_the_old_rule(
    field: str, run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    section, _, name = field.partition(".")
    start = f'listen = "127.0.0.1:0"\ntarget = "demo:"\n[{section}]\n'
    write_profile("lab", start + 'origins = []\nhosts = ["vnc.example"]\n')
    process = await run_wsgui("--profile", "lab")
    url = await process.address("lab")
    write_profile("lab", start + f'{name} = [""]\n')
    process.signal(signal.SIGHUP)
    await process.logged(field)
    for fields, answer in (({"origin": PAGE}, 403), ({"host": "vnc.example"}, 101), ({"host": "evil.example"}, 403)):
        async with await RawClient.connect(url) as client:
            client.send(client.head(**fields))
            assert (await client.answer()).status == answer


# Nothing is forgotten

NO_SOURCE = {
    "tls.only": "a switch; left out it is on wherever the network can reach",
    "tls.minimum": "one of two words",
    "tls.ciphers": "a list that no cipher matches starts nothing: tests/certificates",
}


def test_every_field_that_is_built_is_gone_through() -> None:
    sections = {"tls": Tls, "access": Access, "tokens": Tokens}
    fields = {f"{section}.{name}" for section, model in sections.items() for name in model.model_fields}
    built = {field for field in fields if field not in NOT_BUILT and field.partition(".")[0] not in NOT_BUILT}
    assert built == set(FILES) | set(LISTS) | set(NO_SOURCE)
