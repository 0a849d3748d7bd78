"""The control channel: who may ask, what is answered, and that hostile clients harm nobody."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from wsgui.app import control
from wsgui.app.control import ControlClient, ControlServer, Request, peers, show_window
from wsgui.app.control_wire import LARGEST_LINE_BYTES, encode_answer
from wsgui.app.paths import FolderError, Paths
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.errors import ControlError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
StartServer = Callable[..., Awaitable[ControlServer]]


async def echo(request: Request) -> Any:
    """A process that answers with what it was asked."""
    if request.do == "who":
        return {"name": request.name or "Demo", "role": "headless", "pid": os.getpid(), "version": "1"}
    if request.do == "stop":
        raise ControlError("It will not stop.", "Ask again.", field="name")
    return request.model_dump()


@pytest.fixture
async def serve(folders: Paths) -> AsyncIterator[StartServer]:
    servers: list[ControlServer] = []

    async def start(name: str = "Demo", role: Any = "headless", handler: Any = echo) -> ControlServer:
        server = ControlServer(folders, name=name, role=role, handler=handler)
        servers.append(server)
        await server.start()
        return server

    yield start
    for server in servers:
        await server.close()


async def ask(path: Path | None, do: str, **values: Any) -> Any:
    def talk() -> Any:
        assert path is not None
        with ControlClient(path, timeout_seconds=5) as client:
            return client.request(do, **values)

    return await asyncio.to_thread(talk)


class Raw:
    """A client that sends whatever it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, server: ControlServer) -> Raw:
        assert server.path is not None
        return cls(*await asyncio.open_unix_connection(str(server.path), limit=1 << 20))

    async def say(self, data: bytes) -> Any:
        self.writer.write(data)
        return json.loads(await asyncio.wait_for(self.reader.readline(), 5))

    async def at_end(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), 5) == b""
        except ConnectionError:
            return True
        finally:
            self.writer.close()


async def test_a_request_is_answered(serve: StartServer) -> None:
    server = await serve()

    answer = await ask(server.path, "start", name="Office")

    assert (answer["do"], answer["name"]) == ("start", "Office")


async def test_one_conversation_carries_several_requests(serve: StartServer) -> None:
    client = await Raw.connect(await serve())

    assert (await client.say(b'{"id": 1, "do": "show"}\n'))["id"] == 1
    assert (await client.say(b'{"id": 7, "do": "show"}\n'))["id"] == 7
    client.writer.close()


async def test_a_refusal_keeps_its_message_hint_and_field(serve: StartServer) -> None:
    server = await serve()

    with pytest.raises(ControlError) as caught:
        await ask(server.path, "stop", name="Demo")

    assert (caught.value.message, caught.value.hint, caught.value.field) == ("It will not stop.", "Ask again.", "name")


async def test_socket_and_folder_are_for_this_user_only(serve: StartServer) -> None:
    path = (await serve()).path

    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_long_answer_comes_whole_in_lines_that_fit(serve: StartServer) -> None:
    long = {"text": '"\\\n' * 100_000, "snapshot": EngineSnapshot(1.0, ())}

    async def handler(_: Request) -> Any:
        return long

    server = await serve(handler=handler)

    assert await ask(server.path, "status") == {"text": long["text"], "snapshot": {"time": 1.0, "tunnels": []}}
    assert max(len(line) for line in encode_answer(1, long).splitlines(keepends=True)) <= LARGEST_LINE_BYTES


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[]\n",
        b"{}\n",
        b'{"id": 1}\n',
        b'{"id": 1, "do": "format"}\n',
        b'{"id": "1", "do": "status"}\n',
        b'{"id": -1, "do": "status"}\n',
        b'{"id": 1, "do": "status", "path": "/etc"}\n',
        b'{"id": 1, "do": "stop", "grace_seconds": NaN}\n',
        b'{"id": 1, "do": "stop", "grace_seconds": 1e99}\n',
        b'{"id": 1, "do": "stop", "name": 5}\n',
        b"\xff\xfe\n",
        b"[" * 60_000 + b"\n",
        b"\n",
    ],
)
async def test_a_malformed_request_is_refused_and_the_next_client_is_served(serve: StartServer, line: bytes) -> None:
    server = await serve()
    client = await Raw.connect(server)

    answer = await client.say(line)

    assert answer["ok"] is False
    assert answer["error"]["message"].startswith("This is no request")
    assert await client.at_end()
    assert (await ask(server.path, "show"))["do"] == "show"


async def test_an_over_long_request_is_refused(serve: StartServer) -> None:
    client = await Raw.connect(await serve())

    answer = await client.say(b'{"id": 1, "do": "' + b"x" * (2 * LARGEST_LINE_BYTES) + b'"}\n')

    assert "at most 65536 bytes" in answer["error"]["message"]
    assert await client.at_end()


async def test_a_slow_client_is_let_go_and_others_are_served_meanwhile(
    serve: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "_REQUEST_SECONDS", 0.3)
    server = await serve()
    client = await Raw.connect(server)
    client.writer.write(b'{"id": 1, ')

    assert (await ask(server.path, "show"))["do"] == "show"
    assert await client.at_end()


async def test_a_client_that_never_reads_is_let_go(serve: StartServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_REQUEST_SECONDS", 0.3)
    answered = asyncio.Event()

    async def handler(request: Request) -> Any:
        if request.do == "status":
            return "x" * (8 << 20)
        answered.set()
        return None

    server = await serve(handler=handler)
    client = await Raw.connect(server)
    client.writer.transport.pause_reading()
    client.writer.write(b'{"id": 1, "do": "status"}\n')

    await ask(server.path, "show")
    await asyncio.wait_for(answered.wait(), 5)
    while server._clients:
        await asyncio.wait(tuple(server._clients), timeout=5)
    client.writer.transport.abort()


async def test_more_clients_than_it_takes_are_closed_and_room_comes_back(serve: StartServer) -> None:
    server = await serve()
    crowd = [await Raw.connect(server) for _ in range(16)]
    for client in crowd:
        await client.say(b'{"id": 1, "do": "show"}\n')

    assert await (await Raw.connect(server)).at_end()

    for client in crowd:
        client.writer.close()
    await asyncio.wait(tuple(server._clients), timeout=5)
    assert (await ask(server.path, "show"))["do"] == "show"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
async def test_another_user_is_refused_even_with_the_socket_open_to_all(serve: StartServer) -> None:
    server = await serve()
    assert server.path is not None
    server.path.chmod(0o777)
    # The folder would keep another user out; the descriptor of it that is inherited does not.
    folder = os.open(server.path.parent, os.O_PATH)
    code = (
        "import socket\n"
        "client = socket.socket(socket.AF_UNIX)\n"
        f"client.connect('/proc/self/fd/{folder}/{server.path.name}')\n"
        "try:\n"
        '    client.sendall(b\'{"id": 1, "do": "status"}\\n\')\n'
        "    print('got', client.recv(100))\n"
        "except (BrokenPipeError, ConnectionResetError):\n"
        "    print('got', b'')\n"
    )
    server.path.parent.chmod(0o711)
    command = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", sys.executable, "-S", "-E", "-c", code]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, pass_fds=[folder])
    output, _ = await process.communicate()
    os.close(folder)

    assert output == b"got b''\n"


async def test_a_second_process_of_the_same_name_gets_a_number(serve: StartServer, folders: Paths) -> None:
    first, second = await serve("Lab, two"), await serve("Lab, two")

    assert (first.name, second.name) == ("Lab, two", "Lab, two (2)")
    assert sorted(path.name for path in folders.runtime.glob("*.sock")) == ["lab-two-2.sock", "lab-two.sock"]


async def test_no_headless_process_takes_the_tray_app_s_place(serve: StartServer) -> None:
    headless = await serve("tray")
    window = await serve("anything", "window")

    assert headless.path is not None
    assert window.path is not None
    assert (headless.path.name, window.path.name) == ("tray-2.sock", "tray.sock")


async def test_the_second_start_reaches_the_window(serve: StartServer, folders: Paths) -> None:
    asked: list[str] = []

    async def handler(request: Request) -> None:
        asked.append(request.do)

    await serve("tray", "window", handler)

    await asyncio.to_thread(show_window, folders.runtime, timeout_seconds=5)

    assert asked == ["show"]


async def test_a_window_that_never_answers_is_said_so(folders: Paths) -> None:
    with pytest.raises(ControlError, match="Another wsgui has the tray but does not answer"):
        await asyncio.to_thread(show_window, folders.make_runtime(), timeout_seconds=0.1)


async def test_peers_are_the_living_ones_and_dead_sockets_go(serve: StartServer, folders: Paths) -> None:
    await serve("Demo")
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(folders.runtime / "dead.sock"))
    dead.close()
    (folders.runtime / "note.sock").write_text("no socket")

    found = await asyncio.to_thread(peers, folders.runtime)

    assert [(peer.name, peer.pid) for peer in found] == [("Demo", os.getpid())]
    assert not (folders.runtime / "dead.sock").exists()
    assert (folders.runtime / "note.sock").exists()


async def test_a_socket_whose_process_is_still_starting_is_not_removed(folders: Paths) -> None:
    starting = control.claim(folders.make_runtime(), "demo.sock")
    early = socket.socket(socket.AF_UNIX)
    early.bind(str(folders.runtime / "demo.sock"))

    assert await asyncio.to_thread(peers, folders.runtime) == ()

    assert (folders.runtime / "demo.sock").exists()
    early.close()
    assert starting is not None
    starting.release()


async def test_the_next_start_takes_a_stale_socket_over(serve: StartServer, folders: Paths) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(folders.make_runtime() / "demo.sock"))
    dead.close()

    server = await serve("Demo")

    assert server.path == folders.runtime / "demo.sock"
    assert (await ask(server.path, "show"))["do"] == "show"


async def test_a_planted_link_in_the_socket_s_place_is_replaced_and_its_goal_left_alone(
    serve: StartServer, folders: Paths, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_text("kept")
    (folders.make_runtime() / "demo.sock").symlink_to(tmp_path / "victim")

    server = await serve("Demo")

    assert server.path is not None
    assert stat.S_ISSOCK(os.lstat(server.path).st_mode)
    assert (tmp_path / "victim").read_text() == "kept"


async def test_a_folder_open_to_others_is_used_by_neither_side(serve: StartServer, folders: Paths) -> None:
    folders.make_runtime().chmod(0o777)

    with pytest.raises(FolderError, match="Other users can write"):
        await serve("Demo")
    with pytest.raises(FolderError, match="Other users can write"):
        peers(folders.runtime)


async def test_the_socket_goes_with_its_server(serve: StartServer, folders: Paths) -> None:
    server = await serve("Demo")

    await server.close()

    assert list(folders.runtime.glob("*.sock")) == []
    assert await asyncio.to_thread(peers, folders.runtime) == ()


async def test_closing_lets_the_last_answer_out(serve: StartServer) -> None:
    begun, closing = asyncio.Event(), asyncio.Event()

    async def handler(_: Request) -> str:
        begun.set()
        await closing.wait()
        return "bye"

    server = await serve(handler=handler)
    asking = asyncio.create_task(ask(server.path, "quit"))
    await begun.wait()
    closed = asyncio.create_task(server.close())
    closing.set()

    assert await asking == "bye"
    await closed


async def test_closing_does_not_wait_for_idle_clients(serve: StartServer) -> None:
    server = await serve()
    client = await Raw.connect(server)
    await client.say(b'{"id": 1, "do": "show"}\n')

    await asyncio.wait_for(server.close(), 0.4)

    assert await client.at_end()


async def test_a_path_too_long_for_a_socket_still_works(tmp_path: Path) -> None:
    folders = Paths.beneath(tmp_path / ("long-" * 12) / ("longer-" * 12))
    server = ControlServer(folders, name="Demo", role="headless", handler=echo)
    await server.start()
    try:
        assert [peer.name for peer in await asyncio.to_thread(peers, folders.runtime)] == ["Demo"]
    finally:
        await server.close()


@pytest.mark.parametrize("answer", [b"nonsense\n", b"[1]\n", b"{}\n", b'{"ok": false}\n', b"", b"x" * (1 << 20)])
async def test_a_server_that_makes_no_sense_is_an_error_not_a_fault(folders: Paths, answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    path = folders.make_runtime() / "odd.sock"
    server = await asyncio.start_unix_server(talk, str(path))
    async with server:
        with pytest.raises(ControlError, match="The wsgui behind"):
            await ask(path, "who")


async def test_a_server_that_does_not_answer_is_given_up(folders: Paths) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folders.make_runtime() / "silent.sock"))
        silent.listen()

        def talk() -> None:
            with ControlClient(folders.runtime / "silent.sock", timeout_seconds=0.2) as client:
                client.request("who")

        with pytest.raises(ControlError, match="does not answer"):
            await asyncio.to_thread(talk)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Office desktop", "office-desktop"), ("../x", "x"), ("Läb", "l-b"), ("日本", "wsgui"), ("x" * 99, "x" * 40)],
)
def test_any_name_makes_a_file_name(name: str, slug: str) -> None:
    assert control.slug_of(name) == slug
