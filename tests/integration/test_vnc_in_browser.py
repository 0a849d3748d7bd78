"""The main job, headless: a page that the tunnel itself serves shows a real VNC desktop in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.conftest import RunWsgui
from tests.support.browser import chromium
from tests.support.certificates import make_certificate
from tests.support.novnc import make_web_root
from tests.support.viewer import use_desktop
from tests.support.vnc import vnc_desktop


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_tunnel_s_own_page_shows_the_desktop_and_carries_keys(
    run_wsgui: RunWsgui, tmp_path: Path, scheme: str
) -> None:
    root = make_web_root(tmp_path / "root")
    lines = ['name = "Desktop"', 'listen = "127.0.0.1:0"']
    with vnc_desktop(tmp_path / "vnc") as desktop:
        lines.append(f'target = "127.0.0.1:{desktop.port}"')
        if scheme == "https":
            certificate = make_certificate(tmp_path)
            lines += ["[tls]", f"certificate_file = {json.dumps(str(certificate.certificate))}"]
            lines += [f"key_file = {json.dumps(str(certificate.key))}"]
        lines += ["[web]", f"root = {json.dumps(str(root))}"]
        profile = tmp_path / "desktop.toml"
        profile.write_text("\n".join(lines) + "\n")

        process = await run_wsgui("--profile", str(profile))
        url = (await process.printed(rf"^Desktop: ({scheme}://\S+)"))[1]
        async with chromium(ignore_https_errors=scheme == "https") as context:
            await use_desktop(context, url, desktop)
        await process.logged(rf"connection 1 of 127\.0\.0\.1:\d+ from a page of {scheme}://127\.0\.0\.1:\d+ → ")
