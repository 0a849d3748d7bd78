"""A tunnel's program: what is known of it, when the tunnel ends with it, and when another one takes its place."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import greeter as greeter_module
from tests.support.engines import NAME, Running, running
from tests.support.raw import RawClient, client_frame
from tests.support.waiting import until
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.ends import End
from wsgui.engine.events import LogLine, StateChanged
from wsgui.engine.program import Program, ProgramSlot, expected_protocol, needs_restart, target_name
from wsgui.engine.snapshot import ReasonKind, TunnelState
from wsgui.errors import TargetError, TunnelError, WsguiError
from wsgui.profiles.model import Profile


def greeter(greeting: str = "hi", status: int = 0) -> list[str]:
    """A program that greets on its port, and ends with `status` when it is sent a q."""
    return [sys.executable, greeter_module.__file__, "{port}", greeting, str(status)]


def command(run: list[str], **fields: Any) -> dict[str, Any]:
    return {"target": None, "command": {"run": run, "mode": "port", "port": 5901} | fields}


def profile(run: list[str], **fields: Any) -> Profile:
    return Profile.model_validate({"name": NAME, "listen": "127.0.0.1:0"} | command(run) | fields)


@asynccontextmanager
async def slot() -> AsyncIterator[tuple[ProgramSlot, list[str]]]:
    said: list[str] = []
    loop = asyncio.get_running_loop()
    programs = ProgramSlot(loop, ReadBuffer(), lambda _, line: said.append(line), lambda: None)
    try:
        yield programs, said
    finally:
        await programs.end()


async def greeting(tunnel: Running) -> str:
    async with await RawClient.connect(tunnel.url) as client:
        await client.upgrade()
        return (await client.data(2)).decode()


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


async def reached(program: Program) -> End | TargetError:
    """Connect to it: the end, or why not."""
    results: list[End | TargetError] = []
    task = program.connector.connect(results.append, results.append)
    assert task is not None
    await asyncio.wait_for(task, 30)
    return results[0]


# Names, and what needs a restart


def test_clients_are_taken_to_a_program_a_target_or_by_token() -> None:
    assert target_name(profile(["vnc", "-x"])) == "vnc -x"
    assert target_name(Profile.model_validate({"name": "x", "target": "office:5901"})) == "office:5901"
    assert target_name(Profile.model_validate({"name": "x", "targets": {"a": {"target": "office:1"}}})) == "by token"


@pytest.mark.parametrize(
    ("fields", "restarts"),
    [
        ({}, False),
        ({"group": "new"}, False),
        ({"limits": {"connections": 3, "connect_seconds": 3}}, False),
        ({"listen": "127.0.0.1:7000"}, False),
        ({"command": {"run": ["other"], "mode": "port", "port": 5901}}, True),
        ({"command": {"run": ["vnc"], "mode": "port", "port": 5902}}, True),
        ({"access": {"basic": "env:VNC_PASSWORD"}}, True),
    ],
)
def test_a_program_is_started_again_when_what_it_was_started_with_changes(
    fields: dict[str, Any], restarts: bool
) -> None:
    assert needs_restart(profile(["vnc"]), profile(["vnc"], **fields)) is restarts


def test_a_moved_port_counts_where_it_is_the_listening_one() -> None:
    def moved(listen: str, **fields: Any) -> Profile:
        return Profile.model_validate({"name": "x", "listen": listen, "command": {"run": ["vnc"]} | fields})

    assert needs_restart(moved("127.0.0.1:7000"), moved("127.0.0.1:7001"))
    assert not needs_restart(moved("127.0.0.1:7000", port=1), moved("127.0.0.1:7001", port=1))
    assert not needs_restart(moved("127.0.0.1:7000"), moved("*:7000"))


# One by itself


async def test_a_connection_waits_until_the_program_listens() -> None:
    async with slot() as (programs, _):
        program = programs.of(profile(greeter()))
        assert program is not None
        await programs.exchange(program)
        end = await reached(program)
        assert not isinstance(end, TargetError), end
        end.close()


async def test_a_program_that_never_listens_is_said_not_to() -> None:
    async with slot() as (programs, _):
        program = programs.of(profile(["sleep", "1000"], limits={"connect_seconds": 0.2}))
        assert program is not None
        await programs.exchange(program)
        assert "does not listen (yet)" in str(await reached(program))


async def test_one_that_is_not_there_cannot_take_the_place_of_another_and_none_is_left() -> None:
    before = children()
    async with slot() as (programs, _):
        await programs.exchange(programs.of(profile(greeter())))
        none = profile(["/no/such/program"])
        with pytest.raises(WsguiError, match="/no/such/program"):
            await programs.exchange(programs.of(none))
        assert programs.current is None
        assert children() == before
        assert await programs.return_to(none) is not None  # what leads to it says that it does not run


async def test_the_same_program_goes_on_with_a_changed_profile() -> None:
    async with slot() as (programs, _):
        first = profile(greeter())
        program = programs.of(first)
        await programs.exchange(program)
        changed = profile(greeter(), group="new")
        assert programs.of(changed) is program
        await programs.exchange(programs.of(changed))
        programs.take_over(changed)
        assert programs.current is program
        assert program is not None
        assert program.profile is changed


async def test_stopping_one_that_was_never_started_is_no_harm() -> None:
    program = Program(profile(greeter()), asyncio.get_running_loop(), ReadBuffer(), lambda *_: None, lambda _: None)
    await program.stop()


# With its tunnel


async def test_its_greeting_comes_through_and_it_ends_with_the_tunnel() -> None:
    before = children()
    async with running(**command(greeter("yo"))) as tunnel:
        assert await greeting(tunnel) == "yo"
        assert tunnel.now.target.startswith(sys.executable)
        await tunnel.engine.stop(NAME)
        assert children() == before


@pytest.mark.parametrize(("status", "state"), [(0, TunnelState.STOPPED), (3, TunnelState.FAILED)])
async def test_the_tunnel_ends_with_it_where_the_profile_says_so(status: int, state: TunnelState) -> None:
    async with running(**command(greeter("yo", status), when_it_ends="stop")) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            await client.data(2)
            client.send(client_frame(2, b"q"))
            await tunnel.event(StateChanged, lambda e: e.state is TunnelState.STOPPED)
        await until("it has ended", lambda: tunnel.now.state is state)
        assert not tunnel.now.wanted
        if status:
            reason = tunnel.now.reason
            assert reason is not None
            assert reason.kind is ReasonKind.PROGRAM
            assert "status 3" in reason.message


async def test_one_that_crashes_at_once_is_not_missed() -> None:
    async with running(**command([sys.executable, "-c", "raise SystemExit(4)"], when_it_ends="stop")) as tunnel:
        await until("it has failed", lambda: tunnel.now.state is TunnelState.FAILED)
        assert tunnel.now.reason is not None
        assert "status 4" in tunnel.now.reason.message


async def test_the_tunnel_stays_where_the_profile_does_not_say_so_and_tells_why() -> None:
    async with running(**command([sys.executable, "-c", "raise SystemExit(4)"], when_it_ends="ignore")) as tunnel:
        await until("it is told", lambda: tunnel.now.reason)
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.reason is not None
        assert tunnel.now.reason.kind is ReasonKind.PROGRAM


async def test_a_tunnel_whose_program_was_over_starts_it_anew() -> None:
    async with running(**command(greeter("yo"), when_it_ends="stop")) as tunnel:
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            await client.data(2)
            client.send(client_frame(2, b"q"))
            await until("it has ended", lambda: tunnel.now.state is TunnelState.STOPPED)
        await tunnel.engine.start(NAME)
        assert await greeting(tunnel) == "yo"


async def test_a_program_that_cannot_be_started_leaves_nobody_listening(tmp_path: Path) -> None:
    async with running() as tunnel:
        await tunnel.engine.stop(NAME)
        path = tmp_path / "s"
        fields = command(["/no/such/program"])
        await tunnel.engine.configure(
            Profile.model_validate({"name": NAME, "listen": f"unix:{path}", "access": {"anyone": True}} | fields)
        )
        with pytest.raises(TunnelError, match="/no/such/program"):
            await tunnel.engine.start(NAME)
        assert tunnel.now.state is TunnelState.FAILED
        assert not path.exists()


async def test_it_is_not_started_for_a_port_that_is_taken() -> None:
    before = children()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, running() as tunnel:
        await tunnel.engine.stop(NAME)
        fields = {"name": NAME, "listen": f"127.0.0.1:{port}"} | command(greeter())
        await tunnel.engine.configure(Profile.model_validate(fields))
        await tunnel.engine.start(NAME)
        assert tunnel.now.state is TunnelState.WAITING
        assert children() == before
        assert not any(isinstance(event, LogLine) for event in tunnel.events)


# A changed profile


async def changed(tunnel: Running, run: list[str] | None, **fields: Any) -> None:
    what = command(run) if run is not None else {"target": "demo:"}
    await tunnel.engine.configure(Profile.model_validate({"name": NAME, "listen": "127.0.0.1:0"} | what | fields))


async def test_another_program_takes_the_place_of_the_first_and_none() -> None:
    before = children()
    async with running(**command(greeter("yo"))) as tunnel:
        assert await greeting(tunnel) == "yo"
        await changed(tunnel, greeter("ho"))
        assert await greeting(tunnel) == "ho"
        await changed(tunnel, None)
        assert children() == before
        assert tunnel.now.target == "demo:"
        await changed(tunnel, greeter("yo"))
        assert await greeting(tunnel) == "yo"


async def test_one_that_cannot_be_started_leaves_the_first_one_running() -> None:
    async with running(**command(greeter("yo"))) as tunnel:
        assert await greeting(tunnel) == "yo"
        with pytest.raises(TunnelError, match="/no/such/program"):
            await changed(tunnel, ["/no/such/program"])
        assert tunnel.now.state is TunnelState.RUNNING
        assert tunnel.now.reason is not None
        assert "/no/such/program" in tunnel.now.reason.message
        assert await greeting(tunnel) == "yo"


async def test_a_port_that_is_taken_leaves_the_first_program_running() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server, running(**command(greeter("yo"))) as tunnel:
        with pytest.raises(TunnelError, match="is used by"):
            await changed(tunnel, greeter("ho"), listen=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert await greeting(tunnel) == "yo"


async def test_a_file_that_is_missing_does_not_even_end_the_first_one(tmp_path: Path) -> None:
    async with running(**command(greeter("yo"))) as tunnel:
        assert await greeting(tunnel) == "yo"
        before = children()
        with pytest.raises(TunnelError):
            await changed(tunnel, greeter("ho"), tls={"certificate_file": str(tmp_path / "none.pem")})
        assert children() == before
        assert await greeting(tunnel) == "yo"


async def test_it_goes_on_through_a_change_that_is_not_about_it() -> None:
    async with running(**command(greeter("yo"))) as tunnel:
        assert await greeting(tunnel) == "yo"
        before = children()
        await changed(tunnel, greeter("yo"), limits={"connections": 7})
        assert children() == before
        started = [e for e in tunnel.events if isinstance(e, LogLine) and e.message.startswith("Started")]
        assert [event.level for event in started] == [logging.INFO]


@pytest.mark.parametrize(("mode", "protocol"), [("terminal", "telnet"), ("stdio", ""), ("rebind", "")])
def test_a_program_on_a_terminal_is_known_to_speak_telnet(mode: str, protocol: str) -> None:
    fields = {"name": "T", "listen": "127.0.0.1:6080", "access": {"anyone": True}}
    command = {"run": ["sh"], "mode": mode}
    assert expected_protocol(Profile.model_validate(fields | {"command": command})) == protocol
    assert expected_protocol(Profile.model_validate(fields | {"target": "office:23"})) == ""
