"""Secrets stored from the window, through the real index and a keyring in memory."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import keyring.errors
import pytest
from pytestqt.qtbot import QtBot

from tests.gui.conftest import WriteProfile
from tests.support.keyrings import MemoryKeyring, memory_keyring
from wsgui.app.paths import Paths
from wsgui.app.runtime import Runtime
from wsgui.app.secret_names import SecretIndex
from wsgui.errors import WsguiError
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.secret_requests import Stored
from wsgui.gui.secret_requests_live import LiveSecretRequests
from wsgui.gui.tasks import Tasks
from wsgui.profiles.keyring_access import SERVICE, Finding, KeyringError, KeyringState

SECRET = "lee:correct horse"


@dataclass
class Secrets:
    """Live requests, and what is beneath them."""

    requests: LiveSecretRequests
    keyring: MemoryKeyring
    index: SecretIndex
    said: list[tuple[str, str]] = field(default_factory=list)

    async def answer(self, ask: Callable[[Any, Any], object]) -> Any:
        """What a request comes to, or the error it fails with."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        ask(future.set_result, future.set_result)
        return await asyncio.wait_for(future, 20)

    async def store(self, name: str, value: str = SECRET, *, replace: bool = False) -> Any:
        return await self.answer(
            lambda done, failed: self.requests.store(name, value, replace=replace, done=done, failed=failed)
        )


@pytest.fixture
async def secrets(qtbot: QtBot, folders: Paths, write_profile: WriteProfile) -> AsyncIterator[Secrets]:
    """With one profile, "Lab", that uses the secret "lab"."""
    write_profile("Lab", listen="127.0.0.1:0", target="127.0.0.1:9", autostart=False, **{"access.basic": "keyring:lab"})
    engine = EngineThread(lambda: Runtime(folders, name="tray", role="window"))
    await engine.start()
    said: list[tuple[str, str]] = []
    tasks = Tasks(lambda message, hint: said.append((message, hint)))
    with memory_keyring() as kept:
        yield Secrets(LiveSecretRequests(engine, tasks), kept, SecretIndex(folders), said)
        await tasks.close()
    await engine.stop()


async def test_a_secret_is_stored_with_its_name_in_the_index_and_in_no_log(
    secrets: Secrets, caplog: pytest.LogCaptureFixture, folders: Paths
) -> None:
    caplog.set_level(logging.DEBUG)
    assert await secrets.store("office") == Stored(True)
    assert secrets.keyring.secrets == {(SERVICE, "office"): SECRET}
    assert secrets.index.names() == ("office",)
    assert SECRET not in caplog.text
    files = [file for file in folders.data.rglob("*") if file.is_file()]
    assert not any(SECRET.encode() in file.read_bytes() for file in files)


@pytest.mark.parametrize("known", [True, False])
async def test_a_name_that_is_taken_is_not_overwritten_unasked(secrets: Secrets, known: bool) -> None:
    if known:
        secrets.index.set("lab", "old")
    else:
        secrets.keyring.secrets[SERVICE, "lab"] = "old"
    assert await secrets.store("lab") == Stored(False, ("Lab",))
    assert secrets.keyring.secrets == {(SERVICE, "lab"): "old"}
    assert await secrets.store("lab", replace=True) == Stored(True, ("Lab",))
    assert secrets.keyring.secrets == {(SERVICE, "lab"): SECRET}


async def test_the_entries_of_certificates_are_left_alone(secrets: Secrets) -> None:
    secrets.keyring.secrets[SERVICE, "certificate/office"] = "passphrase"
    error = await secrets.store("certificate/office", replace=True)
    assert isinstance(error, WsguiError)
    assert error.message == "Names that begin with “certificate/” are kept for certificates."
    removed = await secrets.answer(lambda done, failed: secrets.requests.remove("certificate/office", done, failed))
    assert isinstance(removed, WsguiError)
    assert secrets.keyring.secrets == {(SERVICE, "certificate/office"): "passphrase"}


async def test_a_locked_keyring_is_told_as_such_and_no_name_is_noted(secrets: Secrets) -> None:
    secrets.keyring.failure = keyring.errors.KeyringLocked("locked")
    error = await secrets.store("office")
    assert isinstance(error, KeyringError)
    assert error.state is KeyringState.LOCKED
    assert secrets.index.names() == ()
    found = await secrets.answer(secrets.requests.keyring)
    assert isinstance(found, Finding)
    assert found.state is KeyringState.LOCKED
    assert secrets.said == []


async def test_a_secret_is_removed_and_who_uses_it_is_known(secrets: Secrets) -> None:
    secrets.index.set("lab", "old")
    assert await secrets.answer(lambda done, failed: secrets.requests.used_by("lab", done, failed)) == ("Lab",)
    assert await secrets.answer(lambda done, failed: secrets.requests.remove("lab", done, failed)) is True
    assert secrets.keyring.secrets == {}
    assert secrets.index.names() == ()


async def test_who_does_not_wait_is_not_called(secrets: Secrets) -> None:
    called: list[object] = []
    cancel = secrets.requests.store("office", SECRET, replace=False, done=called.append, failed=called.append)
    cancel()
    assert await secrets.store("other") == Stored(True)
    assert called == []


async def test_another_secret_of_the_same_name_counts_at_once(secrets: Secrets) -> None:
    secrets.index.set("lab", "lee:old")

    async def start(runtime: Runtime) -> str:
        await runtime.start("Lab")
        tunnel = runtime.engine.snapshot().tunnel("Lab")
        assert tunnel is not None
        return tunnel.page_url

    async def status(password: str) -> int:
        credentials = base64.b64encode(f"lee:{password}".encode()).decode()
        async with httpx.AsyncClient() as client:
            return (await client.get(page, headers={"Authorization": f"Basic {credentials}"})).status_code

    page = await secrets.requests._engine.call(start)
    assert (await status("old"), await status("new")) == (200, 401)
    assert await secrets.store("lab", "lee:new", replace=True) == Stored(True, ("Lab",))
    assert (await status("old"), await status("new")) == (401, 200)
