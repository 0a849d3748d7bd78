"""Debian's TigerVNC server on a display and a port of its own, with something to see and something to type into."""

from __future__ import annotations

import contextlib
import os
import random
import select
import shlex
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from PIL import Image, ImageChops

from tests.support.programs import end, need
from tests.support.waiting import DEADLINE_SECONDS, wait_until

SIZE = (640, 480)
PROGRAMS = ("Xtigervnc", "xterm", "xdotool", "import", "display")
OPTIONS = ("-localhost", "-geometry", f"{SIZE[0]}x{SIZE[1]}", "-depth", "24", "-AlwaysShared")
# What every VNC server obscures its password file with, each byte's bits in the order that VNC's DES takes them.
_PASSWORD_KEY = bytes(int(f"{byte:08b}"[::-1], 2) for byte in (23, 82, 107, 6, 35, 78, 88, 7))
_ATTEMPTS = 5


@dataclass
class VncDesktop:
    """A desktop that a VNC viewer can show; what it starts it also ends."""

    number: int
    port: int
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """For programs of this desktop."""
        return {**os.environ, "DISPLAY": f":{self.number}", "NO_AT_BRIDGE": "1"}

    def run(self, *command: str) -> str:
        """Run a program to its end and return what it printed."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program that runs until the desktop ends."""
        with (self.folder / f"{Path(command[0]).name}-{len(self.processes)}.log").open("wb") as output:
            process = subprocess.Popen(command, env=self.environment, stdout=output, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def fill(self, colour: str) -> None:
        """Paint the background in one colour, `#rrggbb`."""
        self.paint(Image.new("RGB", SIZE, colour))

    def paint(self, image: Image.Image) -> None:
        """Show a picture as the background."""
        file = self.folder / "background.png"
        image.save(file)
        self.run("display", "-window", "root", str(file))

    def typewriter(self) -> Path:
        """Open an xterm in the upper left, and return the file into which lines typed there go."""
        file = self.folder / "typed.txt"
        self.start("xterm", "-geometry", "60x12+10+10", "-e", f"cat > {shlex.quote(str(file))}")
        wait_until("an xterm", lambda: self.run("xdotool", "search", "--onlyvisible", "--class", "xterm").split())
        wait_until("the file for what is typed", file.exists)
        return file

    def screenshot(self) -> Image.Image:
        """What the server shows now, without the pointer."""
        file = self.folder / "screen.png"
        self.run("import", "-silent", "-window", "root", str(file))
        with Image.open(file) as image:
            return image.convert("RGB")


def colourful(seed: int = 1) -> Image.Image:
    """A picture that no encoding gets right by chance: areas of one colour, gradients and noise."""
    dice = random.Random(seed)
    image = Image.new("RGB", SIZE, "#203040")
    gradient = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn) for turn in (0, 90, 180)])
    image.paste(gradient.resize((220, 200)), (400, 20))
    image.paste(Image.frombytes("RGB", (120, 100), dice.randbytes(120 * 100 * 3)), (30, 340))
    for column, colour in enumerate(("#ff0000", "#00ff00", "#0000ff", "#ffffff", "#000000", "#c08040")):
        image.paste(Image.new("RGB", (60, 60), colour), (190 + 70 * column, 380))
    return image


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any channel of any pixel, 0 to 255; 256 when the sizes differ."""
    if one.size != other.size:
        return 256
    extrema = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getextrema()
    return max(int(high) for _, high in extrema)  # type: ignore[misc, arg-type]


@contextmanager
def vnc_desktop(folder: Path, *, password: str = "", port: int = 0) -> Iterator[VncDesktop]:
    """Run a VNC server on a free display.

    Args:
        folder: Where its files go.
        password: What it asks for, up to 8 ASCII characters (VncAuth); "" = nothing.
        port: On loopback; 0 = a free one.
    """
    need(*PROGRAMS)
    folder.mkdir(parents=True, exist_ok=True)
    security = ["-SecurityTypes", "None"]
    if password:
        file = folder / "passwd"
        file.write_bytes(_obscured(password))
        security = ["-SecurityTypes", "VncAuth", "-PasswordFile", str(file)]
    server, number, port = _start_server(folder, security, port)
    desktop = VncDesktop(number, port, folder, [server])
    try:
        yield desktop
    finally:
        for process in reversed(desktop.processes):
            end(process)


def _obscured(password: str) -> bytes:
    """The password as it stands in a password file."""
    des = Cipher(TripleDES(_PASSWORD_KEY * 3), modes.ECB()).encryptor()
    return des.update(password.encode("ascii").ljust(8, b"\0")[:8]) + des.finalize()


def _start_server(folder: Path, security: Sequence[str], wanted_port: int) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start the server, which takes a free display; the port may be taken in between, so it is tried again."""
    log = folder / "Xtigervnc.log"
    for _ in range(_ATTEMPTS):
        with socket.create_server(("127.0.0.1", wanted_port)) as free:
            port = int(free.getsockname()[1])
        reading, writing = os.pipe()
        try:
            with log.open("ab") as output:
                server = subprocess.Popen(
                    ["Xtigervnc", "-displayfd", str(writing), "-rfbport", str(port), *OPTIONS, *security],
                    pass_fds=(writing,),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            os.close(writing)
            writing = -1
            number = b""
            while not number.endswith(b"\n") and select.select([reading], [], [], DEADLINE_SECONDS)[0]:
                read = os.read(reading, 16)
                if not read:
                    break  # it has ended
                number += read
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)
        if number.strip() and _answers(port):
            return server, int(number), port
        end(server)
    raise AssertionError(f"Xtigervnc did not start: {log.read_text(errors='replace')[-2000:]}")


def _answers(port: int) -> bool:
    """Return whether a VNC server is on that port: the first thing it says is its version."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS) as client,
    ):
        return client.recv(4) == b"RFB "
    return False
