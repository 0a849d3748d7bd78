"""The main job from the tray: a click switches the tunnel on, and a browser shows the real VNC desktop behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.browser import chromium
from tests.support.novnc import make_web_root
from tests.support.viewer import use_desktop
from tests.support.vnc import vnc_desktop

if TYPE_CHECKING:
    from tests.gui.conftest import Desktop, Launch
    from wsgui.app.paths import Paths

FIRST_TUNNEL = 1
"""Its line in the tray's menu."""


async def test_a_tunnel_switched_on_in_the_tray_shows_the_desktop(
    desktop: Desktop, launch: Launch, folders: Paths, tmp_path: Path
) -> None:
    root = make_web_root(tmp_path / "root")
    with vnc_desktop(tmp_path / "vnc") as vnc:
        (folders.profiles / "office.toml").write_text(
            f'name = "Office"\nlisten = "127.0.0.1:0"\ntarget = "127.0.0.1:{vnc.port}"\nautostart = false\n'
            f'[web]\nroot = "{root}"\n'
        )
        application = launch(desktop)
        application.wait_until("the window", application.window)
        assert application.tunnel("Office")["state"] == "stopped"

        application.choose(FIRST_TUNNEL)
        application.wait_until("the tunnel running", lambda: application.tunnel("Office")["state"] == "running")
        async with chromium() as context:
            await use_desktop(context, application.tunnel("Office")["page_url"], vnc)
            seen = application.wait_until("its connection", lambda: application.tunnel("Office")["connections"])
            assert [connection["protocol"] for connection in seen] == ["VNC (RFB 3.8)"]
            desktop.screenshot("connected")

        application.choose(FIRST_TUNNEL)
        application.wait_until("the tunnel stopped", lambda: application.tunnel("Office")["state"] == "stopped")
