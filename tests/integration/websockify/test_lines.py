"""Command lines: what is said at the start, where it listens, and which lines are wrong, beside websockify 0.13."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.websockify.client import ask, works
from tests.integration.websockify.conftest import Compare
from tests.integration.websockify.differences import check
from tests.integration.websockify.sides import PROGRAMS, STARTED, Prepare, Seen, Side, free_port
from tests.support.certificates import Certificate

AT_START = {
    "short": ("PORT", "localhost:5900"),
    "a colon": (":PORT", "localhost:5900"),
    "an address": ("127.0.0.1:PORT", "localhost:5900"),
    "brackets": ("[::1]:PORT", "[::1]:5900"),
    "prefer ipv6": ("-6", "localhost:PORT", "localhost:5900"),
    "an empty target": ("127.0.0.1:PORT", ":5900"),
    "web": ("--web", "web", "127.0.0.1:PORT", "localhost:5900"),
    "web between": ("127.0.0.1:PORT", "--web=web", "localhost:5900", "--file-only"),
    "a certificate": ("127.0.0.1:PORT", "localhost:5900", "--cert=only.pem", "--key=only.key"),
    "encrypted only": ("127.0.0.1:PORT", "localhost:5900", "--cert", "only.pem", "--key", "only.key", "--ssl-only"),
    "no certificate": ("127.0.0.1:PORT", "localhost:5900", "--cert", "none.pem"),
    "a recording": ("127.0.0.1:PORT", "localhost:5900", "--record", "recording"),
    "tokens": (":PORT", "--token-plugin", "TokenFile", "--token-source", "tokens"),
    "tokens by the whole name": ("PORT", "--token-plugin=websockify.token_plugins.TokenFile", "--token-source=tokens"),
    "target-config": ("--target-config=tokens", "PORT"),
    "unix target": ("--unix-target", "/run/target", "127.0.0.1:PORT"),
    "unix listen": ("--unix-listen", "HERE/socket", "localhost:5900"),
    "unix listen and a mode": ("--unix-listen=HERE/socket", "--unix-listen-mode", "660", "localhost:5900"),
    "encrypted target": ("127.0.0.1:PORT", "localhost:5900", "--ssl-target"),
    "shortened options": ("127.0.0.1:PORT", "localhost:5900", "--verb", "--heart=30", "--run", "--time", "100"),
}


@pytest.mark.parametrize("line", AT_START.values(), ids=AT_START.keys())
async def test_start(compare: Compare, with_certificate: Prepare, line: tuple[str, ...]) -> None:
    def prepare(folder: Path) -> None:
        with_certificate(folder)
        (folder / "self.pem").unlink()
        (folder / "web").mkdir()
        (folder / "tokens").write_text("a: localhost:5900\n")

    async def script(side: Side) -> Seen:
        seen: Seen = {"said": side.lines, "listens at": _addresses(side)}
        if (side.here / "socket").exists():
            seen["mode"] = oct(stat.S_IMODE(os.stat(side.here / "socket").st_mode))
        return seen

    await compare(line, script, prepare=prepare)


def _addresses(side: Side) -> list[str]:
    """The addresses at which its port takes connections."""
    found = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as sock:
            if sock.connect_ex((host, side.port)) == 0:
                found.append(host)
    return found


WRONG: Sequence[tuple[str, ...]] = (
    (),
    ("PORT",),
    ("PORT", "localhost"),
    ("PORT", "localhost:vnc"),
    ("web", "localhost:5900"),
    ("localhost:web", "localhost:5900"),
    ("PORT", "localhost:5900", "more"),
    ("PORT", "localhost:5900", "--token-source=x"),
    ("PORT", "localhost:5900", "--host-token"),
    ("PORT", "localhost:5900", "--auth-source=x"),
    ("PORT", "localhost:5900", "--web-auth", "--web=."),
    ("PORT", "localhost:5900", "--web-auth", "--auth-plugin=BasicHTTPAuth"),
    ("PORT", "localhost:5900", "--legacy-syslog"),
    ("PORT", "localhost:5900", "--syslog=localhost:syslog"),
    ("PORT", "localhost:5900", "--ssl-only"),
    ("PORT", "localhost:5900", "--ssl-only", "--cert=none.pem"),
    ("PORT", "localhost:5900", "--ssl-version=tlsv1"),
    ("PORT", "localhost:5900", "--wrap-mode=sometimes"),
    ("PORT", "localhost:5900", "--timeout=soon"),
    ("PORT", "localhost:5900", "--idle-timeout"),
    ("PORT", "localhost:5900", "--heartbeat", "1.5"),
    ("PORT", "localhost:5900", "--nonsense"),
    ("PORT", "localhost:5900", "--ssl"),
    ("--unix-listen=HERE/s", "--unix-listen-mode=rw", "localhost:5900"),
    ("--unix-listen=HERE/s",),
    ("--unix-target=HERE/s", "PORT", "localhost:5900"),
    ("--token-plugin=TokenFile", "--token-source=x", "PORT", "localhost:5900"),
)
BAD_AT_START: Sequence[tuple[str, ...]] = (
    ("70000", "localhost:5900"),
    ("256.1.1.1:PORT", "localhost:5900"),
    ("PORT", "localhost:5900", "--web=none"),
    ("PORT", "--token-plugin=Nonsense"),
    ("PORT", "--token-plugin=no_such_module.Class"),
    ("PORT", "--token-plugin=TokenFileName", "--token-source=none"),
    ("PORT", "localhost:5900", "--auth-plugin=Nonsense"),
    ("PORT", "localhost:5900", "--auth-plugin=no_such_module.Class"),
    ("PORT", "localhost:5900", "--log-file=none/log"),
    ("--unix-listen=none/s", "localhost:5900"),
    ("--inetd", "localhost:5900"),
)


async def test_wrong_lines(tmp_path: Path) -> None:
    """Each ends at once with exit code 2, a message on stderr and nothing on stdout."""
    theirs, ours = await _outcomes(tmp_path, WRONG)
    check("wrong_lines", theirs, ours)
    assert set(ours.values()) == {(2, "stderr")}


async def test_lines_that_cannot_start(tmp_path: Path) -> None:
    check("lines_that_cannot_start", *await _outcomes(tmp_path, BAD_AT_START))


async def test_help(tmp_path: Path) -> None:
    check("help", *await _outcomes(tmp_path, (("--help",), ("-h",), ("PORT", "--help"))))


async def _outcomes(tmp_path: Path, lines: Sequence[tuple[str, ...]]) -> tuple[Seen, Seen]:
    """Exit code and the streams that were written to, for each side and line."""
    places = asyncio.Semaphore(4)

    async def of(name: str, line: tuple[str, ...], number: int) -> object:
        async with places:
            side = Side(name, tmp_path / f"{name}{number}")
            await side.start(line)
            try:
                await side.until("anything", lambda: STARTED.encode() in side.err or side.over)
                if not side.over:
                    return "listens"
                code = await side.ended()
            finally:
                await side.kill()
            streams = [stream for stream, text in (("stdout", side.out), ("stderr", side.err)) if text]
            return code, " ".join(streams)

    async def side_of(name: str) -> Seen:
        results = await asyncio.gather(*(of(name, line, number) for number, line in enumerate(lines)))
        return {" ".join(line): result for line, result in zip(lines, results, strict=True)}

    theirs, ours = await asyncio.gather(*(side_of(name) for name in PROGRAMS))
    return theirs, ours


async def test_a_port_that_is_taken(compare: Compare) -> None:
    async def script(side: Side) -> Seen:
        code = await side.ended()
        first_words = {"theirs": 5, "ours": 6}[side.name]
        return {"exit code": code, "says that it is taken": " ".join(side.lines[-1].split(" ")[:first_words])}

    with socket.create_server(("127.0.0.1", free_port())) as taken:
        words = {"TAKEN": str(taken.getsockname()[1])}
        await compare(("127.0.0.1:TAKEN", "localhost:5900"), script, words=words, listens=False)


async def test_options_anywhere(compare: Compare, echo: int, with_certificate: Prepare) -> None:
    async def script(side: Side) -> Seen:
        return {"echo": await works(side), "files": (await ask(side, "/page")).body}

    def prepare(folder: Path) -> None:
        with_certificate(folder)
        (folder / "web").mkdir()
        (folder / "web" / "page").write_text("text")

    line = ("-v", "127.0.0.1:PORT", "--web", "web", f"127.0.0.1:{echo}", "--heartbeat=30", "--traffic")
    await compare(line, script, prepare=prepare)


async def test_the_working_directory_s_certificate(
    compare: Compare, certificate: Certificate, with_certificate: Prepare, echo: int
) -> None:
    async def script(side: Side) -> Seen:
        return {
            "TLS": await works(side, tls=certificate.client_context()),
            "plain": await works(side),
            "said": re.findall(r"  - .*", "\n".join(side.lines)),
        }

    await compare(("127.0.0.1:PORT", "127.0.0.1:TARGET"), script, prepare=with_certificate, words={"TARGET": str(echo)})
