"""The web server on the same port, beside websockify 0.13."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import urljoin

from tests.integration.websockify.client import Reply, ask, read_reply, request, works
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Seen, Side
from tests.support.programs import need

LINE = ("127.0.0.1:PORT", "127.0.0.1:TARGET", "--web", "web")


def fill(folder: Path) -> None:
    web = folder / "web"
    (web / "with index").mkdir(parents=True)
    (web / "with index" / "index.html").write_text("<p>index")
    (web / "list").mkdir()
    (web / "list" / "a<b>&.txt").write_text("escaped")
    (web / "page.html").write_text("<p>page")
    (web / "core.js").write_text("export {}")
    (web / "app.wasm").write_bytes(b"\0asm")
    (web / "style.css").write_text("p {}")
    (web / "data.bin").write_bytes(bytes(range(256)) * 1000)
    (web / ".hidden").write_text("hidden")
    (folder / "outside.txt").write_text("outside")
    (web / "link.txt").symlink_to(folder / "outside.txt")


def kind(reply: Reply) -> str:
    return reply["content-type"].partition(";")[0]


async def test_files(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {}
        for path in ("/page.html", "/core.js", "/app.wasm", "/style.css", "/page.html?x=y", "/with%20index/"):
            reply = await ask(side, path)
            seen[path] = reply.status, kind(reply), reply["content-length"], reply.body
        for path in (
            "/none",
            "/none/",
            "/page.html/",
            "/.hidden",
            "/link.txt",
            "/../outside.txt",
            "/%2e%2e/outside.txt",
        ):
            reply = await ask(side, path)
            seen[path] = reply.status, reply.body if reply.status == 200 else b""
        data = await ask(side, "/data.bin")
        seen["a large one"] = data.status, data.body == bytes(range(256)) * 1000
        head = await ask(side, "/page.html", "HEAD")
        seen["HEAD"] = head.status, kind(head), head["content-length"], head.body
        seen["the encoding of text"] = head["content-type"].partition(";")[2].strip()
        seen["HEAD of nothing"] = (await ask(side, "/none", "HEAD")).status
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            seen[method] = (await ask(side, "/page.html", method)).status
        modified = (await ask(side, "/page.html"))["last-modified"]
        seen["Last-Modified"] = bool(modified)
        seen["not modified since"] = (await ask(side, "/page.html", If_Modified_Since=modified)).status
        part = await ask(side, "/data.bin", Range="bytes=0-3")
        seen["a range"] = part.status, len(part.body)
        moved = await ask(side, "/list")
        seen["a folder without its slash"] = moved.status, moved["location"]
        moved = await ask(side, "/with%20index?x=y")
        seen["and a query"] = moved["location"]
        moved = await ask(side, "//list")
        seen["two slashes"] = moved["location"]
        seen["a WebSocket"] = await works(side, "/page.html")
        return seen

    await compare(LINE, script, prepare=fill, words={"TARGET": str(echo)})


async def test_listing(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        top, below = await ask(side, "/"), await ask(side, "/list/")
        return {
            "status": (top.status, below.status),
            "type": kind(top),
            "links": sorted(urljoin("/", link) for link in re.findall(r'href="([^"?#]+)"', top.body.decode())),
            "a name is escaped": (b"a&lt;b&gt;&amp;.txt" in below.body, b"a<b>" in below.body),
        }

    await compare(LINE, script, prepare=fill, words={"TARGET": str(echo)})


async def test_file_only(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        paths = ("/", "/list/", "/with%20index/", "/page.html")
        return {path: (await ask(side, path)).status for path in paths}

    await compare((*LINE, "--file-only"), script, prepare=fill, words={"TARGET": str(echo)})


async def test_several_requests_on_a_connection(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        seen: Seen = {}
        for paths in (("/page.html", "/core.js"), ("/page.html", "/none")):
            async with side.client() as client:
                statuses = []
                for path in paths:
                    client.send(request("GET", path))
                    statuses.append((await read_reply(client)).status)
                client.send(client.head())
                seen[" ".join(paths)] = *statuses, (await read_reply(client)).status
        return seen

    await compare(LINE, script, prepare=fill, words={"TARGET": str(echo)})


async def test_curl(compare: Compare, echo: int) -> None:
    need("curl")

    async def script(side: Side) -> Seen:
        asked = "%{http_code} %{size_download} %{num_redirects} %{content_type}\\n"
        seen: Seen = {}
        for path in ("/page.html", "/list", "/none"):
            process = await asyncio.create_subprocess_exec(
                *("curl", "-sL", "-o", "/dev/null", "-w", asked, "--max-time", "20", side.url + path),
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
            code, size, redirects, kind = out.decode().split(" ", 3)
            seen[path] = code, redirects, kind.split(";")[0].strip(), size if path == "/page.html" else ""
        return seen

    await compare(LINE, script, prepare=fill, words={"TARGET": str(echo)})
