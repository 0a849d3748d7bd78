"""What the views ask for happens: in the engine, in the profile's file, on the clipboard, in the browser."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from pytestqt.qtbot import QtBot

from tests.gui.certificates import FakeRequests
from tests.gui.secret_store import FakeSecrets
from tests.support.novnc import novnc
from wsgui.app.runtime import Runtime
from wsgui.engine.snapshot import EngineSnapshot, TunnelSnapshot, TunnelState
from wsgui.gui.actions_live import LiveActions
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.tasks import Tasks
from wsgui.profiles.model import Profile

if TYPE_CHECKING:
    from tests.gui.conftest import MakeTunnel, WriteProfile
    from wsgui.app.paths import Paths


@dataclass
class Setting:
    """Live actions over a real engine; `done` waits for what was asked."""

    engine: EngineThread
    tasks: Tasks
    said: list[tuple[str, str]] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    opened: list[QUrl] = field(default_factory=list)
    latest: EngineSnapshot = field(default_factory=lambda: EngineSnapshot(0.0, ()))

    def __post_init__(self) -> None:
        self.actions = LiveActions(
            self.engine,
            self.tasks,
            latest=lambda: self.latest,
            say=lambda message, hint: self.said.append((message, hint)),
            select=self.selected.append,
            leave=lambda: None,
            certificates=FakeRequests(),
            secrets=FakeSecrets(),
        )

    async def done(self) -> None:
        if running := tuple(self.tasks._running):
            await asyncio.wait(running, timeout=20)

    async def tunnel(self, name: str) -> TunnelSnapshot | None:
        self.latest = (await self.engine.look()).snapshot
        return self.latest.tunnel(name)


@pytest.fixture
async def setting(
    qtbot: QtBot, folders: Paths, write_profile: WriteProfile, port: int, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Setting]:
    """With one profile, "Lab", that is off."""
    write_profile("Lab", listen=f"127.0.0.1:{port}", target="127.0.0.1:9", autostart=False)
    engine = EngineThread(lambda: Runtime(folders, name="tray", role="window"))
    await engine.start()
    said: list[tuple[str, str]] = []
    made = Setting(engine, Tasks(lambda message, hint: said.append((message, hint))), said=said)
    monkeypatch.setattr(QDesktopServices, "openUrl", staticmethod(lambda url: made.opened.append(url) or True))
    yield made
    await made.tasks.close()
    await engine.stop()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def taken(port: int) -> Iterator[int]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield port


async def test_start_and_stop(setting: Setting) -> None:
    setting.actions.start("Lab")
    await setting.done()
    lab = await setting.tunnel("Lab")
    assert lab is not None
    assert (lab.state, lab.wanted) == (TunnelState.RUNNING, True)
    setting.actions.stop("Lab")
    await setting.done()
    lab = await setting.tunnel("Lab")
    assert lab is not None
    assert (lab.state, lab.wanted) == (TunnelState.STOPPED, False)


async def test_a_tunnel_that_is_gone_is_said(setting: Setting) -> None:
    setting.actions.start("Gone")
    await setting.done()
    assert len(setting.said) == 1
    assert "Gone" in setting.said[0][0]


async def test_another_port_is_written_into_the_profile_and_used(setting: Setting, taken: int, folders: Paths) -> None:
    setting.actions.start("Lab")
    await setting.done()
    lab = await setting.tunnel("Lab")
    assert lab is not None
    assert lab.state is TunnelState.WAITING
    other = free_port()
    setting.actions.use_port("Lab", other)
    await setting.done()
    lab = await setting.tunnel("Lab")
    assert lab is not None
    assert (lab.state, lab.listen) == (TunnelState.RUNNING, f"127.0.0.1:{other}")
    assert f'"127.0.0.1:{other}"' in (folders.profiles / "lab.toml").read_text(encoding="utf-8")


async def test_a_socket_file_has_no_other_port(setting: Setting, folders: Paths, write_profile: WriteProfile) -> None:
    write_profile("File", listen=f"unix:{folders.runtime / 'f'}", target="127.0.0.1:9", autostart=False)
    await setting.engine.call(lambda runtime: runtime.reload())
    setting.actions.use_port("File", 6081)
    await setting.done()
    assert "socket file" in setting.said[0][0]


async def test_an_allowed_origin_is_written_once(setting: Setting, folders: Paths) -> None:
    for _ in range(2):
        setting.actions.allow_origin("Lab", "https://vnc.lab")
        await setting.done()
    text = (folders.profiles / "lab.toml").read_text(encoding="utf-8")
    assert text.count("https://vnc.lab") == 1
    assert "same-host" in text
    assert setting.said == []


async def test_a_new_profile_is_saved_started_and_shown(setting: Setting, folders: Paths) -> None:
    new = Profile.model_validate({"name": "New one", "listen": f"127.0.0.1:{free_port()}", "target": "127.0.0.1:9"})
    setting.actions.create(new)
    await setting.done()
    made = await setting.tunnel("New one")
    assert made is not None
    assert made.state is TunnelState.RUNNING
    assert setting.selected == ["New one"]
    assert len(list(folders.profiles.glob("*.toml"))) == 2


async def test_a_name_that_is_taken_is_refused_and_nothing_overwritten(setting: Setting, folders: Paths) -> None:
    before = (folders.profiles / "lab.toml").read_bytes()
    setting.actions.create(Profile.model_validate({"name": "lab", "listen": "127.0.0.1:1", "target": "127.0.0.1:9"}))
    await setting.done()
    assert "already a tunnel" in setting.said[0][0]
    assert (folders.profiles / "lab.toml").read_bytes() == before


async def test_the_profiles_file_is_opened(setting: Setting, folders: Paths) -> None:
    setting.actions.edit_profile("Lab")
    await setting.done()
    assert [url.toLocalFile() for url in setting.opened] == [str(folders.profiles / "lab.toml")]


async def test_a_page_is_opened_in_the_browser(setting: Setting, make_tunnel: MakeTunnel) -> None:
    setting.latest = EngineSnapshot(0.0, (make_tunnel("Lab", TunnelState.RUNNING),))
    setting.actions.open_page("Lab")
    assert [url.toString() for url in setting.opened] == ["http://127.0.0.1:6080/"]


async def test_what_is_opened_is_the_viewer_of_what_is_spoken(setting: Setting, make_tunnel: MakeTunnel) -> None:
    viewer = "http://127.0.0.1:6080/vnc/"
    setting.latest = EngineSnapshot(0.0, (make_tunnel("Lab", TunnelState.RUNNING, viewer_url=viewer),))
    setting.actions.open_page("Lab")
    assert [url.toString() for url in setting.opened] == [viewer]


async def test_a_tunnel_to_vnc_is_opened_with_its_viewer(setting: Setting, write_profile: WriteProfile) -> None:
    novnc()
    for name, root in (("Desk", "vnc"), ("Plain", "")):
        fields = {"listen": "127.0.0.1:0", "target": "127.0.0.1:9", "autostart": False, "web.root": root}
        write_profile(name, **fields)
    await setting.engine.call(lambda runtime: runtime.reload())
    for name in ("Desk", "Plain"):
        setting.actions.start(name)
        await setting.done()
        tunnel = await setting.tunnel(name)
        assert tunnel is not None
        setting.actions.open_page(name)
        page = setting.opened[-1].toString()
        assert page.removeprefix(tunnel.page_url) == ("vnc/" if name == "Desk" else "")


async def test_a_stopped_tunnel_has_no_page(setting: Setting, make_tunnel: MakeTunnel) -> None:
    setting.latest = EngineSnapshot(0.0, (make_tunnel("Lab"),))
    setting.actions.open_page("Lab")
    assert setting.opened == []
    assert "no page" in setting.said[0][0]


async def test_a_desktop_without_a_browser_is_said(
    setting: Setting, make_tunnel: MakeTunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", staticmethod(lambda url: False))
    setting.latest = EngineSnapshot(0.0, (make_tunnel("Lab", TunnelState.RUNNING),))
    setting.actions.open_page("Lab")
    assert "http://127.0.0.1:6080/" in setting.said[0][0]


@pytest.mark.parametrize(
    ("addresses", "copied"),
    [
        ({}, "ws://127.0.0.1:6080/"),
        ({"websocket_url": "", "listen": "unix:/run/x"}, "unix:/run/x"),
    ],
)
async def test_the_address_that_a_client_needs_is_copied(
    setting: Setting, make_tunnel: MakeTunnel, addresses: dict[str, str], copied: str
) -> None:
    setting.latest = EngineSnapshot(0.0, (make_tunnel("Lab", TunnelState.RUNNING, **addresses),))
    setting.actions.copy_address("Lab")
    assert QGuiApplication.clipboard().text() == copied


async def test_the_demo_moves_to_another_port_without_a_file(
    setting: Setting, folders: Paths, write_profile: WriteProfile
) -> None:
    from wsgui.profiles.builtin import demo_profile

    await setting.engine.call(lambda runtime: runtime.engine.configure(demo_profile()))
    other = free_port()
    setting.actions.use_port("Demo", other)
    await setting.done()
    demo = await setting.tunnel("Demo")
    assert demo is not None
    assert (demo.state, demo.listen) == (TunnelState.RUNNING, f"127.0.0.1:{other}")
    assert setting.said == []
