"""`compare`: the same line and the same script for both programs, and what they saw held against the table."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.integration.websockify.differences import check
from tests.integration.websockify.sides import PROGRAMS, Prepare, Script, Seen, Side, SignalLostError
from tests.support.certificates import Certificate, make_certificate
from tests.support.raw import tcp_target

ATTEMPTS = 3
"""Of one side, when its own fault loses a signal."""
Compare = Callable[..., Awaitable[Mapping[str, Seen]]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("websockify") is None:
        skip = pytest.mark.skip(reason="not installed: websockify (pip install websockify==0.13)")
        for item in items:
            if item.path.parent == Path(__file__).parent:
                item.add_marker(skip)


@pytest.fixture
async def compare(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Compare]:
    """Run a script against both programs at once, each started with the same line, and compare what it saw.

    Args:
        line: Arguments; PORT and HERE are each side's own, and so are the words in `words`.
        script: Gets the side, which listens, and returns what it saw.
        prepare: Fills the side's folder before it is started.
        listens: Whether to wait until it listens.
        environment, settings: For the processes; `settings` is asked for each side.
    """
    sides: list[Side] = []

    async def run(
        line: Sequence[str],
        script: Script,
        *,
        prepare: Prepare | None = None,
        listens: bool = True,
        environment: Mapping[str, str] | None = None,
        words: Mapping[str, str] | None = None,
        settings: Callable[[Side], dict[str, Any]] = lambda _: {},
    ) -> Mapping[str, Seen]:
        async def attempt(name: str, folder: Path) -> Seen:
            side = Side(name, folder, replaced=dict(words or {}), environment=environment or {})
            sides.append(side)
            if prepare is not None:
                prepare(side.here)
            await side.start(line, **settings(side))
            if listens:
                await side.listens()
            return await script(side)

        async def of(name: str) -> Seen:
            for number in range(ATTEMPTS - 1):
                with contextlib.suppress(SignalLostError):
                    return await attempt(name, tmp_path / f"{name}{number or ''}")
                await next(side for side in reversed(sides) if side.name == name).kill()
            return await attempt(name, tmp_path / f"{name}-at-last")

        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(of(name)) for name in PROGRAMS}
        seen = {name: task.result() for name, task in tasks.items()}
        check(request.node.name.removeprefix("test_"), seen["theirs"], seen["ours"])
        return seen

    yield run
    for side in sides:
        await side.kill()


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a target that sends back what it gets."""
    async with tcp_target() as port:
        yield port


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def with_certificate(certificate: Certificate) -> Prepare:
    """Puts self.pem, certificate and key, into a side's folder."""

    def prepare(folder: Path) -> None:
        (folder / "self.pem").write_bytes(certificate.certificate.read_bytes() + certificate.key.read_bytes())
        shutil.copy(certificate.certificate, folder / "only.pem")
        shutil.copy(certificate.key, folder / "only.key")

    return prepare
