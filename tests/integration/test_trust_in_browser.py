"""A real browser, with all its checks: it refuses a certificate of ours, accepts it once told to, and refuses again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Error

from tests.integration.conftest import RunWsgui, StartEcho
from tests.support.authorities import sign_leaf
from tests.support.browser import Console, chromium, open_socket
from tests.support.engines import running
from tests.support.pages import page_server
from tests.support.programs import need
from wsgui.certificates.vault import Vault

ADDRESSES = ("localhost", "127.0.0.1", "[::1]")
UNKNOWN = "net::ERR_CERT_AUTHORITY_INVALID"

CARRY = """([address, text]) => new Promise((done, failed) => {
  const socket = new WebSocket(address, ["binary"]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(new TextEncoder().encode(text));
  socket.onmessage = event => { done(new TextDecoder().decode(event.data)); socket.onclose = null; socket.close(); };
  socket.onclose = event => failed(`closed ${event.code}`);
})"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def environment(environment: dict[str, str], home: Path) -> dict[str, str]:
    """A user of their own: its NSS database is not the machine's."""
    kept = {name: value for name, value in environment.items() if not name.startswith("XDG_")}
    return kept | {"HOME": str(home)}


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    file = tmp_path / "passphrase"
    file.touch(mode=0o600)
    file.write_text("correct horse battery staple, once more")
    return f"file:{file}"


async def certificate(run_wsgui: RunWsgui, *arguments: str) -> None:
    """Run `wsgui certificate ARGUMENTS`, which has to succeed."""
    process = await run_wsgui("certificate", *arguments)
    assert await process.ended() == 0, (process.out, process.err)


async def opened(context: BrowserContext, url: str) -> str:
    """Open a page: its title, or what the browser has against it."""
    page = await context.new_page()
    try:
        await page.goto(url)
        return await page.title()
    except Error as error:
        return error.message.split(" at ")[0].removeprefix("Page.goto: ")
    finally:
        await page.close()


async def test_it_refuses_before_trust_connects_after_by_name_and_by_address_and_refuses_again(
    run_wsgui: RunWsgui, start_echo: StartEcho, home: Path, tmp_path: Path, passphrase: str
) -> None:
    need("certutil")
    await certificate(run_wsgui, "create", "localhost", "127.0.0.1", "::1", "--passphrase", passphrase)
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "index.html").write_text("<!doctype html><title>Lab</title>")
    echo = await start_echo(b"echo: ")
    profile = tmp_path / "lab.toml"
    lines = ['name = "Lab"', 'listen = "*:0"', f'target = "127.0.0.1:{echo.port}"']
    lines += ["[tls]", 'certificate = "localhost"', "[web]", f"root = {json.dumps(str(pages))}"]
    profile.write_text("\n".join(lines) + "\n")
    process = await run_wsgui("--profile", str(profile))
    port = (await process.printed(r"^Lab: https://\S+:(\d+)/"))[1]

    async def refuses() -> None:
        async with page_server() as plain, chromium(home=home) as context:
            for address in ADDRESSES:
                assert await opened(context, f"https://{address}:{port}/") == UNKNOWN
            page = await context.new_page()
            await page.goto(f"http://127.0.0.1:{plain}/")
            console = Console(page)
            for address in ADDRESSES:
                assert await open_socket(page, f"wss://{address}:{port}/") == "closed 1006"
                assert UNKNOWN in console.lines[-1]

    await refuses()

    await certificate(run_wsgui, "trust", "--store", "chrome")
    async with chromium(home=home) as context:
        for address in ADDRESSES:
            page = await context.new_page()
            await page.goto(f"https://{address}:{port}/")
            assert await page.title() == "Lab"
            assert await page.evaluate(CARRY, [f"wss://{address}:{port}/", f"by {address}"]) == f"echo: by {address}"

    await certificate(run_wsgui, "untrust", "--store", "chrome")
    await refuses()


async def test_trust_in_our_authority_lets_nobody_be_example_com(
    run_wsgui: RunWsgui, environment: dict[str, str], home: Path, tmp_path: Path, passphrase: str
) -> None:
    """Who has stolen the intermediate's key can still not sign for the world."""
    need("certutil")
    await certificate(run_wsgui, "create", "localhost", "--passphrase", passphrase)
    await certificate(run_wsgui, "trust", "--store", "chrome")
    vault = Vault(Path(environment["WSGUI_DATA_DIR"]) / "certificates")
    [stored] = vault.authorities()
    key = vault.signing_key(stored.authority.id)

    def tls(name: str) -> dict[str, str]:
        file = tmp_path / f"{name}.pem"
        file.write_bytes(sign_leaf(stored.authority.intermediate, key, name))
        return {"certificate_file": str(file)}

    for name, said in (("localhost", "wsgui"), ("example.com", "net::ERR_CERT_INVALID")):
        access = {"hosts": [name]}
        async with running(tls=tls(name), access=access, web={"root": "demo"}) as tunnel:
            port = tunnel.url.rstrip("/").rpartition(":")[2]
            async with chromium(home=home, resolve=[f"MAP {name} 127.0.0.1"]) as context:
                assert await opened(context, f"https://{name}:{port}/") == said
