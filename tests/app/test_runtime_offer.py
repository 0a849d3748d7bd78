"""What another process gets when it asks a tunnel to offer its authority's certificate."""

from __future__ import annotations

import asyncio
import hashlib
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from wsgui.app.certificates import Certificates
from wsgui.app.control import ControlClient
from wsgui.app.paths import Paths
from wsgui.app.runtime import Runtime
from wsgui.errors import ControlError
from wsgui.profiles.model import Profile


@pytest.fixture
def certificates(folders: Paths, tmp_path: Path) -> Certificates:
    """Two authorities: of `lab.example`, and then of `office.example`."""
    (tmp_path / "passphrase").write_text("correct horse battery staple")
    (tmp_path / "passphrase").chmod(0o600)
    made = Certificates(folders, tuple, stores=())
    for name in ("lab.example", "office.example"):
        made.create((name,), passphrase=f"file:{tmp_path / 'passphrase'}", new_authority=True)
    return made


@asynccontextmanager
async def headless(folders: Paths, certificates: Certificates | None = None, **fields: Any) -> AsyncIterator[Runtime]:
    profile = Profile.model_validate({"name": "lab", "listen": "*:0", "target": "demo:"} | fields)
    vault = certificates.vault if certificates is not None else None
    async with Runtime(folders, name="test", role="headless", profiles=(profile,), vault=vault) as runtime:
        await runtime.start("lab")
        yield runtime


async def ask(folders: Paths, **values: Any) -> Any:
    def talk() -> Any:
        (path,) = folders.runtime.glob("*.sock")
        with ControlClient(path, timeout_seconds=20) as client:
            return client.request("offer-authority", **values)

    return await asyncio.to_thread(talk)


def fingerprint(certificates: Certificates, name: str) -> str:
    identity = certificates.row(name).managed.authority
    return hashlib.sha256(certificates.export_authority(form="der", identity=identity)).hexdigest().upper()


@pytest.mark.parametrize("name", ["lab.example", "office.example"])
async def test_a_tunnel_offers_the_authority_that_signed_its_certificate(
    folders: Paths, certificates: Certificates, name: str
) -> None:
    async with headless(folders, certificates, tls={"certificate": [name]}) as runtime:
        answer = await ask(folders, name="LAB")
        assert answer["fingerprint"].replace(":", "") == fingerprint(certificates, name)
        tunnel = runtime.engine.snapshot().tunnel("lab")
        assert tunnel is not None
        page = f"http://127.0.0.1:{urlsplit(tunnel.page_url).port}{urlsplit(answer['urls'][0]).path}"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(page, timeout=20).read().decode())
        assert answer["fingerprint"][:23] in text


async def test_a_tunnel_without_a_certificate_of_one_offers_the_newest(
    folders: Paths, certificates: Certificates
) -> None:
    async with headless(folders, certificates):
        answer = await ask(folders, name="lab")
        assert answer["fingerprint"].replace(":", "") == fingerprint(certificates, "office.example")


async def test_without_an_authority_it_is_said_how_to_make_one(folders: Paths) -> None:
    async with headless(folders):
        with pytest.raises(ControlError, match="no authority"):
            await ask(folders, name="lab")


async def test_a_tunnel_on_loopback_says_what_to_do(folders: Paths, certificates: Certificates) -> None:
    async with headless(folders, certificates, listen="127.0.0.1:0"):
        with pytest.raises(ControlError, match="Open it to your network first"):
            await ask(folders, name="lab")


async def test_a_tunnel_that_is_not_there_is_named(folders: Paths, certificates: Certificates) -> None:
    async with headless(folders, certificates):
        with pytest.raises(ControlError, match='no tunnel called "office"'):
            await ask(folders, name="office")
