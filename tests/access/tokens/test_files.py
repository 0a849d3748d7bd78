"""Tokens in files that change while clients look them up."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import until
from wsgui.access.tokens.files import TokenFiles
from wsgui.access.tokens.source import LookupFailed
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import TcpAddress

OFFICE = TcpAddress("office", 5901)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text("a: office:5901\n")
    return path


def replace(path: Path, text: str) -> None:
    """Replace a file as programs do that take care."""
    new = path.with_name(".new")
    new.write_text(text)
    os.replace(new, path)


async def test_a_token_leads_where_its_line_says(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    assert await tokens.look_up("a") == OFFICE
    assert await tokens.look_up("b") is None


@pytest.mark.parametrize("token", ["", "../x?y#z", "a\0", "x" * 10_000, "ключ", "\udcff", "%2e%2e", "a: office:5901"])
async def test_a_hostile_token_leads_nowhere(file: Path, token: str) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    assert await tokens.look_up(token) is None


async def test_a_line_that_is_added_counts_at_the_next_look_up(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    replace(file, "a: office:5901\nb: home:5902\n")
    assert await tokens.look_up("b") == TcpAddress("home", 5902)


async def test_a_token_that_is_removed_lets_nobody_in_and_ends_its_sessions(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    replace(file, "b: home:5902\n")
    assert await tokens.look_up("a") is None
    assert not await tokens.still_leads("a", OFFICE)
    assert await tokens.still_leads("b", TcpAddress("home", 5902))


async def test_a_token_that_leads_elsewhere_now_ends_its_sessions(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    replace(file, "a: home:5902\n")

    async def ended() -> bool:
        return not await tokens.still_leads("a", OFFICE)

    await until("the session's end", ended)


async def test_a_file_that_is_missing_for_a_moment_ends_no_session_and_no_look_up(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    moved = file.rename(file.with_name("moved"))
    assert await tokens.still_leads("a", OFFICE)
    looking = asyncio.create_task(tokens.look_up("a"))
    await asyncio.sleep(0)
    assert not looking.done()
    moved.rename(file)
    assert await looking == OFFICE
    assert await tokens.still_leads("a", OFFICE)


async def test_a_file_that_is_deleted_lets_nobody_in_and_ends_its_sessions(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    file.unlink()
    with pytest.raises(LookupFailed) as caught:
        await tokens.look_up("a")
    assert caught.value.status == 502
    assert not await tokens.still_leads("a", OFFICE)


async def test_a_file_that_cannot_be_read_any_more_lets_nobody_in_and_ends_no_session(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(LookupFailed):
        await tokens.look_up("a")
    assert await tokens.still_leads("a", OFFICE)
    assert not await tokens.still_leads("b", OFFICE)


@pytest.mark.parametrize("content", [None, "", "# a: office:1\n", "nonsense\n", b"\xff\xfea\0:\0 \0"])
async def test_a_tunnel_does_not_start_without_tokens(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "tokens"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(WsguiError) as caught:
        await TokenFiles(str(path)).open()
    assert caught.value.field == "tokens.source"


async def test_a_tunnel_does_not_start_with_an_empty_folder_or_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(WsguiError):
            await TokenFiles(str(path)).open()


async def test_websockify_s_file_may_be_written_later(tmp_path: Path) -> None:
    tokens = TokenFiles(str(tmp_path / "tokens"), lenient=True)
    await tokens.open()
    with pytest.raises(LookupFailed):
        await tokens.look_up("a")
    (tmp_path / "tokens").write_text("a: office:5901\n")
    assert await tokens.look_up("a") == OFFICE


@pytest.mark.parametrize("lenient", [False, True])
async def test_a_file_that_is_read_once_stays_as_it_was(file: Path, lenient: bool) -> None:
    tokens = TokenFiles(str(file), once=True, lenient=lenient)
    await tokens.open()
    assert await tokens.look_up("a") == OFFICE
    replace(file, "b: office:5902\n")
    assert await tokens.look_up("b") is None
    file.unlink()
    assert await tokens.look_up("a") == OFFICE


async def test_websockify_s_file_that_is_read_once_may_be_written_before_the_first_look_up(tmp_path: Path) -> None:
    tokens = TokenFiles(str(tmp_path / "tokens"), once=True, lenient=True)
    await tokens.open()
    (tmp_path / "tokens").write_text("a: office:5901\n")
    assert await tokens.look_up("a") == OFFICE


async def test_many_look_ups_at_once_share_their_looks(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    looks = 0
    look = tokens._table.look

    def counted() -> object:
        nonlocal looks
        looks += 1
        return look()

    monkeypatch.setattr(tokens._table, "look", counted)
    assert set(await asyncio.gather(*(tokens.look_up("a") for _ in range(500)))) == {OFFICE}
    assert looks <= 3


async def test_a_cancelled_look_up_leaves_the_others_alone(file: Path) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    for turns in range(100):
        cancelled = asyncio.create_task(tokens.look_up("a"))
        for _ in range(turns % 5):
            await asyncio.sleep(0)
        cancelled.cancel()
        assert await tokens.look_up("a") == OFFICE


@pytest.fixture
def writer(file: Path) -> Iterator[threading.Event]:
    """A program that replaces the file again and again, with one token that stays and many that change."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.wait(0.001):
            number += 1
            others = "".join(f"other{number}-{i}: other:1\n" for i in range(number % 300))
            replace(file, f"{others}a: office:5901\n")

    thread = threading.Thread(target=write)
    thread.start()
    yield stop
    stop.set()
    thread.join()


async def test_a_file_that_is_replaced_all_the_time_always_says_what_it_says_each_time(
    file: Path, writer: threading.Event
) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    for _ in range(500):
        assert await tokens.look_up("a") == OFFICE
        assert await tokens.still_leads("a", OFFICE)
    writer.set()
    assert await tokens.look_up("b") is None


async def test_an_unknown_token_is_told_so_even_while_the_file_changes_all_the_time(
    file: Path, writer: threading.Event
) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()
    async with asyncio.timeout(20):
        assert await tokens.look_up("b") is None


async def test_a_removed_token_ends_its_sessions_even_while_the_file_changes_all_the_time(
    file: Path, writer: threading.Event
) -> None:
    tokens = TokenFiles(str(file))
    await tokens.open()

    async def ended() -> bool:
        return not await tokens.still_leads("b", OFFICE)

    await until("the session's end", ended)
    assert await tokens.still_leads("a", OFFICE)
