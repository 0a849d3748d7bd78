"""Token and authentication classes as third parties write them for websockify, where that is not installed."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path

import pytest

from tests.integration.conftest import Process, RunWsgui, WriteProfile
from tests.support.arrivals import Refused, arriving, outcome, target
from tests.support.houses import basic
from tests.support.waiting import until

INVENTORY = '''
import sys
import time

from websockify.token_plugins import BasePlugin


class Inventory(BasePlugin):
    """Looks machines up in an inventory, which takes its time."""

    def __init__(self, src):
        super().__init__(src)
        self.machines = dict(line.split("=") for line in open(src).read().split())

    def lookup(self, token):
        time.sleep(0.3)
        if token not in self.machines:
            return None
        host, port = self.machines[token].split(":")
        return host, port


class Home(BasePlugin):
    """Tells whose modules these are."""

    def lookup(self, token):
        sys.stderr.write("modules of " + sys.modules["websockify.token_plugins"].__name__ + "\\n")
        return None
'''

DIRECTORY = '''
import time

from websockify.auth_plugins import AuthenticationError, BasePlugin, BasicHTTPAuth


class Directory(BasicHTTPAuth):
    """Asks a directory for people."""

    def validate_creds(self, username, password):
        time.sleep(0.2)
        return self.src == username + "/" + password


class Portal(BasePlugin):
    """Sends people to where they log in."""

    def authenticate(self, headers, target_host, target_port):
        if "session=good" not in (headers.get("Cookie") or ""):
            raise AuthenticationError(
                log_msg="nobody", response_code=302, response_msg="Log in first.",
                response_headers={"Location": "https://login.lab/?to=%s:%s" % (target_host, target_port)},
            )
'''

WITHOUT_WEBSOCKIFY = """
import importlib.machinery
import sys


class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] == "websockify" else super().find_spec(name, path, target)


sys.meta_path[:] = [Finder if each is importlib.machinery.PathFinder else each for each in sys.meta_path]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the plugins lie, and what keeps websockify from being found."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    for name, text in (("inventory", INVENTORY), ("directory", DIRECTORY), ("sitecustomize", WITHOUT_WEBSOCKIFY)):
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
        (folder / f"{name}.py").chmod(0o644)
    return folder


async def check(url: str) -> None:
    """Both classes decide, many at once, and neither holds up the others."""
    right = {"authorization": basic("anna", "one")}
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await asyncio.gather(*(outcome(url, "/?token=vm1", **right) for _ in range(12))) == ["vm1"] * 12
    assert loop.time() - begun < 12 * 0.5, "one after the other"
    assert await outcome(url, "/?token=vm2", **right) == 404
    with pytest.raises(Refused) as caught:
        async with arriving(url, "/?token=vm1", authorization=basic("anna", "two")):
            pass
    assert caught.value.answer.status == 401
    assert caught.value.answer.fields["www-authenticate"].startswith("Basic ")


async def test_in_a_profile(run_wsgui: RunWsgui, write_profile: WriteProfile, folder: Path, tmp_path: Path) -> None:
    async with target("vm1") as address:
        (tmp_path / "machines").write_text(f"vm1={address}\n")
        write_profile(
            "lab",
            'listen = "127.0.0.1:0"\n'
            f'[tokens]\nsource = "plugin:inventory.Inventory"\nargument = "{tmp_path}/machines"\n'
            '[access]\nplugin = "directory.Directory"\nplugin_argument = "anna/one"\n',
        )
        write_profile(
            "portal",
            f'listen = "127.0.0.1:0"\ntarget = "{address}"\n[access]\nplugin = "directory.Portal"\n',
        )
        write_profile("home", 'listen = "127.0.0.1:0"\n[tokens]\nsource = "plugin:inventory.Home"\n')
        names = ("lab", "portal", "home")
        process: Process = await run_wsgui(
            *(word for name in names for word in ("--profile", name)), env={"PYTHONPATH": str(folder)}
        )
        await check(await process.address("lab"))
        portal = await process.address("portal")
        with pytest.raises(Refused) as caught:
            async with arriving(portal):
                pass
        assert caught.value.answer.status == 302
        assert caught.value.answer.fields["location"] == f"https://login.lab/?to={address}"
        assert b"Log in first." in caught.value.answer.body
        assert await outcome(portal, cookie="session=good") == "vm1"
        assert await outcome(await process.address("home"), "/?token=x") == 404
        await process.logged("modules of wsgui.access.websockify_modules.token_plugins")


async def test_on_websockify_s_line(run_wsgui: RunWsgui, folder: Path, tmp_path: Path, free_port: int) -> None:
    async with target("vm1") as address:
        (tmp_path / "machines").write_text(f"vm1={address}\n")
        process: Process = await run_wsgui(
            *("websockify", "--token-plugin", "inventory.Inventory", "--token-source", f"{tmp_path}/machines"),
            *("--auth-plugin", "directory.Directory", "--auth-source", "anna/one", f"127.0.0.1:{free_port}"),
            env={"PYTHONPATH": str(folder)},
        )
        url = f"ws://127.0.0.1:{free_port}/"

        async def listens() -> bool:
            try:
                return await outcome(url, "/?token=vm2") == 404
            except ConnectionRefusedError:
                return False

        await until("websockify's line", listens)
        await check(url)
        assert process.process.returncode is None
