"""A program for each connection, with real programs: what they are given, what passes, and that none of them stays."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import hashlib
import logging
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.bridges import Standing, standing
from tests.support.programs import need
from tests.support.raw import RawClient, client_frame
from tests.support.waiting import until
from wsgui.bridge.programs import ProgramConnector
from wsgui.bridge.terminal_end import TYPED_BYTES
from wsgui.command import child as child_module
from wsgui.command.child import living_groups
from wsgui.errors import TargetError
from wsgui.profiles.sections import Command

BINARY, CLOSE = 2, 8
BUSY = "trap '' TERM HUP INT; echo on; while :; do sleep 0.05; done"
"""A program that goes only when it is killed."""


class Programs:
    """A bridge whose target is a program, and what was said in its log."""

    def __init__(self, door: Standing, command: Command, **more: Any) -> None:
        self.door = door
        self.log: list[tuple[int, str]] = []
        bridge = door.bridge
        self.connector = ProgramConnector(
            bridge.loop, command, bridge.buffer, lambda level, line: self.log.append((level, line)), **more
        )
        bridge.settings = dataclasses.replace(bridge.settings, connector=self.connector)

    async def client(self) -> RawClient:
        return await self.door.upgraded()

    def says(self, words: str) -> bool:
        return any(words in line for _, line in self.log)

    async def none_runs(self) -> None:
        await until("every program gone", lambda: self.connector.count == 0)


@asynccontextmanager
async def programs(
    *run: str, mode: str = "stdio", hidden: tuple[str, ...] = (), **fields: Any
) -> AsyncIterator[Programs]:
    """A tunnel to a program; when it is left, no process may be."""
    command = Command.model_validate({"run": list(run), "mode": mode} | fields)
    async with standing() as door:
        made = Programs(door, command, hidden=hidden)
        try:
            yield made
        finally:
            sessions = [child.pid for child in made.connector._running]
            await made.connector.close()
            assert not any(living_groups(session) for session in sessions)
            assert made.connector.count == 0


def say(client: RawClient, data: bytes) -> None:
    client.send(client_frame(BINARY, data))


async def told(client: RawClient, pattern: bytes) -> re.Match[bytes]:
    """Read on until what came matches."""
    data = b""
    while (found := re.search(pattern, data)) is None:
        opcode, payload = await client.frame()
        assert opcode == BINARY, (opcode, payload, data)
        data += payload
    return found


async def everything(client: RawClient) -> tuple[bytes, tuple[int, str]]:
    """All data, and code and reason of the close."""
    data = b""
    while True:
        opcode, payload = await client.frame()
        if opcode == CLOSE:
            return data, (int.from_bytes(payload[:2], "big"), payload[2:].decode())
        data += payload if opcode == BINARY else b""


def shell(script: str) -> tuple[str, ...]:
    return "sh", "-c", script


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# Standard input and output


async def test_what_is_sent_reaches_the_program_and_what_it_says_comes_back() -> None:
    async with programs("cat") as tunnel:
        client = await tunnel.client()
        say(client, b"there and back")
        assert await client.data(14) == b"there and back"


async def test_a_program_that_ends_says_its_status_with_the_close() -> None:
    async with programs(*shell("echo bye; exit 3")) as tunnel:
        client = await tunnel.client()
        assert await everything(client) == (b"bye\n", (1000, "The program ended with status 3"))
        await until("the log's line", lambda: tunnel.says("The program ended with status 3"))


async def test_a_program_that_is_killed_says_by_what() -> None:
    async with programs(*shell("kill -9 $$")) as tunnel:
        client = await tunnel.client()
        assert await client.closed() == (1000, "The program was ended by signal 9 (Killed)")


async def test_a_kill_from_outside_ends_the_connection() -> None:
    async with programs(*shell("echo $$; exec cat")) as tunnel:
        client = await tunnel.client()
        os.kill(int((await told(client, rb"(\d+)\n"))[1]), signal.SIGKILL)
        assert await client.closed() == (1000, "The program was ended by signal 9 (Killed)")


async def test_a_program_that_only_closes_its_output_ends_the_connection() -> None:
    async with programs(*shell("echo $$; exec <&- >&-; exec sleep 60")) as tunnel:
        client = await tunnel.client()
        pid = int((await told(client, rb"(\d+)\n"))[1])
        assert await client.closed() == (1000, "Target closed")
        await until("the program gone", lambda: not alive(pid))


async def test_input_that_was_never_read_does_not_look_like_a_fault() -> None:
    async with programs(*shell("read line; echo $line; exit 5")) as tunnel:
        client = await tunnel.client()
        say(client, b"one\n" + bytes(1000))
        assert await everything(client) == (b"one\n", (1000, "The program ended with status 5"))


async def test_much_passes_both_ways_unharmed() -> None:
    data = os.urandom(4 << 20)
    async with programs("cat") as tunnel:
        client = await tunnel.client()
        for start in range(0, len(data), 1 << 18):
            say(client, data[start : start + (1 << 18)])
        back = await client.data(len(data))
        assert hashlib.sha256(back).digest() == hashlib.sha256(data).digest()


async def test_all_that_a_program_said_arrives_though_it_ended_long_ago() -> None:
    async with programs(*shell("echo $$; read line; head -c 30000 /dev/zero; exit 4")) as tunnel:
        client = await tunnel.client()
        pid = int((await told(client, rb"(\d+)\n"))[1])
        say(client, b"go\n")
        await until("the program gone", lambda: not alive(pid))
        data, close = await everything(client)
        assert (len(data), close) == (30_000, (1000, "The program ended with status 4"))


async def test_a_client_that_leaves_takes_its_program_along() -> None:
    async with programs(*shell("echo $$; exec cat")) as tunnel:
        client = await tunnel.client()
        pid = int((await told(client, rb"(\d+)\n"))[1])
        client.send(client_frame(CLOSE))
        await until("the program gone", lambda: not alive(pid))


async def test_a_client_that_vanishes_takes_its_program_along() -> None:
    async with programs(*shell("echo $$; exec sleep 60")) as tunnel:
        client = await tunnel.client()
        pid = int((await told(client, rb"(\d+)\n"))[1])
        client.writer.transport.abort()
        await until("the program gone", lambda: not alive(pid))


async def test_a_program_reads_the_end_of_its_input_before_it_is_ended() -> None:
    async with programs(*shell("cat > /dev/null; echo over >&2")) as tunnel:
        client = await tunnel.client()
        say(client, b"data")
        client.send(client_frame(CLOSE))
        await until("its last words", lambda: tunnel.says("over"))


# None left behind


async def test_what_does_not_listen_to_signals_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "GRACE_SECONDS", 0.2)
    async with programs("bash", "-c", f"echo $$; {BUSY}") as tunnel:
        client = await tunnel.client()
        pid = int((await told(client, rb"(\d+)\non\n"))[1])
        client.writer.transport.abort()
        await until("the program gone", lambda: not alive(pid))
        await tunnel.none_runs()


async def test_grandchildren_end_too() -> None:
    async with programs(*shell("sleep 61 & echo $!; sh -c 'sleep 62 & echo $!; wait' & wait")) as tunnel:
        client = await tunnel.client()
        pids = [int(word) for word in (await told(client, rb"(?s)(\d+\n\d+)\n"))[1].split()]
        client.writer.transport.abort()
        await until("all of them gone", lambda: not any(map(alive, pids)))


async def test_who_goes_on_in_another_group_of_the_session_ends_too() -> None:
    async with programs("bash", "-c", "set -m; nohup sleep 63 2>&1 & echo $!; wait") as tunnel:
        client = await tunnel.client()
        pid = int((await told(client, rb"(\d+)\n"))[1])
        client.writer.transport.abort()
        await until("it gone", lambda: not alive(pid), seconds=child_module.GRACE_SECONDS + 20)


async def test_a_grandchild_that_holds_the_output_does_not_hold_the_connection() -> None:
    async with programs(*shell("sleep 64 & echo $!; exit 2")) as tunnel:
        client = await tunnel.client()
        data, close = await everything(client)
        assert close == (1000, "The program ended with status 2")
        await until("it gone", lambda: not alive(int(data)))


async def test_when_the_tunnel_stops_all_end_and_none_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "GRACE_SECONDS", 0.2)
    async with programs("bash", "-c", f"echo $$; {BUSY}") as tunnel:
        clients = [await tunnel.client() for _ in range(3)]
        pids = [int((await told(client, rb"(\d+)\non\n"))[1]) for client in clients]
        await tunnel.connector.close()
        assert not any(map(alive, pids))
        assert (await (await tunnel.client()).closed())[0] == 1011


async def test_a_start_that_nobody_waits_for_any_more_leaves_nothing() -> None:
    async with programs("sleep", "65") as tunnel:
        for _ in range(5):
            task = tunnel.connector.connect(lambda _: pytest.fail("connected"), lambda error: pytest.fail(str(error)))
            assert task is not None
            await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await tunnel.none_runs()


async def test_a_connector_that_nobody_closed_kills_what_it_began() -> None:
    loop, ends = asyncio.get_running_loop(), []
    async with standing() as door:
        command = Command(run=("sleep", "66"), mode="stdio")
        connector = ProgramConnector(loop, command, door.bridge.buffer, lambda *_: None)
        task = connector.connect(ends.append, lambda error: pytest.fail(str(error)))
        assert task is not None
        await task
        (child,) = connector._running
        end = ends.pop()
        end._on_left = lambda: None
        del connector, task
        end.close()
        del end
        gc.collect()
        assert await asyncio.wait_for(child.exited, 20) == -signal.SIGKILL
        assert await child.end(signal.SIGTERM)


async def test_fifty_connections_in_a_row_leave_nothing_open() -> None:
    async with programs("cat", at_once=60) as tunnel:
        first = await tunnel.client()
        say(first, b"x")
        await first.data(1)
        before = len(os.listdir("/proc/self/fd"))
        clients = await asyncio.gather(*(tunnel.client() for _ in range(50)))
        for number, client in enumerate(clients):
            say(client, b"client %d" % number)
        for number, client in enumerate(clients):
            assert await client.data(len(b"client %d" % number)) == b"client %d" % number
        for client in clients:
            client.writer.transport.abort()
        await until("one program left", lambda: tunnel.connector.count == 1)
        await until("its descriptors only", lambda: len(os.listdir("/proc/self/fd")) <= before)


# How many, and what goes wrong


async def test_one_too_many_is_told_what_to_do() -> None:
    async with programs("cat", at_once=2) as tunnel:
        clients = [await tunnel.client() for _ in range(2)]
        for client in clients:
            say(client, b"x")
            await client.data(1)
        assert (await (await tunnel.client()).closed())[0] == 1011
        assert str(tunnel.door.told.problems[-1]) == "2 programs run already. Close one, or raise [command] at_once."
        clients[0].writer.transport.abort()
        await until("room again", lambda: tunnel.connector.count == 1)
        client = await tunnel.client()
        say(client, b"x")
        assert await client.data(1) == b"x"


async def problem_of(*run: str, **fields: Any) -> TargetError:
    async with programs(*run, **fields) as tunnel:
        assert (await (await tunnel.client()).closed())[0] == 1011
        problem = tunnel.door.told.problems[-1]
        assert problem is not None
        return problem


async def test_a_program_that_is_not_there_is_named() -> None:
    problem = await problem_of("no-such-program")
    assert str(problem) == ("The program no-such-program was not found on PATH. Install it, or write its whole path.")


def script(folder: Path, text: str) -> str:
    path = folder / "script"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


async def test_a_script_without_a_first_line_is_no_shell_script(tmp_path: Path) -> None:
    problem = await problem_of(script(tmp_path, "echo hi\n"))
    assert "#!/bin/sh" in problem.hint


async def test_a_script_whose_interpreter_is_missing_says_so(tmp_path: Path) -> None:
    problem = await problem_of(script(tmp_path, "#!/no/such/interpreter\n"), mode="terminal")
    assert "interpreter" in problem.message


# What a program is given


async def test_it_gets_its_arguments_as_they_are_and_no_shell() -> None:
    async with programs("printf", "%s|", "a b", "$HOME", ";", "`id`", "{port}") as tunnel:
        assert (await everything(await tunnel.client()))[0] == b"a b|$HOME|;|`id`|{port}|"


@pytest.mark.parametrize("mode", ["stdio", "terminal"])
async def test_it_gets_neither_our_secrets_nor_anything_of_the_client(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WSGUI_SECRET", "NOTIFY_SOCKET", "LISTEN_FDS", "CREDENTIALS_DIRECTORY", "MY_PASSWORD"):
        monkeypatch.setenv(name, "tell-nobody")
    run = shell("env; tr '\\0' ' ' < /proc/self/cmdline")
    async with programs(*run, mode=mode, hidden=("MY_PASSWORD",), environment={"MINE": "yes"}) as tunnel:
        client = await tunnel.door.client()
        client.send(client.head("/?token=from-the-client", user_agent="from-the-client", cookie="from-the-client"))
        assert (await client.answer()).status == 101
        data, _ = await everything(client)
    assert b"MINE=yes" in data
    assert b"tell-nobody" not in data
    assert b"from-the-client" not in data


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("mode", ["stdio", "terminal"])
async def test_it_gets_no_descriptor_but_its_own(mode: str) -> None:
    leaked = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(leaked, True)
    try:
        async with programs(*shell("echo $(ls /proc/self/fd)"), mode=mode) as tunnel:
            other = await tunnel.client()
            data, _ = await everything(other)
            assert re.search(rb"0 1 2 3\r?\n", data)  # 3 is ls's own, of the folder
    finally:
        os.close(leaked)


async def test_no_signal_is_ignored_or_held_back_for_it() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with programs("grep", "-E", "Sig(Ign|Blk)", "/proc/self/status") as tunnel:
            data, _ = await everything(await tunnel.client())
    finally:
        signal.signal(signal.SIGHUP, before)
    # 32 and 33 are the C library's own, which its posix_spawn ignores until threads need them.
    masks = [int(mask, 16) & ~(3 << 31) for mask in re.findall(rb"\t(\w+)", data)]
    assert masks == [0, 0]


async def test_inetd_s_programs_find_a_socket_to_talk_to() -> None:
    telnetd = "/usr/sbin/telnetd"
    need(telnetd)
    async with programs(telnetd, "-E", "/bin/sh") as tunnel:
        client = await tunnel.client()
        data = b""
        while b"# " not in data and b"$ " not in data:
            opcode, payload = await client.frame()
            assert opcode == BINARY, payload
            data += payload
            for verb, option in re.findall(rb"(?s)\xff([\xfb\xfd])(.)", payload):
                if verb == b"\xfd":
                    say(client, b"\xff\xfc" + option)
                else:
                    say(client, b"\xff" + (b"\xfd" if option in b"\x01\x03" else b"\xfe") + option)
        say(client, b"echo $((6*7))\r\0")
        await told(client, rb"\r\n42\r\n")


# What it prints beside


async def test_its_errors_go_to_the_log_line_by_line() -> None:
    async with programs(*shell("echo one >&2; printf 'two\\033[31m' >&2; exit 1")) as tunnel:
        await everything(await tunnel.client())
        await tunnel.none_runs()
        lines = [line.partition(": ")[2] for level, line in tunnel.log if level == logging.INFO]
        assert lines == ["one", "two\\x1b[31m", "The program ended with status 1."]


async def test_a_flood_of_errors_holds_nothing_up_and_fills_no_log() -> None:
    async with programs(*shell("yes error | head -n 500000 >&2; echo done")) as tunnel:
        client = await tunnel.client()
        await told(client, b"done\n")
        await tunnel.none_runs()
        assert len(tunnel.log) < 1000
        assert tunnel.says("more lines")


# On a terminal


OPENING = b"\xff\xfb\x01\xff\xfb\x03\xff\xfd\x1f"


def window(columns: int, rows: int) -> bytes:
    return b"\xff\xfa\x1f" + columns.to_bytes(2, "big") + rows.to_bytes(2, "big") + b"\xff\xf0"


@asynccontextmanager
async def bash(**fields: Any) -> AsyncIterator[tuple[Programs, RawClient]]:
    """A shell on a terminal, at its prompt."""
    environment = {"PS1": "ready> ", "HOME": "/nonexistent"}
    run = ("bash", "--norc", "--noediting")
    async with programs(*run, mode="terminal", environment=environment, **fields) as tunnel:
        client = await tunnel.client()
        await told(client, re.escape(OPENING) + b"(?s:.*)ready> ")
        yield tunnel, client


async def test_a_shell_has_a_terminal_of_80_by_24_that_controls_it() -> None:
    async with bash() as (_, client):
        say(client, b"stty size; echo $TERM; tty; echo on > /dev/tty\r")
        await told(client, rb"24 80\r\nxterm-256color\r\n/dev/\S+\r\non\r\n")


async def test_a_window_s_new_size_reaches_the_program() -> None:
    watching = "trap 'stty size' WINCH; echo on; while :; do sleep 0.05; done"
    async with programs(*shell(watching), mode="terminal") as tunnel:
        client = await tunnel.client()
        await told(client, rb"on\r\n")
        say(client, b"\xff\xfb\x1f" + window(132, 43))
        await told(client, rb"43 132\r\n")
        say(client, window(100, 30))
        await told(client, rb"30 100\r\n")


@pytest.mark.parametrize("key", [b"\x03", b"\xff\xf4"], ids=["control-c", "telnet's word for it"])
async def test_keys_interrupt_the_program(key: bytes) -> None:
    # Not an interactive shell, which may take the key for itself while it starts its job.
    waiting = "trap 'echo interrupted' INT; echo on; while :; do sleep 0.05; done"
    async with programs(*shell(waiting), mode="terminal") as tunnel:
        client = await tunnel.client()
        await told(client, rb"on\r\n")
        for _ in range(2):
            say(client, key)
            await told(client, rb"\^Cinterrupted\r\n")


async def test_a_shell_that_ends_says_its_status() -> None:
    async with bash() as (_, client):
        say(client, b"exit 7\r")
        assert (await everything(client))[1] == (1000, "The program ended with status 7")


async def test_a_shell_ends_with_a_job_that_still_has_the_terminal() -> None:
    async with bash() as (_, client):
        say(client, b"sleep 68 & exit\r")
        data, close = await everything(client)
        assert close == (1000, "The program ended with status 0")
        found = re.search(rb"\[1\] (\d+)", data)
        assert found is not None
        await until("the job gone", lambda: not alive(int(found[1])))


@pytest.mark.parametrize("job", ["sleep 69 &", "nohup sleep 69 >/dev/null &", "cat &", "exec sleep 69"])
async def test_a_client_that_vanishes_hangs_up_on_all_of_it(job: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "GRACE_SECONDS", 0.5)
    async with bash() as (tunnel, client):
        (session,) = (child.pid for child in tunnel.connector._running)
        say(client, job.encode() + b"\r")
        await told(client, re.escape(job.encode()))
        client.writer.transport.abort()
        await tunnel.none_runs()
        assert living_groups(session) == set()


async def test_all_that_a_terminal_said_arrives_before_its_end() -> None:
    async with programs(*shell("seq 100000; exit 6"), mode="terminal") as tunnel:
        client = await tunnel.client()
        data, close = await everything(client)
        assert data.removeprefix(OPENING).split() == [b"%d" % number for number in range(1, 100_001)]
        assert close == (1000, "The program ended with status 6")


async def test_a_long_paste_arrives_whole() -> None:
    text = b"".join(b"%07d\n" % number for number in range(20_000))
    async with programs(*shell("stty raw -echo; echo on; head -c 160000 | sha256sum"), mode="terminal") as tunnel:
        client = await tunnel.client()
        await told(client, rb"on\n")
        say(client, text)
        await told(client, hashlib.sha256(text).hexdigest().encode())


async def test_a_client_that_does_not_read_makes_the_program_wait() -> None:
    async with programs("yes", mode="terminal") as tunnel:
        client = await tunnel.client()
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        (relay,) = tunnel.door.bridge.relays.values()
        seen = -1

        def stands() -> bool:
            nonlocal seen
            before, seen = seen, relay.to_client_bytes
            return before == seen > 0

        await until("it waiting", stands)
        assert relay.to_client_bytes < 32 << 20


async def test_a_flood_of_telnet_is_looked_at_piece_by_piece() -> None:
    flood = b"\xff\xf9\r\n" * (1 << 18)
    async with programs(*shell("stty raw -echo; echo on; exec cat"), mode="terminal") as tunnel:
        client = await tunnel.client()
        await told(client, rb"on\n")
        (relay,) = tunnel.door.bridge.relays.values()
        target = relay.target
        assert target is not None
        assert not target.send(flood)
        assert target.pending >= len(flood) - TYPED_BYTES
        assert (await client.data((1 << 19) - 1)).replace(b"\0", b"") == b"\r" * (1 << 18)
        assert target.pending == 0


def test_a_session_that_nobody_is_in_has_no_groups() -> None:
    assert living_groups(2**22 - 1) == set()
