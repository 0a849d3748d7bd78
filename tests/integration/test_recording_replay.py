"""What `--record` writes: websockify's grammar to the letter, whatever ends a session, and noVNC shows it again."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
import signal
import socket
import struct
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page

from tests.integration.conftest import Process, RunWsgui, StartEcho
from tests.support.browser import Console, chromium
from tests.support.novnc import make_web_root
from tests.support.programs import need
from tests.support.raw import RawClient, client_frame
from tests.support.viewer import JPEG_TOLERANCE, canvas, shows
from tests.support.vnc import SIZE, colourful, difference, vnc_desktop
from tests.support.waiting import until

BEGIN = b"var VNC_frame_data = ["
END = b"'EOF'];"
# A latin-1 character as Python's unicode_escape writes it, with the quote escaped too.
CHARACTER = rb"[ -&(-\[\]-~]|\\'|\\\\|\\[tnr]|\\x(?!09|0a|0d)(?:[01][0-9a-f]|7f|[89a-f][0-9a-f])"
CHUNK = re.compile(rb"'([{}])(0|[1-9][0-9]*)\1((?:" + CHARACTER + rb")*)',")
EVERY_BYTE = bytes(range(256)) + b"'\\'{}',\n'EOF'];\n</script>"


@dataclass(frozen=True)
class Line:
    to_client: bool
    time_ms: int
    data: bytes


def lines_of(file: Path) -> list[Line]:
    """The chunks of a recording, each line of which must be one of the grammar."""
    text = file.read_bytes()
    assert text.endswith(b"\n")
    first, *chunks, last = text[:-1].split(b"\n")
    assert first == BEGIN
    assert last == END
    lines = []
    for chunk in chunks:
        found = CHUNK.fullmatch(chunk)
        assert found is not None, chunk[:200]
        data = found[3].decode("unicode_escape").encode("latin-1")
        lines.append(Line(found[1] == b"{", int(found[2]), data))
    assert [line.time_ms for line in lines] == sorted(line.time_ms for line in lines)
    assert all(line.data for line in lines)
    return lines


def sent(lines: list[Line], *, to_client: bool) -> bytes:
    return b"".join(line.data for line in lines if line.to_client is to_client)


def is_ended(file: Path) -> bool:
    return file.exists() and file.read_bytes().endswith(b"\n" + END + b"\n")


async def start(
    run_wsgui: RunWsgui, port: int, target: int, file: Path, *more: str, prefix: tuple[str, ...] = ()
) -> Process:
    """Run the command line, until it listens."""
    address, to = f"127.0.0.1:{port}", f"127.0.0.1:{target}"
    process = await run_wsgui("websockify", "--record", str(file), *more, address, to, prefix=prefix)
    await process.logged(rf"proxying from {address} to {to}")
    return process


async def say(client: RawClient, data: bytes) -> None:
    """Send `data` to a target that gives it back, and wait for that."""
    client.send(client_frame(2, data))
    assert await client.data(len(data)) == data


# The picture


async def picture_of_last_session(page: Page) -> Image.Image:
    """What noVNC has drawn before its session ended; it takes its canvas off the page then."""
    data = await page.evaluate("window.lastCanvas.toDataURL('image/png')")
    with Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))) as image:
        return image.convert("RGB")


async def test_a_desktop_s_recording_shows_the_same_picture_again_in_novnc(
    run_wsgui: RunWsgui, free_port: int, tmp_path: Path
) -> None:
    root = make_web_root(tmp_path / "root")
    (root / "recordings").mkdir()
    file = root / "recordings" / "session"
    url = f"http://127.0.0.1:{free_port}/"
    with vnc_desktop(tmp_path / "vnc") as desktop:
        typed = desktop.typewriter()
        desktop.paint(colourful())
        process = await start(run_wsgui, free_port, desktop.port, file, "--web", str(root))
        async with chromium() as context:
            live = await context.new_page()
            await live.goto(url)
            await live.wait_for_selector("body[data-state=connected]", timeout=30_000)
            await shows(live, desktop, tolerance=JPEG_TOLERANCE)
            await live.locator("#screen canvas").click(position={"x": 60, "y": 60})
            await live.keyboard.type("It's \\ here\n")
            await until("the line in the xterm", typed.read_text)
            desktop.paint(colourful(2))
            await shows(live, desktop, tolerance=JPEG_TOLERANCE)

            await live.evaluate("window.lastCanvas = document.querySelector('#screen canvas')")
            recorded = next(file.parent.glob("session.*"))
            process.signal(signal.SIGTERM)
            assert await process.ended() == 0
            await live.wait_for_selector("body[data-state=ended], body[data-state=broken]", timeout=30_000)
            lines = lines_of(recorded)
            assert [each.name for each in file.parent.iterdir()] == [recorded.name]
            assert sent(lines, to_client=True).startswith(b"RFB 003.008\n")
            assert sent(lines, to_client=False).startswith(b"RFB 003.008\n")
            assert len(sent(lines, to_client=True)) > 100_000
            assert struct.pack(">BBHI", 255, 0, 1, ord("'")) in sent(lines, to_client=False)  # a key, as QEMU has it

            # As somebody looks at it who has websockify serve noVNC's playback page.
            other = await start(run_wsgui, free_port, desktop.port, tmp_path / "none", "--web", str(root))
            replay = await context.new_page()
            console = Console(replay)
            await replay.goto(f"{url}replay.html?recordings/{recorded.name}")
            await replay.wait_for_selector("body:not([data-state=loading])", timeout=30_000)
            assert await replay.get_attribute("body", "data-state") == "shown", console.lines

            async def same() -> bool:
                return difference(await canvas(replay), await picture_of_last_session(live)) == 0

            await until("the same picture", same)
            assert (await canvas(replay)).size == SIZE
            assert len((await canvas(replay)).getcolors(SIZE[0] * SIZE[1]) or ()) > 1000
            assert difference(await canvas(replay), desktop.screenshot()) <= JPEG_TOLERANCE
            assert not list(tmp_path.glob("none.*"))  # nobody had a session there

            # A browser reads each line as Python does.
            read = await replay.evaluate("VNC_frame_data")
            assert read == [
                *(
                    "{}{}{}{}".format(mark, line.time_ms, mark, line.data.decode("latin-1"))
                    for line in lines
                    for mark in ["{" if line.to_client else "}"]
                ),
                "EOF",
            ]
            other.signal(signal.SIGTERM)
            assert await other.ended() == 0


# Endings


async def test_each_session_has_a_file_with_its_number_and_every_byte(
    run_wsgui: RunWsgui, start_echo: StartEcho, free_port: int, tmp_path: Path
) -> None:
    echo = await start_echo()
    process = await start(run_wsgui, free_port, echo.port, tmp_path / "it's.rec")
    url = f"ws://127.0.0.1:{free_port}/"
    async with await RawClient.connect(url) as one, await RawClient.connect(url) as two:
        for client in (one, two):
            await client.upgrade()
        await say(one, b"one")
        await say(two, EVERY_BYTE)
        await say(one, b"again")
        two.send(client_frame(1, "text, in two pieces: \u00fc".encode()[:9], fin=False))
        two.send(client_frame(9, b"ping"))
        two.send(client_frame(0, "text, in two pieces: \u00fc".encode()[9:]))
    async with await RawClient.connect(url) as three:
        await three.upgrade()
        three.send(client_frame(2, b""))
        three.send(client_frame(8, b"\x03\xe8"))
        assert await three.closed() == (1000, "")
    files = [tmp_path / f"it's.rec.{number}" for number in (1, 2, 3)]
    await until("the three recordings", lambda: all(map(is_ended, files)))
    process.signal(signal.SIGTERM)
    assert await process.ended() == 0

    assert sorted(tmp_path.glob("it's.rec*")) == files
    first, second, third = map(lines_of, files)
    for to_client in (True, False):
        assert sent(first, to_client=to_client) == b"oneagain"
        assert sent(second, to_client=to_client).startswith(EVERY_BYTE)
    assert sent(second, to_client=False) == EVERY_BYTE + "text, in two pieces: \u00fc".encode()
    assert third == []
    assert [line.to_client for line in first] == [False, True, False, True]
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600


class Fickle:
    """A target that echoes, until it is told to break all connections off by a reset."""

    def __init__(self) -> None:
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Fickle:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass

    def reset(self) -> None:
        for writer in self._writers:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    def end(self) -> None:
        for writer in self._writers:
            writer.close()


Ending = Callable[[Process, RawClient, Fickle], Awaitable[None]]


async def by_sigterm(process: Process, client: RawClient, target: Fickle) -> None:
    process.signal(signal.SIGTERM)
    assert (await client.closed())[0] == 1001


async def by_sigint(process: Process, client: RawClient, target: Fickle) -> None:
    process.signal(signal.SIGINT)
    assert (await client.closed())[0] == 1001


async def by_a_client_that_vanishes(process: Process, client: RawClient, target: Fickle) -> None:
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


async def by_a_client_that_closes(process: Process, client: RawClient, target: Fickle) -> None:
    client.send(client_frame(8, b"\x03\xe8"))
    await client.closed()


async def by_a_client_that_breaks_the_rules(process: Process, client: RawClient, target: Fickle) -> None:
    client.send(b"\xc2\x80....")
    assert (await client.closed())[0] == 1002


async def by_a_target_that_resets(process: Process, client: RawClient, target: Fickle) -> None:
    target.reset()
    await client.closed()


async def by_a_target_that_closes(process: Process, client: RawClient, target: Fickle) -> None:
    target.end()
    assert await client.closed() == (1000, "Target closed")


@pytest.mark.parametrize(
    "ending",
    [
        by_sigterm,
        by_sigint,
        by_a_client_that_vanishes,
        by_a_client_that_closes,
        by_a_client_that_breaks_the_rules,
        by_a_target_that_resets,
        by_a_target_that_closes,
    ],
)
async def test_a_recording_is_closed_properly_when_its_session_is_ended(
    run_wsgui: RunWsgui, free_port: int, tmp_path: Path, ending: Ending
) -> None:
    file = tmp_path / "session.1"
    async with Fickle() as target:
        process = await start(run_wsgui, free_port, target.port, tmp_path / "session")
        async with await RawClient.connect(f"ws://127.0.0.1:{free_port}/") as client:
            await client.upgrade()
            await say(client, EVERY_BYTE)
            assert not is_ended(file)
            await ending(process, client, target)
            await until("the recording's end", lambda: is_ended(file))
    lines = lines_of(file)
    assert sent(lines, to_client=True) == sent(lines, to_client=False) == EVERY_BYTE
    if process.process.returncode is None:
        process.signal(signal.SIGTERM)
    assert await process.ended() == 0
    assert not [line for line in process.err if "Traceback" in line]


async def test_a_session_whose_target_never_was_there_leaves_an_empty_recording(
    run_wsgui: RunWsgui, free_port: int, tmp_path: Path
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await start(run_wsgui, free_port, nobody.getsockname()[1], tmp_path / "session")
        async with await RawClient.connect(f"ws://127.0.0.1:{free_port}/") as client:
            await client.upgrade()
            assert (await client.closed())[0] == 1011
    await until("the recording's end", lambda: is_ended(tmp_path / "session.1"))
    assert lines_of(tmp_path / "session.1") == []


# A full disk

PIECE = os.urandom(2048)
DISK_BYTES = 64 * 1024


async def goes_on_without_room(process: Process, port: int, file: Path) -> None:
    """Carry ten times what the disk takes through a session: all of it arrives, and one line says what is missing."""
    async with await RawClient.connect(f"ws://127.0.0.1:{port}/") as client:
        await client.upgrade()
        for _ in range(10 * DISK_BYTES // len(PIECE)):
            await say(client, PIECE)
        await until("the recording's end", lambda: is_ended(file))
        client.send(client_frame(8, b"\x03\xe8"))
        await client.closed()
    lines = lines_of(file)
    assert len(lines) > 2
    for to_client in (True, False):
        data = sent(lines, to_client=to_client)
        assert data == (PIECE * (len(data) // len(PIECE) + 1))[: len(data)]
    assert DISK_BYTES // 2 < file.stat().st_size <= DISK_BYTES
    warnings = [line for line in process.err if "is not written any further" in line]
    assert len(warnings) == 1, process.err
    assert "session.1" in warnings[0]
    assert "The session goes on." in warnings[0]


async def test_a_file_that_may_not_grow_does_not_end_the_session(
    run_wsgui: RunWsgui, start_echo: StartEcho, free_port: int, tmp_path: Path
) -> None:
    need("prlimit")
    echo = await start_echo()
    limited = ("prlimit", f"--fsize={DISK_BYTES}")
    process = await start(run_wsgui, free_port, echo.port, tmp_path / "session", prefix=limited)
    await goes_on_without_room(process, free_port, tmp_path / "session.1")


async def test_a_full_disk_does_not_end_the_session(
    run_wsgui: RunWsgui, start_echo: StartEcho, free_port: int, tmp_path: Path
) -> None:
    need("unshare", "mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size={DISK_BYTES} none '{disk}'"
    private = ("unshare", "--mount", "sh", "-c")
    if subprocess.run([*private, mount], capture_output=True, timeout=20).returncode:
        pytest.skip("no disk can be mounted here (that takes root)")
    echo = await start_echo()
    prefix = (*private, f'{mount} && exec "$@"', "sh")
    process = await start(run_wsgui, free_port, echo.port, disk / "session", prefix=prefix)
    seen = Path(f"/proc/{process.pid}/root{disk}")  # nobody else sees that disk
    await goes_on_without_room(process, free_port, seen / "session.1")
