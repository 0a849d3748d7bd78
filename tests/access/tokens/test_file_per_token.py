"""Tokens as names of files."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from wsgui.access.tokens.file_per_token import FilePerToken
from wsgui.access.tokens.source import LookupFailed
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import TcpAddress

OFFICE = TcpAddress("office", 5901)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_text("outside:1\n")
    folder = tmp_path / "tokens"
    folder.mkdir()
    (folder / "a").write_text("office:5901\n")
    (folder / ".hidden").write_text("office:5901\n")
    return folder


async def test_a_token_leads_where_its_file_says(folder: Path) -> None:
    tokens = FilePerToken(str(folder))
    await tokens.open()
    assert await tokens.look_up("a") == OFFICE
    assert await tokens.look_up("b") is None
    (folder / "a").write_text(" ::1:5902 ")
    assert await tokens.look_up("a") == TcpAddress("::1", 5902)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "../outside",
        "./a",
        "/etc/passwd",
        "a/",
        "a/../a",
        ".hidden",
        "a\0",
        "x" * 10_000,
        "%2e%2e/outside",
        "\udcff\ud800",
        "a\\b",
        "folder",
        "fifo",
        "device",
        "out",
        "absolute",
        "loop",
        "through",
        "up",
        "lost",
    ],
)
async def test_a_hostile_token_leads_nowhere(folder: Path, token: str) -> None:
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    (folder / "device").symlink_to("/dev/zero")
    (folder / "out").symlink_to("../outside")
    (folder / "absolute").symlink_to(folder.parent / "outside")
    (folder / "loop").symlink_to("loop")
    (folder / "parent").symlink_to("..")
    (folder / "through").symlink_to("parent/outside")
    (folder / "up").symlink_to(".")
    (folder / "lost").symlink_to("nowhere")
    tokens = FilePerToken(str(folder))
    await tokens.open()
    async with asyncio.timeout(10):
        assert await tokens.look_up(token) is None


async def test_links_within_the_folder_count_as_container_platforms_make_them(folder: Path) -> None:
    (folder / "..2024").mkdir()
    (folder / "..2024" / "b").write_text("office:5901")
    (folder / "..data").symlink_to("..2024")
    (folder / "b").symlink_to("..data/b")
    tokens = FilePerToken(str(folder))
    assert await tokens.look_up("b") == OFFICE
    assert await FilePerToken(str(folder), lenient=True).look_up("b") == OFFICE


async def test_a_link_that_is_swapped_all_the_time_never_leads_out(folder: Path) -> None:
    tokens = FilePerToken(str(folder))
    for number in range(300):
        link = folder / "new"
        link.symlink_to("a" if number % 2 else "../outside")
        os.replace(link, folder / "swapped")
        assert await tokens.look_up("swapped") in (None, OFFICE)


@pytest.mark.parametrize("content", ["nonsense", "unix:/run/x", "x" * 5000, "a:1\nb:2", "\0"])
async def test_a_file_without_an_address_is_a_failure_that_does_not_name_the_token(folder: Path, content: str) -> None:
    (folder / "hunter2").write_text(content)
    with pytest.raises(LookupFailed) as caught:
        await FilePerToken(str(folder)).look_up("hunter2")
    assert "hunter2" not in str(caught.value)


async def test_an_empty_file_may_be_about_to_be_written(folder: Path) -> None:
    (folder / "b").write_text("")
    looking = asyncio.create_task(FilePerToken(str(folder)).look_up("b"))
    await asyncio.sleep(0.05)
    (folder / "b").write_text("office:5901")
    assert await looking == OFFICE


async def test_a_removed_file_ends_its_sessions_and_a_mistake_in_it_does_not(folder: Path) -> None:
    tokens = FilePerToken(str(folder))
    assert await tokens.still_leads("a", OFFICE)
    (folder / "a").write_text("nonsense")
    assert await tokens.still_leads("a", OFFICE)
    (folder / "a").write_text("home:5901")
    assert not await tokens.still_leads("a", OFFICE)
    (folder / "a").unlink()
    assert not await tokens.still_leads("a", OFFICE)


async def test_a_file_that_is_missing_for_a_moment_ends_no_session(folder: Path) -> None:
    moved = (folder / "a").rename(folder / "moved")
    asking = asyncio.create_task(FilePerToken(str(folder)).still_leads("a", OFFICE))
    await asyncio.sleep(0.05)
    moved.rename(folder / "a")
    assert await asking


async def test_a_folder_that_is_gone_lets_nobody_in_and_ends_its_sessions(folder: Path) -> None:
    tokens = FilePerToken(str(folder))
    folder.rename(folder.parent / "moved")
    with pytest.raises(LookupFailed):
        await tokens.look_up("a")
    assert not await tokens.still_leads("a", OFFICE)


async def test_a_tunnel_does_not_start_without_a_folder_of_tokens(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("office:1")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden").write_text("office:1")
    for name in ("missing", "file", "empty"):
        with pytest.raises(WsguiError) as caught:
            await FilePerToken(str(tmp_path / name)).open()
        assert caught.value.field == "tokens.source"


async def test_websockify_takes_the_last_part_of_a_token_hidden_files_and_links_out(folder: Path) -> None:
    (folder / "out").symlink_to("../outside")
    tokens = FilePerToken(str(folder), lenient=True)
    await tokens.open()
    assert await tokens.look_up("../../x/a") == OFFICE
    assert await tokens.look_up(".hidden") == OFFICE
    assert await tokens.look_up("out") == TcpAddress("outside", 1)
    assert await tokens.look_up("..") is None
    assert await tokens.look_up("../outside") is None
