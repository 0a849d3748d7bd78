"""Who may connect, beside websockify 0.13."""

from __future__ import annotations

import base64
import time
from pathlib import Path

from tests.integration.websockify.client import Reply, ask, knock, works
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.sides import Seen, Side
from tests.integration.websockify.test_requests import UPGRADE

LINE = ("127.0.0.1:PORT", "127.0.0.1:TARGET")


def basic(credentials: str, encoding: str = "latin-1") -> str:
    return f"Basic {base64.b64encode(credentials.encode(encoding)).decode()}"


async def asked(side: Side, path: str = "/", **fields: str) -> tuple[int, str]:
    """Status and challenge of an upgrade."""
    reply: Reply = await ask(side, path, **(UPGRADE | fields))
    return reply.status, reply["www-authenticate"]


async def test_basic(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        given = {
            "right": basic("anna:pässword:with colons"),
            "wrong": basic("anna:wrong"),
            "another user": basic("berta:pässword:with colons"),
            "in UTF-8": basic("anna:pässword:with colons", "utf-8"),
            "no colon": basic("anna"),
            "no base64": "Basic !!!",
            "another scheme": "Bearer x",
            "in small letters": basic("anna:pässword:with colons").replace("Basic", "basic"),
        }
        seen: Seen = {name: await knock(side, authorization=value) for name, value in given.items()}
        seen["the challenge"] = await asked(side)
        seen["a plain GET"] = (await ask(side)).status
        return seen

    line = (*LINE, "--auth-plugin=BasicHTTPAuth", "--auth-source=anna:pässword:with colons")
    await compare(line, script, words={"TARGET": str(echo)})


async def test_guessing(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        times = []
        for _ in range(4):
            began = time.monotonic()
            await knock(side, source="127.0.0.1", authorization=basic("anna:wrong"))
            times.append(time.monotonic() - began)
        return {
            "the fourth wrong one waits": times[-1] > 0.9,
            "a right one": await knock(side, source="127.0.0.1", authorization=basic("anna:secret")),
        }

    line = (*LINE, "--auth-plugin=BasicHTTPAuth", "--auth-source=anna:secret")
    await compare(line, script, words={"TARGET": str(echo)})


async def test_origins(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        origins = ("https://a.example", "http://b.example:8080", "https://b.example", "null", "HTTPS://A.example")
        seen: Seen = {origin: await knock(side, origin=origin) for origin in origins}
        seen["none"] = await knock(side)
        return seen

    line = (*LINE, "--auth-plugin=ExpectOrigin", "--auth-source=https://a.example http://b.example:8080")
    await compare(line, script, words={"TARGET": str(echo)})


async def test_no_origin_at_all(compare: Compare, echo: int) -> None:
    async def script(side: Side) -> Seen:
        return {"a page": await knock(side, origin="https://a.example"), "a program": await knock(side)}

    await compare((*LINE, "--auth-plugin=ExpectOrigin"), script, words={"TARGET": str(echo)})


async def test_files_too(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "web").mkdir()
        (folder / "web" / "page").write_text("text")

    right = basic("anna:secret")

    async def script(side: Side) -> Seen:
        refused = await ask(side, "/page")
        return {
            "a file": (refused.status, refused["www-authenticate"]),
            "a file with HEAD": (await ask(side, "/page", "HEAD")).status,
            "a listing": (await ask(side, "/")).status,
            "with the password": (await ask(side, "/page", Authorization=right)).body,
            "a WebSocket": await knock(side),
            "a WebSocket with it": await knock(side, authorization=right),
        }

    line = (*LINE, "--web=web", "--web-auth", "--auth-plugin=BasicHTTPAuth", "--auth-source=anna:secret")
    await compare(line, script, prepare=prepare, words={"TARGET": str(echo)})


async def test_files_without_asking(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "web").mkdir()
        (folder / "web" / "page").write_text("text")

    async def script(side: Side) -> Seen:
        return {"a file": (await ask(side, "/page")).body, "a WebSocket": await knock(side)}

    line = (*LINE, "--web=web", "--auth-plugin=BasicHTTPAuth", "--auth-source=anna:secret")
    await compare(line, script, prepare=prepare, words={"TARGET": str(echo)})


PLUGIN = """
from websockify.auth_plugins import AuthenticationError, BasePlugin, BasicHTTPAuth

class Doors(BasePlugin):
    def authenticate(self, headers, target_host, target_port):
        door = headers.get("X-Door")
        if door == "boom":
            raise ValueError(door)
        if door == "redirect":
            raise AuthenticationError(response_code=302, response_headers={"Location": "https://sso.example/"},
                                      response_msg="Found")
        if door != f"{self.source} {target_host} {target_port}":
            raise AuthenticationError(log_msg="wrong door", response_code=403, response_headers={"X-Why": "door"})

class Users(BasicHTTPAuth):
    def validate_creds(self, username, password):
        return username == password[::-1]
"""


async def test_a_plugin_of_the_working_directory(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "doors.py").write_text(PLUGIN)
        (folder / "tokens").write_text(f"node: 127.0.0.1:{echo}\n")

    async def script(side: Side) -> Seen:
        wrong = await ask(side, "/?token=node", **UPGRADE)
        redirect = await ask(side, "/?token=node", **(UPGRADE | {"X_Door": "redirect"}))
        return {
            "right": await works(side, "/?token=node", x_door=f"key 127.0.0.1 {echo}"),
            "wrong": (wrong.status, wrong["x-why"]),
            "a redirect": (redirect.status, redirect["location"]),
            "it raises": await knock(side, "/?token=node", x_door="boom"),
            "an unknown token is asked about first": await knock(side, "/?token=none", x_door="redirect"),
        }

    line = ("127.0.0.1:PORT", "--target-config=tokens", "--auth-plugin=doors.Doors", "--auth-source=key")
    await compare(line, script, prepare=prepare)


async def test_a_subclass_of_basic(compare: Compare, echo: int) -> None:
    def prepare(folder: Path) -> None:
        (folder / "doors.py").write_text(PLUGIN)

    async def script(side: Side) -> Seen:
        return {
            "right": await asked(side, Authorization=basic("anna:anna"[::-1])),
            "wrong": await asked(side, Authorization=basic("anna:berta")),
            "none": await asked(side),
        }

    await compare((*LINE, "--auth-plugin=doors.Users"), script, prepare=prepare, words={"TARGET": str(echo)})
