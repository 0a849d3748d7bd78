"""Whose password is checked next, while somebody tries passwords."""

from __future__ import annotations

import asyncio

import pytest

from wsgui.access.turns import Turns


async def queue(turns: Turns, served: list[str], *visitors: tuple[str, str]) -> list[asyncio.Task[None]]:
    """Let each address and user ask for a turn, in this order; `served` gets the users as they have theirs."""

    async def visit(address: str, user: str) -> None:
        await turns.take(address, user)
        served.append(user)
        await asyncio.sleep(0)
        turns.give_back(address)

    tasks = [asyncio.ensure_future(visit(*visitor)) for visitor in visitors]
    await asyncio.sleep(0)
    return tasks


async def test_one_of_each_address_has_its_turn_and_no_more_than_so_many_at_once() -> None:
    turns = Turns(2)
    await turns.take("a", "one")
    second = asyncio.ensure_future(turns.take("a", "two"))
    third = asyncio.ensure_future(turns.take("b", "three"))
    fourth = asyncio.ensure_future(turns.take("c", "four"))
    await asyncio.wait_for(third, 5)
    assert not second.done()
    assert not fourth.done()
    turns.give_back("b")
    await asyncio.wait_for(fourth, 5)
    turns.give_back("a")
    await asyncio.wait_for(second, 5)


@pytest.mark.parametrize("address", ["same", "other"])
async def test_who_has_not_failed_does_not_stand_behind_those_who_have(address: str) -> None:
    turns, served = Turns(1), list[str]()
    for number in range(100):
        turns.note("same", f"guess {number}", right=False)
    await turns.take("gate", "gate")
    tasks = await queue(turns, served, *(("same", f"guess {n}") for n in range(50)), (address, "anna"))
    tasks += await queue(turns, served, *(("same", f"guess {n}") for n in range(50, 100)))
    turns.give_back("gate")
    await asyncio.gather(*tasks)
    assert served.index("anna") < 3


async def test_nobody_waits_for_ever_behind_those_who_come_later() -> None:
    turns, served = Turns(1), list[str]()
    turns.note("here", "anna", right=False)
    await turns.take("gate", "gate")
    tasks = await queue(turns, served, ("here", "anna"), *((f"new {n}", f"new {n}") for n in range(50)))
    turns.give_back("gate")
    await asyncio.gather(*tasks)
    assert served.index("anna") < 3


async def test_who_gives_up_holds_nobody_up() -> None:
    turns, served = Turns(1), list[str]()
    await turns.take("gate", "gate")
    gone = await queue(turns, served, ("a", "a"), ("b", "b"))
    stays = await queue(turns, served, ("c", "c"))
    gone[0].cancel()
    turns.give_back("gate")  # "b" has its turn, and is cancelled before it knows
    gone[1].cancel()
    await asyncio.gather(*gone, *stays, return_exceptions=True)
    assert served == ["c"]


async def test_a_right_password_makes_good_for_wrong_ones() -> None:
    turns, served = Turns(1), list[str]()
    for _ in range(5):
        turns.note("here", "anna", right=False)
    turns.note("here", "anna", right=True)
    turns.note("there", "bob", right=False)
    await turns.take("gate", "gate")
    tasks = await queue(turns, served, ("there", "bob"), ("here", "anna"))
    turns.give_back("gate")
    await asyncio.gather(*tasks)
    assert served == ["anna", "bob"]
