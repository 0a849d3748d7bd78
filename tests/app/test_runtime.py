"""The composition: what a window's process starts with, follows, notes for next time, and answers."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wsgui.app import settings
from wsgui.app.control import ControlClient
from wsgui.app.feed import Source
from wsgui.app.paths import Paths
from wsgui.app.runtime import Runtime
from wsgui.engine.events import Event, LogLine, StateChanged
from wsgui.engine.snapshot import TunnelState
from wsgui.errors import ControlError
from wsgui.profiles.addresses import DemoAddress, TcpAddress
from wsgui.profiles.builtin import demo_profile
from wsgui.profiles.model import Profile

SECONDS = 10.0


def profile(name: str, **fields: Any) -> Profile:
    return Profile(**({"name": name, "listen": "127.0.0.1:0", "target": "demo:", "autostart": False} | fields))


def write(folders: Paths, stem: str, text: str = "", **fields: str) -> Path:
    folders.make_config()
    file = folders.profiles / f"{stem}.toml"
    given = {"listen": '"127.0.0.1:0"', "target": '"demo:"', "autostart": "false"} | fields
    file.write_text(text or "".join(f"{field} = {value}\n" for field, value in given.items()))
    return file


class Seen:
    """Waits for events of a runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self.events: list[Event] = []
        self._news = asyncio.Event()
        runtime.engine.events.subscribe(self._take)

    def _take(self, events: tuple[Event, ...], _: int) -> None:
        self.events += events
        self._news.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(SECONDS):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def state(self, name: str, state: TunnelState) -> None:
        await self.until(
            lambda: any(isinstance(e, StateChanged) and (e.tunnel, e.state) == (name, state) for e in self.events)
        )

    async def line(self, text: str) -> LogLine:
        def found() -> list[LogLine]:
            return [event for event in self.events if isinstance(event, LogLine) and text in event.message]

        await self.until(found)
        return found()[0]


def window(folders: Paths, **more: Any) -> tuple[Runtime, Seen]:
    runtime = Runtime(folders, name="tray", role="window", **more)
    return runtime, Seen(runtime)


async def noted(folders: Paths, wanted: set[str]) -> None:
    """Return when exactly these tunnels are noted as switched on; the file is written in the background."""
    async with asyncio.timeout(SECONDS):
        while set(settings.load(folders.settings).wanted or ()) != wanted:
            await asyncio.sleep(0.01)


async def ask(folders: Paths, do: str, **values: Any) -> Any:
    def talk() -> Any:
        (path,) = folders.runtime.glob("*.sock")
        with ControlClient(path, timeout_seconds=SECONDS) as client:
            return client.request(do, **values)

    return await asyncio.to_thread(talk)


async def test_a_first_start_runs_the_demo(folders: Paths) -> None:
    runtime, seen = window(folders)
    async with runtime:
        await seen.state("Demo", TunnelState.RUNNING)

        assert runtime.engine.names == ("Demo",)


async def test_with_an_own_profile_there_is_no_demo(folders: Paths) -> None:
    write(folders, "lab")
    async with window(folders)[0] as runtime:
        assert runtime.engine.names == ("lab",)


async def test_what_starts_by_itself_and_what_ran_last_time_is_started(folders: Paths) -> None:
    for stem, autostart in (("auto", "true"), ("ran", "false"), ("off", "false")):
        write(folders, stem, autostart=autostart)
    settings.update(folders.settings, wanted=("ran", "long gone"))
    runtime, seen = window(folders)
    async with runtime:
        await seen.state("auto", TunnelState.RUNNING)
        await seen.state("ran", TunnelState.RUNNING)

        off = runtime.engine.snapshot().tunnel("off")
        assert off is not None
        assert off.state is TunnelState.STOPPED


async def test_a_demo_that_was_switched_off_stays_off(folders: Paths) -> None:
    folders.make_config()
    settings.update(folders.settings, wanted=())
    async with window(folders)[0] as runtime:
        demo = runtime.engine.snapshot().tunnel("Demo")

        assert demo is not None
        assert not demo.wanted


async def test_switching_is_noted_for_next_time_but_the_program_s_end_is_not(folders: Paths) -> None:
    for stem in ("one", "two"):
        write(folders, stem)
    runtime, _ = window(folders)
    async with runtime:
        await runtime.start("one")
        await runtime.start("two")
        await noted(folders, {"one", "two"})
        await runtime.engine.stop("one")
        await noted(folders, {"two"})
        await runtime.drain()

    assert settings.load(folders.settings).wanted == ("two",)


async def test_a_broken_file_hides_no_other_and_is_a_problem(folders: Paths) -> None:
    write(folders, "good")
    write(folders, "bad", "listen = 3\n")
    async with window(folders)[0] as runtime:
        assert runtime.engine.names == ("good",)
        assert [Path(problem.source).name for problem in runtime.problems] == ["bad.toml"]


async def test_files_that_appear_change_break_and_go_are_followed(folders: Paths) -> None:
    write(folders, "lab")
    runtime, seen = window(folders)
    async with runtime:
        await runtime.start("lab")

        write(folders, "lab", group='"Second floor"')
        await seen.until(lambda: runtime.engine.snapshot().tunnels[0].group == "Second floor" or _tick(seen))

        write(folders, "lab", 'target = "demo:"\nlisten = "6080x"\n')
        line = await seen.line("lab.toml:2: listen")
        assert (line.tunnel, line.level) == ("lab", logging.ERROR)
        assert "last valid settings are kept" in line.message
        assert runtime.problems
        tunnel = runtime.engine.snapshot().tunnel("lab")
        assert tunnel is not None
        assert (tunnel.state, tunnel.group) == (TunnelState.RUNNING, "Second floor")

        write(folders, "lab").unlink()
        await seen.state("lab", TunnelState.STOPPED)
        await seen.until(lambda: not runtime.engine.names or _tick(seen))
        assert runtime.problems == ()

        write(folders, "new")
        await seen.until(lambda: runtime.engine.names == ("new",) or _tick(seen))


def _tick(seen: Seen) -> bool:
    # Some changes publish no event: look again soon.
    asyncio.get_running_loop().call_later(0.02, seen._news.set)
    return False


async def test_headless_has_only_what_it_was_given_and_starts_nothing_by_itself(folders: Paths) -> None:
    write(folders, "lab", autostart="true")
    async with Runtime(folders, name="own", role="headless", profiles=[profile("own", autostart=True)]) as runtime:
        assert [(tunnel.name, tunnel.state) for tunnel in runtime.engine.snapshot().tunnels] == [
            ("own", TunnelState.STOPPED)
        ]


async def test_a_reload_of_a_built_in_profile_keeps_its_port(folders: Paths) -> None:
    demo = demo_profile(TcpAddress("127.0.0.1", 0))
    source = Source("Demo", builtin=demo)
    async with Runtime(folders, name="Demo", role="headless", profiles=[demo], sources=[source]) as runtime:
        await runtime.start("Demo")
        before = runtime.engine.snapshot().tunnels[0].page_url

        done = await runtime.reload()

        assert (done.profiles, done.problems) == (("Demo",), ())
        assert runtime.engine.snapshot().tunnels[0].page_url == before


async def test_a_reload_refuses_a_name_that_another_tunnel_of_the_process_has(folders: Paths) -> None:
    sources = [Source(str(write(folders, stem))) for stem in ("one", "two")]
    profiles = [profile("one"), profile("two")]
    async with Runtime(folders, name="one", role="headless", profiles=profiles, sources=sources) as runtime:
        write(folders, "two", name='"one"')

        done = await runtime.reload()

        assert runtime.engine.names == ("one", "two")
        assert "as another tunnel of this process is" in done.problems[0]


async def test_another_listener_than_the_file_s_is_checked_with_all_the_rest(folders: Paths) -> None:
    file = write(folders, "lab", listen='"127.0.0.1:7000"')
    runtime = Runtime(folders, name="lab", role="headless")

    found = Source(str(file), listen=TcpAddress("127.0.0.1", 7001)).read(runtime.store)

    assert (found.name, found.listen, found.target) == ("lab", TcpAddress("127.0.0.1", 7001), DemoAddress())


async def test_status_start_and_stop_are_answered(folders: Paths) -> None:
    async with Runtime(folders, name="Lab", role="headless", profiles=[profile("Lab")]):
        assert (await ask(folders, "start", name="lab"))["state"] == "running"
        status = await ask(folders, "status")
        assert (status["process"]["name"], status["snapshot"]["tunnels"][0]["state"]) == ("Lab", "running")
        assert (await ask(folders, "stop", name="Lab"))["state"] == "stopped"


@pytest.mark.parametrize(
    ("do", "values", "message"),
    [
        ("start", {"name": "x"}, 'Lab has no tunnel called "x". It has: Lab.'),
        ("disconnect", {"name": "Lab", "connection": 7}, '"Lab" has no connection 7.'),
        ("show", {}, "Lab has no window."),
        ("quit", {}, "Lab cannot be ended this way. Send it SIGTERM."),
    ],
)
async def test_what_cannot_be_done_is_answered_with_a_sentence(
    folders: Paths, do: str, values: dict[str, Any], message: str
) -> None:
    async with Runtime(folders, name="Lab", role="headless", profiles=[profile("Lab")]):
        with pytest.raises(ControlError) as caught:
            await ask(folders, do, **values)

        assert str(caught.value).startswith(message)


async def test_show_and_quit_reach_the_face(folders: Paths) -> None:
    asked: list[object] = []
    runtime, _ = window(folders)
    runtime.on_show = lambda: asked.append("show")
    runtime.on_quit = asked.append
    async with runtime:
        await ask(folders, "show")
        await ask(folders, "quit", grace_seconds=2.5)

    assert asked == ["show", 2.5]


async def test_without_a_safe_folder_there_is_no_channel_and_it_is_said_once(folders: Paths) -> None:
    folders.runtime.parent.mkdir()
    folders.runtime.write_text("")
    runtime = Runtime(folders, name="Lab", role="headless", profiles=[profile("Lab")])
    seen = Seen(runtime)
    async with runtime:
        await runtime.start("Lab")
        await seen.line("There is no control channel")

    assert sum(isinstance(event, LogLine) for event in seen.events) == 1


async def test_the_end_leaves_no_socket_and_no_tunnel(folders: Paths) -> None:
    runtime, _ = window(folders, profiles=[profile("own")])
    async with runtime:
        await runtime.start("own")

    assert [tunnel.state for tunnel in runtime.engine.snapshot().tunnels] == [TunnelState.STOPPED]
    assert list(folders.runtime.glob("*.sock")) == []


async def test_a_demo_whose_port_was_taken_a_moment_later_takes_the_next(folders: Paths) -> None:
    demo = demo_profile()
    assert isinstance(demo.listen, TcpAddress)
    source = Source("Demo", builtin=demo, movable=True)
    async with Runtime(folders, name="x", role="headless", profiles=(demo,), sources=(source,)) as runtime:
        with socket.create_server((demo.listen.host, demo.listen.port)):
            await runtime.start("Demo")
            (tunnel,) = runtime.engine.snapshot().tunnels
            assert tunnel.state is TunnelState.RUNNING
            assert tunnel.page_url != f"http://127.0.0.1:{demo.listen.port}/"
