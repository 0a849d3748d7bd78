"""Access rules fail closed: what is missing, empty or unreadable starts nothing, and on a reload the old rule stays.

Here it is the files: of every rule in tests/support/houses.py, each as it should not be. What else the fields of a
profile can be is in test_fail_closed_fields.py, which also sees to it that no field is forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import RunWsgui, WriteProfile
from tests.support.engines import NAME, Running, running
from tests.support.houses import FAULTS, RULES, House, Rule, empty, junk, spoiled
from tests.support.raw import RawClient, tcp_target
from wsgui.engine.engine import Engine
from wsgui.engine.snapshot import ReasonKind, TunnelState
from wsgui.errors import TunnelError
from wsgui.profiles.access import Tls
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile

Fault = Callable[[Path, bool], None]
LOADED_LATE = (
    "concurrent.futures.thread",
    "encodings.idna",
    "jwcrypto.jwk",
    "jwcrypto.jws",
    "websockify.auth_plugins",
    "websockify.token_plugins",
    "wsgui.access.basic",
    "wsgui.access.client_certificates",
    "wsgui.access.plugins",
    "wsgui.access.tokens.jwt",
    "wsgui.access.websockify_modules.auth_plugins",
    "wsgui.access.websockify_modules.token_plugins",
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for files that may be being replaced, nor for who has tried the wrong thing."""
    monkeypatch.setattr("wsgui.access.delays.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("wsgui.access.tokens.table.GONE_SECONDS", 0.1)
    monkeypatch.setattr("wsgui.access.tokens.table.SETTLE_SECONDS", 0.05)
    monkeypatch.setattr("wsgui.access.tokens.file_per_token.SETTLE_SECONDS", 0.0)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """One whose tokens lead to a service that is there."""
    async with tcp_target() as port:
        house = House(tmp_path, f"127.0.0.1:{port}")
        monkeypatch.syspath_prepend(house.plugin.parent)
        with house.socket():
            yield house


def profile(**fields: Any) -> Profile:
    return build_profile({"name": NAME, "listen": "127.0.0.1:0"} | fields, "test")


def field_of(rule: str) -> str:
    return rule.partition(" ")[0]


PAIRS = [
    (name, fault)
    for name, rule in RULES.items()
    for fault in FAULTS
    if not (rule.may_be_empty and fault in (empty, junk))
]


async def is_served(tunnel: Running, house: House, rule: Rule) -> None:
    """The tunnel lets in who may come in, and nobody else."""
    assert await rule.right(tunnel, house) == 101
    assert await rule.wrong(tunnel, house) == rule.refused


async def fails(engine: Engine, field: str, kind: ReasonKind) -> None:
    """The tunnel does not start, and says why, and what to do."""
    with pytest.raises(TunnelError) as caught:
        await engine.start(NAME)
    assert caught.value.field == field
    assert caught.value.hint
    (now,) = engine.snapshot().tunnels
    assert now.state is TunnelState.FAILED
    assert now.reason is not None
    assert (now.reason.kind, now.reason.field) == (kind, field)


@pytest.mark.parametrize(("name", "fault"), PAIRS)
async def test_with_a_file_that_is_not_as_it_should_be_the_tunnel_does_not_start(
    name: str, fault: Fault, house: House, free_port: int
) -> None:
    rule = RULES[name]
    engine = Engine()
    await engine.configure(profile(**rule.fields(house), listen=f"127.0.0.1:{free_port}"))
    with spoiled(rule.path(house), fault):
        await fails(engine, field_of(name), rule.kind)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", free_port)
    await engine.close()


@pytest.mark.parametrize(("name", "fault"), PAIRS)
async def test_with_a_file_that_went_while_it_ran_the_old_rule_stays_and_the_reason_is_said(
    name: str, fault: Fault, house: House
) -> None:
    rule = RULES[name]
    async with running(**{"target": None} | rule.fields(house)) as tunnel:
        await is_served(tunnel, house, rule)
        with spoiled(rule.path(house), fault):
            assert await rule.wrong(tunnel, house) != 101
            if rule.kept:
                with contextlib.suppress(TunnelError):
                    await tunnel.engine.configure(profile(**rule.fields(house)))
            else:
                with pytest.raises(TunnelError) as caught:
                    await tunnel.engine.configure(profile(**rule.fields(house)))
                assert caught.value.field == field_of(name)
                assert tunnel.now.reason is not None
                assert (tunnel.now.reason.kind, tunnel.now.reason.field) == (rule.kind, field_of(name))
            assert tunnel.now.state is TunnelState.RUNNING
            assert await rule.wrong(tunnel, house) != 101
            if not rule.live:
                await is_served(tunnel, house, rule)
        await tunnel.engine.configure(profile(**rule.fields(house)))
        assert tunnel.now.reason is None
        await is_served(tunnel, house, rule)


async def test_a_fault_of_our_own_starts_nothing_either(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Tls, **__: object) -> ssl.SSLContext:
        raise RuntimeError("surprise")

    monkeypatch.setattr("wsgui.engine.preparation.server_contexts", broken)
    engine = Engine()
    await engine.configure(profile(target="demo:", tls=house.tls))
    with pytest.raises(RuntimeError):
        await engine.start(NAME)
    (now,) = engine.snapshot().tunnels
    assert now.state is TunnelState.FAILED
    assert now.reason is not None
    assert now.reason.message == "wsgui itself has failed (RuntimeError)."
    await engine.close()


# Unreadable: as a user whom the file's mode keeps out.

AS_NOBODY = """
import asyncio, concurrent.futures.thread, encodings.idna, importlib, json, os, sys
for name in sys.argv[2:]:
    importlib.import_module(name)  # nobody may not read the library
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
    for name in [name for name in sys.modules if name.startswith("plugin_")]:
        del sys.modules[name]
    engine = Engine()
    profile = Profile.model_validate(fields)
    await engine.configure(profile)
    mode = os.stat(victim).st_mode & 0o777
    os.chmod(victim, 0)
    started = await attempt(engine.start("T"))
    after_start = engine.snapshot().tunnels[0].state
    os.chmod(victim, mode)
    await engine.configure(profile)  # what has failed is tried again
    url = engine.snapshot().tunnels[0].websocket_url
    os.chmod(victim, 0)
    reloaded = await attempt(engine.configure(profile))
    now = engine.snapshot().tunnels[0]
    os.chmod(victim, mode)
    await engine.close()
    kind = now.reason.kind if now.reason else None
    return started, after_start, reloaded, now.state, bool(url) and now.websocket_url == url, kind

async def all_of(cases):
    return {name: await main(fields, victim) for name, (fields, victim) in cases.items()}

if os.geteuid() == 0:
    os.seteuid(65534)
with asyncio.Runner(loop_factory=new_event_loop) as runner:
    print(json.dumps(runner.run(all_of(json.loads(sys.argv[1])))))
"""


@pytest.fixture(scope="module")
def public_house() -> Iterator[House]:
    """One that another user owns, in a folder that this user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        os.chmod(folder, 0o755)
        if os.geteuid() == 0:
            for path in Path(folder).rglob("*"):
                os.chown(path, 65534, 65534)
        yield house


@pytest.fixture(scope="module")
def as_nobody(public_house: House) -> dict[str, list[Any]]:
    """What happened with each rule."""
    house = public_house
    cases = {
        name: ({"name": NAME, "listen": "127.0.0.1:0"} | rule.fields(house), str(rule.path(house)))
        for name, rule in RULES.items()
    }
    done = subprocess.run(
        [sys.executable, "-B", "-c", AS_NOBODY, json.dumps(cases), *LOADED_LATE],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(["", str(house.plugin.parent)])},
    )
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", RULES)
def test_with_a_file_that_may_not_be_read_it_neither_starts_nor_forgets_the_old_rule(
    name: str, as_nobody: dict[str, list[Any]], public_house: House
) -> None:
    rule = RULES[name]
    started, after_start, reloaded, state, same_url, kind = as_nobody[name]
    assert after_start == "failed"
    assert (state, same_url) == ("running", True)
    assert started["field"] == field_of(name)
    if not rule.kept:
        assert kind == rule.kind
        for error in (started, reloaded):
            assert error["field"] == field_of(name)
            assert str(rule.path(public_house)) in error["message"]
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
