"""For tests of the window: Qt without a screen by default, and a real X display where a person's clicks are tried."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication

import wsgui
from wsgui.app.control_client import ControlClient
from wsgui.app.paths import Paths
from wsgui.engine.snapshot import ConnectionSnapshot, Reach, TunnelSnapshot, TunnelState
from wsgui.errors import ControlError
from wsgui.gui.plurals import EnglishPlurals

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

T = TypeVar("T")
DEADLINE_SECONDS = 30.0
LOOK_AGAIN_SECONDS = 0.05
PROGRAMS = ("Xvfb", "openbox", "trayer", "xdotool", "import", "xwininfo")
SCREEN = (1280, 900)
LEFT, RIGHT = 1, 3
SMALLEST_WINDOW = 60
"""Less high is only the icon."""


@dataclass
class Desktop:
    """An X display of its own with a window manager and a tray; what it starts it also ends."""

    number: int
    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    tray: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For programs of this display: no session bus, so that the tray is the one on the display."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("QT_", "WSGUI_", "DBUS_", "XDG_CURRENT"))}
        return {**kept, "DISPLAY": f":{self.number}", "QT_QPA_PLATFORM": "xcb", "NO_AT_BRIDGE": "1"}

    def environment_for(self, folders: Paths) -> dict[str, str]:
        """For a wsgui of this display with `folders` of its own."""
        return {
            **self.environment,
            "PYTHONPATH": str(Path(wsgui.__file__).parents[1]),
            "WSGUI_CONFIG_DIR": str(folders.config),
            "WSGUI_DATA_DIR": str(folders.data),
            "WSGUI_RUNTIME_DIR": str(folders.runtime),
        }

    def run(self, *command: str) -> str:
        """Run a program to its end and return what it printed; what it says and how it ends is its own affair."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
        return done.stdout

    def start(self, *command: str, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        with (self.folder / f"{Path(command[0]).name}-{len(self.processes)}.log").open("wb") as output:
            process = subprocess.Popen(
                command, env=environment or self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    def start_tray(self) -> None:
        self.tray = self.start("trayer", "--edge", "bottom", "--align", "right", "--widthtype", "request")
        wait_until("a tray", lambda: self.windows("--class", "trayer"))

    def stop_tray(self) -> None:
        assert self.tray is not None
        end(self.tray)

    def windows(self, *criteria: str) -> list[int]:
        """Visible windows that xdotool finds by `criteria`."""
        return [int(line) for line in self.run("xdotool", "search", "--onlyvisible", *criteria).split()]

    def geometry(self, window: int) -> tuple[int, int, int, int]:
        """Left, top, width, height on the screen; zeros when the window is gone."""
        known = dict(
            line.split("=", 1)
            for line in self.run("xdotool", "getwindowgeometry", "--shell", str(window)).splitlines()
            if "=" in line
        )
        return tuple(int(known.get(key, 0)) for key in ("X", "Y", "WIDTH", "HEIGHT"))  # type: ignore[return-value]

    def click(self, x: int, y: int, button: int = LEFT) -> None:
        # Without --sync, which waits for a movement that does not come when the pointer is there already.
        self.run("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def screenshot(self, name: str) -> Image.Image:
        """The whole screen, kept as `name`.png for whoever looks into the test's folder."""
        file = self.folder / f"{name}.png"
        self.run("import", "-window", "root", str(file))
        with Image.open(file) as image:
            return image.convert("RGB")


@dataclass
class Application:
    """The tray app as a process of its own, with folders of its own, on a `Desktop`."""

    desktop: Desktop
    paths: Paths
    process: subprocess.Popen[bytes]
    clicks: int = 0

    def wait_until(self, what: str, look: Callable[[], T], *, seconds: float = DEADLINE_SECONDS) -> T:
        """As `wait_until`, but an application that ended meanwhile fails at once."""
        return wait_until(what, look, seconds=seconds, alive=self.process)

    def ask(self, do: str, **values: Any) -> Any:
        """One request over the control channel, as `wsgui status` makes it; None when nobody answers."""
        try:
            with ControlClient(self.paths.runtime / "tray.sock", timeout_seconds=DEADLINE_SECONDS) as client:
                return client.request(do, **values)
        except ControlError:
            return None

    def tunnel(self, name: str) -> dict[str, Any]:
        """What `wsgui status --json` says about one tunnel; {} when it does not know it."""
        status = self.ask("status")
        return (
            next((tunnel for tunnel in status["snapshot"]["tunnels"] if tunnel["name"] == name), {}) if status else {}
        )

    def windows(self) -> list[int]:
        """What it has on the screen, the icon in the tray left out."""
        found = self.desktop.windows("--class", "wsgui")
        return [window for window in found if self.desktop.geometry(window)[3] > SMALLEST_WINDOW]

    def window(self) -> int:
        """The main window when it is on the screen, else 0."""
        return next((window for window in self.windows() if self.desktop.geometry(window)[2] >= 600), 0)

    def box(self) -> int:
        """A smaller window that says or asks something, when there is one, else 0."""
        return next((window for window in self.windows() if self.desktop.geometry(window)[2] < 600), 0)

    def tray_icon(self) -> tuple[int, int, int, int]:
        """Where the icon is: the embedded window that is as small as the tray and inside its panel."""
        panels = [self.desktop.geometry(panel) for panel in self.desktop.windows("--class", "trayer")]
        for window in self.desktop.windows("--class", "wsgui"):
            left, top, width, height = self.desktop.geometry(window)
            if width > 8 and any(x <= left and y <= top and top + height <= y + h for x, y, _, h in panels):
                return left, top, width, height
        return (0, 0, 0, 0)

    def click_tray(self, button: int = LEFT) -> None:
        """Click the icon, left and right of its middle in turn: two clicks at one place would be a double click."""
        left, top, width, height = self.wait_until("the icon in the tray", lambda: none_if_empty(self.tray_icon()))
        self.clicks += 1
        self.desktop.click(left + width * (1 + 2 * (self.clicks % 2)) // 4, top + height // 2, button)

    def open_menu(self) -> tuple[int, int, int, int]:
        """Open the tray's menu with the right button, and return where it is."""
        before = set(self.windows())
        self.click_tray(RIGHT)

        def menu() -> tuple[int, int, int, int] | None:
            new = [window for window in self.windows() if window not in before]
            return self.desktop.geometry(new[0]) if new else None

        return self.wait_until("the tray's menu", menu)

    def choose(self, line: int) -> None:
        """Open the tray's menu and click its `line`-th text (0 = first, -1 = last), found by where there is ink."""
        left, top, width, height = self.open_menu()

        def lines() -> list[int] | None:
            found = text_lines(self.desktop.screenshot("menu").crop((left, top, left + width, top + height)))
            return found if len(found) > max(line, 3) else None

        self.desktop.click(left + width // 2, top + self.wait_until("the menu's lines", lines)[line])


def text_lines(image: Image.Image) -> list[int]:
    """The vertical middles of the lines of text in a menu's picture; separators and the frame are thinner than text."""
    grey = image.convert("L")
    inner = grey.crop((6, 4, grey.width - 6, grey.height - 4))
    rows = [inner.crop((0, y, inner.width, y + 1)).getextrema() for y in range(inner.height)]
    inked = [high - low > 60 for low, high in rows]  # type: ignore[operator]
    lines: list[int] = []
    start = None
    for y, ink in enumerate([*inked, False]):
        if ink and start is None:
            start = y
        elif not ink and start is not None:
            if y - start >= 6:
                lines.append(4 + (start + y) // 2)
            start = None
    return lines


def none_if_empty(place: tuple[int, int, int, int]) -> tuple[int, int, int, int] | None:
    return place if place[2] else None


def wait_until(
    what: str,
    look: Callable[[], T],
    *,
    seconds: float = DEADLINE_SECONDS,
    alive: subprocess.Popen[bytes] | None = None,
) -> T:
    """Look until `look` returns something true, and return that; else fail: `what` did not come.

    Between two looks it waits for the process `alive` to end, which fails at once.
    """
    deadline = time.monotonic() + seconds
    watched = [os.pidfd_open(alive.pid)] if alive is not None and alive.poll() is None else []
    try:
        while not (seen := look()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}")
            ended, _, _ = select.select(watched, [], [], LOOK_AGAIN_SECONDS)
            if ended or (alive is not None and not watched):
                raise AssertionError(f"the application ended while waiting for {what}")
        return seen
    finally:
        for descriptor in watched:
            os.close(descriptor)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that a test started: politely, then not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait(10)


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Desktop]:
    """A display with a window manager but no tray."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (packaging/test.sh installs them)")
    folder = tmp_path / "desktop"
    folder.mkdir()
    reading, writing = os.pipe()
    try:
        with (folder / "Xvfb.log").open("wb") as output:
            server = subprocess.Popen(
                ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SCREEN[0]}x{SCREEN[1]}x24", "-nolisten", "tcp"],
                pass_fds=(writing,),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        number = b""
        while not number.endswith(b"\n") and select.select([reading], [], [], DEADLINE_SECONDS)[0]:
            number += os.read(reading, 16) or b"\n"
        number = number.strip()
    finally:
        os.close(reading)
        os.close(writing)
    desktop = Desktop(int(number or 0), folder, [server])
    try:
        assert number, "Xvfb did not start"
        ready = folder / "openbox-is-ready"
        desktop.start("openbox", "--sm-disable", "--startup", f"touch {ready}")
        wait_until("a window manager", ready.exists)
        yield desktop
    finally:
        for process in reversed(desktop.processes):
            end(process)


@pytest.fixture
def desktop(display: Desktop) -> Desktop:
    """A display with a window manager and a tray."""
    display.start_tray()
    return display


@pytest.fixture
def folders(tmp_path: Path) -> Paths:
    """Empty folders for one user's wsgui."""
    places = Paths.beneath(tmp_path / "home")
    places.make_config()
    places.make_data()
    places.make_runtime()
    return places


Launch = Callable[..., Application]


@pytest.fixture
def launch(folders: Paths) -> Iterator[Launch]:
    """Start the tray app on a desktop; every one is ended with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(desktop: Desktop, *arguments: str) -> Application:
        process = desktop.start(sys.executable, "-m", "wsgui", *arguments, environment=desktop.environment_for(folders))
        started.append(process)
        application = Application(desktop, folders, process)
        application.wait_until("an answer on the control channel", lambda: application.ask("who"))
        return application

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            end(process)


WriteProfile = Callable[..., Path]


@pytest.fixture
def write_profile(folders: Paths) -> WriteProfile:
    """Put a profile into the store as a person would: one TOML file of plain fields."""

    def write(name: str, **fields: Any) -> Path:
        file = folders.profiles / f"{name.lower().replace(' ', '-')}.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in {"name": name, **fields}.items()]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        file.chmod(0o600)
        return file

    return write


MakeTunnel = Callable[..., TunnelSnapshot]


@pytest.fixture
def make_tunnel() -> MakeTunnel:
    """Make the snapshot of a tunnel with `clients` connections; other fields by name."""

    def make(name: str, state: TunnelState = TunnelState.STOPPED, *, clients: int = 0, **fields: Any) -> TunnelSnapshot:
        on = state is not TunnelState.STOPPED
        client = ConnectionSnapshot(1, "127.0.0.1:5", "", "", "lab:5901", "", False, 0, 0, 0.0, 0.0, None, 0.0)
        page = "http://127.0.0.1:6080/" if state is TunnelState.RUNNING else ""
        usual = TunnelSnapshot(
            name=name,
            group="",
            state=state,
            wanted=on and state is not TunnelState.FINISHING,
            reason=None,
            target_problem=None,
            refusal=None,
            listen="127.0.0.1:6080",
            page_url=page,
            viewer_url=page,
            websocket_url=page.replace("http", "ws"),
            reach=Reach.THIS_COMPUTER,
            secure=False,
            target="lab:5901",
            protocol="",
            running_since=None,
            connections=tuple(replace(client, id=number) for number in range(clients)),
            connection_limit=1000,
            to_client_bytes=0,
            to_target_bytes=0,
            to_client_rate=0.0,
            to_target_rate=0.0,
            round_trip_seconds=None,
            served=clients,
            refused=0,
            sparkline=(),
        )
        return replace(usual, **fields)

    return make


@pytest.fixture(scope="session")
def english(qapp: QApplication) -> Iterator[QApplication]:
    """The application with English plurals."""
    translator = EnglishPlurals(qapp)
    qapp.installTranslator(translator)
    yield qapp
    qapp.removeTranslator(translator)


@pytest.fixture
def no_collecting() -> Iterator[None]:
    """For tests with threads: garbage that others have left may hold Qt's objects, which must not end in a thread.

    One with a running timer that did brought the process down much later, when that was due (as `gui.garbage` has it).
    """
    gc.collect()
    gc.disable()
    yield
    gc.enable()
