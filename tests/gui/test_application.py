"""The tray app as a person has it: a real window, a real tray, real clicks, real clients."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from PIL import ImageChops
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from tests.gui.conftest import Application, Desktop, Launch, WriteProfile
    from wsgui.app.paths import Paths

OPEN, FIRST, SECOND = 0, 1, 2
"""Lines of the tray's menu."""
GOING_AWAY = 1001
SIZE = 1 << 20


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of a TCP service that sends back what it gets."""
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def listen() -> str:
    """An address of this computer on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def running(application: Application, name: str) -> str:
    """Wait until the tunnel runs, and return its WebSocket address."""
    application.wait_until(f"{name} running", lambda: application.tunnel(name).get("state") == "running")
    return str(application.tunnel(name)["websocket_url"])


def exchange(client: ClientConnection, size: int = SIZE) -> None:
    """Send `size` bytes and take the same bytes back."""
    sent = bytes(range(256)) * (size // 256)
    reader = threading.Thread(target=client.send, args=(sent,))
    reader.start()
    got = bytearray()
    while len(got) < len(sent):
        data = client.recv(timeout=20)
        assert isinstance(data, bytes)
        got += data
    reader.join()
    assert bytes(got) == sent


def closed_with(client: ClientConnection) -> int:
    """Wait until the server has closed, and return its code."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            client.recv(timeout=20)
    assert client.close_code is not None
    return client.close_code


def show(application: Application) -> int:
    return application.wait_until("the window", application.window)


def close_window(application: Application) -> None:
    """As a person closes it: by the window manager."""
    window = show(application)
    for attempt in (1, 2):  # a key goes to whatever has the focus at that moment: once more if that was not the window
        application.desktop.run("xdotool", "windowactivate", "--sync", str(window))
        application.desktop.run("xdotool", "key", "--clearmodifiers", "alt+F4")
        try:
            application.wait_until("the window gone", lambda: application.window() == 0)
        except AssertionError:
            if attempt == 2:
                raise
        else:
            return


def ended(process: subprocess.Popen[bytes]) -> int:
    return process.wait(20)


def test_a_tunnel_switched_on_in_the_tray_carries_data_and_the_window_shows_it(
    desktop: Desktop, launch: Launch, write_profile: WriteProfile, echo: str, listen: str
) -> None:
    write_profile("Lab", listen=listen, target=echo, autostart=False)
    application = launch(desktop)
    window = show(application)
    assert application.tunnel("Lab")["state"] == "stopped"

    application.choose(FIRST)
    address = running(application, "Lab")
    quiet = desktop.screenshot("running")

    with connect(address, subprotocols=["binary"], compression=None) as client:
        exchange(client)
        seen = application.wait_until(
            "the bytes counted",
            lambda: next((c for c in application.tunnel("Lab")["connections"] if c["to_client_bytes"] >= SIZE), None),
        )
        assert seen["to_target_bytes"] == seen["to_client_bytes"] == SIZE
        left, top, width, height = desktop.geometry(window)
        place = (left, top, left + width, top + height)

        def changed() -> bool:
            now = desktop.screenshot("connected")
            return ImageChops.difference(quiet.crop(place), now.crop(place)).getbbox() is not None

        application.wait_until("other numbers in the window", changed)

        application.choose(FIRST)
        assert closed_with(client) == GOING_AWAY
    application.wait_until("stopped", lambda: application.tunnel("Lab")["state"] == "stopped")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((urlsplit(address).hostname or "", urlsplit(address).port or 0))


def test_without_a_profile_of_ones_own_the_demo_runs(desktop: Desktop, launch: Launch) -> None:
    application = launch(desktop)
    address = urlsplit(running(application, "Demo"))
    assert address.hostname == "127.0.0.1"
    page = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=10)
    page.request("GET", "/")
    assert page.getresponse().status == 200
    page.close()


def test_closing_the_window_keeps_the_tunnels_and_says_so_once(
    desktop: Desktop, launch: Launch, write_profile: WriteProfile, echo: str, listen: str
) -> None:
    write_profile("Lab", listen=listen, target=echo, autostart=True)
    application = launch(desktop)
    with connect(running(application, "Lab"), compression=None) as client:
        close_window(application)
        said = application.wait_until("what was said", application.box)
        desktop.screenshot("said")
        desktop.run("xdotool", "windowactivate", "--sync", str(said), "key", "Return")
        application.wait_until("it gone", lambda: application.box() == 0)
        exchange(client, 4096)

        application.click_tray()
        close_window(application)
        exchange(client, 4096)
        assert application.windows() == []


def test_a_click_on_the_icon_hides_and_shows_the_window(desktop: Desktop, launch: Launch) -> None:
    application = launch(desktop)
    desktop.run("xdotool", "windowactivate", "--sync", str(show(application)))
    application.click_tray()
    application.wait_until("the window hidden", lambda: application.window() == 0)
    application.click_tray()
    show(application)


def test_quit_in_the_menu_ends_the_program_and_its_connections(
    desktop: Desktop, launch: Launch, write_profile: WriteProfile, echo: str, listen: str
) -> None:
    write_profile("Lab", listen=listen, target=echo, autostart=True)
    application = launch(desktop)
    with connect(running(application, "Lab"), compression=None) as client:
        exchange(client, 4096)
        application.choose(-1)
        assert closed_with(client) == GOING_AWAY
    assert ended(application.process) == 0


def test_an_end_that_takes_long_is_shown_and_can_be_hurried(desktop: Desktop, launch: Launch) -> None:
    application = launch(desktop, "--minimized")
    with connect(running(application, "Demo"), compression=None) as client:
        application.ask("quit", grace_seconds=600)
        box = application.wait_until("what is shown meanwhile", application.box)
        desktop.screenshot("ending")
        desktop.run("xdotool", "windowactivate", "--sync", str(box), "key", "Return")
        assert closed_with(client) == GOING_AWAY
    assert ended(application.process) == 0


def test_a_binding_that_loses_references_is_refused_at_the_start(display: Desktop, folders: Paths) -> None:
    script = """
import sys
from wsgui.gui import binding
binding.none_references_lost = lambda: binding.KILLED_TIMERS
from wsgui.cli.main import main
sys.exit(main([]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=display.environment_for(folders),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert 'python -m pip install "PySide6-Essentials>=6.8,!=6.12.0"' in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_as_the_menu_does(desktop: Desktop, launch: Launch, number: signal.Signals) -> None:
    application = launch(desktop, "--minimized")
    with connect(running(application, "Demo"), compression=None) as client:
        application.process.send_signal(number)
        assert closed_with(client) == GOING_AWAY
    assert ended(application.process) == 0
    assert not list(application.paths.runtime.glob("*.sock"))


def test_what_ran_last_time_runs_again_also_after_a_kill(
    desktop: Desktop, launch: Launch, write_profile: WriteProfile, echo: str, listen: str
) -> None:
    write_profile("Lab", listen=listen, target=echo, autostart=False)
    first = launch(desktop, "--minimized")
    assert first.tunnel("Lab")["state"] == "stopped"
    first.ask("start", name="Lab")
    noted = first.paths.settings
    first.wait_until("it noted", lambda: noted.exists() and "Lab" in noted.read_text(encoding="utf-8"))
    first.process.kill()
    first.process.wait()
    second = launch(desktop, "--minimized")
    running(second, "Lab")


def test_started_minimised_it_is_in_the_tray_only(desktop: Desktop, launch: Launch) -> None:
    application = launch(desktop, "--minimized")
    application.wait_until("the icon", lambda: application.tray_icon()[2])
    assert application.window() == 0
    application.choose(OPEN)
    show(application)


def test_when_the_tray_goes_away_a_hidden_window_is_shown_minimised(desktop: Desktop, launch: Launch) -> None:
    application = launch(desktop, "--minimized")
    application.wait_until("the icon", lambda: application.tray_icon()[2])
    desktop.stop_tray()

    def iconic() -> bool:
        found = desktop.run("xdotool", "search", "--class", "wsgui").split()
        return any("window state: Iconic" in desktop.run("xprop", "-id", window, "WM_STATE") for window in found)

    application.wait_until("a minimised window", iconic, seconds=20)


def test_a_tray_that_comes_later_gets_the_icon(display: Desktop, launch: Launch) -> None:
    application = launch(display)
    show(application)
    display.start_tray()
    application.wait_until("the icon", lambda: application.tray_icon()[2])


def test_without_a_tray_closing_asks_whether_to_stop_what_runs(display: Desktop, launch: Launch) -> None:
    application = launch(display)
    running(application, "Demo")
    show(application)
    close_window(application)
    asked = application.wait_until("the question", application.box)
    display.screenshot("question")
    display.run("xdotool", "windowactivate", "--sync", str(asked), "key", "Tab", "Return")
    assert ended(application.process) == 0
