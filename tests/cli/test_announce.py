"""What is printed when a tunnel begins to run."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import pytest

from wsgui.cli.announce import Announcer, way_in_from_elsewhere
from wsgui.engine.engine import Engine
from wsgui.profiles.model import Profile


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    running = Engine()
    yield running
    await running.close()


def announced(engine: Engine, **settings: frozenset[str]) -> list[str]:
    lines: list[str] = []
    engine.events.subscribe(Announcer(engine, lines.append, **settings))
    return lines


async def test_a_tunnel_s_address_is_printed_once_it_runs(engine: Engine, free_port: int) -> None:
    lines = announced(engine)
    await engine.configure(Profile(name="Lab", listen=f"127.0.0.1:{free_port}", target="office:5901"))
    assert lines == []

    await engine.start("Lab")
    engine.events.flush()

    assert lines == [f"Lab: http://127.0.0.1:{free_port}/ → office:5901"]


async def test_the_same_address_is_not_printed_again(engine: Engine, free_port: int) -> None:
    lines = announced(engine)
    profile = Profile(name="Lab", listen=f"127.0.0.1:{free_port}", target="office:5901")
    await engine.configure(profile)
    await engine.start("Lab")
    await engine.stop("Lab")
    await engine.start("Lab")
    await engine.configure(profile)
    engine.events.flush()

    assert len(lines) == 1


async def test_how_to_come_in_from_elsewhere_stands_below(engine: Engine, free_port: int) -> None:
    lines = announced(engine, with_way_in=frozenset({"Lab"}))
    await engine.configure(Profile(name="Lab", listen=f"127.0.0.1:{free_port}", target="demo:"))
    await engine.start("Lab")
    engine.events.flush()

    assert lines[1] == way_in_from_elsewhere(f"http://127.0.0.1:{free_port}/")


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "tunnel"),
    [
        ("http://127.0.0.1:6080/", "6080:127.0.0.1:6080"),
        ("http://localhost:6080/", "6080:localhost:6080"),
        ("https://[::1]:8443/", "8443:[::1]:8443"),
    ],
)
def test_a_loopback_page_is_reached_by_ssh(url: str, tunnel: str) -> None:
    assert way_in_from_elsewhere(url) == (
        f"From another computer: ssh -L {tunnel} {socket.gethostname()}, then open {url} there."
    )


@pytest.mark.parametrize("url", ["http://192.168.1.2:6080/", "http://lab-pc/", ""])
def test_other_pages_need_no_ssh(url: str) -> None:
    assert way_in_from_elsewhere(url) == ""
