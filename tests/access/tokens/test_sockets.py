"""Tokens as names of unix sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsgui.access.keyed import token_label
from wsgui.access.tokens.sockets import SocketFolder
from wsgui.access.tokens.source import LookupFailed
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import UnixAddress


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder `vms` with a socket `a` and one below, and a neighbour `vms-secret` with one."""
    held = []
    cwd = os.getcwd()
    os.chdir(tmp_path)  # a socket's whole path may be too long
    try:
        for path in ("vms/a", "vms/below/b", "vms-secret/c", "d"):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].bind(path)
            held[-1].listen()
    finally:
        os.chdir(cwd)
    yield tmp_path
    for each in held:
        each.close()


async def test_a_token_leads_to_the_socket_of_its_name(place: Path) -> None:
    sockets = SocketFolder(str(place / "vms"))
    await sockets.open()
    assert await sockets.look_up("a") == UnixAddress(str(place / "vms" / "a"))
    assert await sockets.look_up("b") is None
    assert await sockets.still_leads("a", UnixAddress(str(place / "vms" / "a")))


HOSTILE = [
    "",
    ".",
    "..",
    "../d",
    "../vms-secret/c",
    "../vms/../d",
    "/etc/passwd",
    "below",
    "below/../../d",
    "a/",
    "a\0",
    "x" * 10_000,
    "%2e%2e/d",
    "\ud800",
    "file",
    "fifo",
]


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("token", HOSTILE)
async def test_a_hostile_token_leads_nowhere(place: Path, token: str, lenient: bool) -> None:
    (place / "vms" / "file").write_text("x")
    os.mkfifo(place / "vms" / "fifo")
    found = await SocketFolder(str(place / "vms"), lenient=lenient).look_up(token)
    assert found is None or (lenient and token == "a/" and found == UnixAddress(str(place / "vms" / "a")))


@pytest.mark.parametrize("token", ["out", "within", "below/b", "./a", "below/../a"])
async def test_a_profile_s_token_is_a_bare_name_of_no_link(place: Path, token: str) -> None:
    (place / "vms" / "out").symlink_to("../d")
    (place / "vms" / "within").symlink_to("a")
    assert await SocketFolder(str(place / "vms")).look_up(token) is None
    assert await SocketFolder(str(place / "vms"), lenient=True).look_up(token) is not None


async def test_a_path_that_no_socket_address_can_hold_is_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    cwd = os.getcwd()
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(folder)
        try:
            bound.bind("a")
        finally:
            os.chdir(cwd)
        with pytest.raises(LookupFailed):
            await SocketFolder(str(folder)).look_up("a")


async def test_a_tunnel_does_not_start_without_the_folder_and_does_with_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("missing", "file"):
        with pytest.raises(WsguiError) as caught:
            await SocketFolder(str(tmp_path / name)).open()
        assert caught.value.field == "tokens.source"
        await SocketFolder(str(tmp_path / name), lenient=True).open()
    (tmp_path / "empty").mkdir()
    await SocketFolder(str(tmp_path / "empty")).open()


async def test_a_folder_that_is_gone_is_a_failure(place: Path) -> None:
    sockets = SocketFolder(str(place / "vms"))
    (place / "vms").rename(place / "moved")
    with pytest.raises(LookupFailed):
        await sockets.look_up("a")


async def test_a_profile_s_logs_show_no_token(place: Path) -> None:
    folder = str(place / "vms")
    strict, lenient = SocketFolder(folder), SocketFolder(folder, lenient=True)
    found = await strict.look_up("a")
    assert str(found) == f"unix:{folder}/({token_label('a')})"
    assert hash(found) == hash(UnixAddress(f"{folder}/a"))
    assert str(await lenient.look_up("a")) == f"unix:{folder}/a"
