"""Threads for blocking code: bounded, and a call that hangs is nobody else's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from tests.support.waiting import until
from wsgui.access.threads import Threads


async def test_a_call_s_value_and_its_fault_arrive() -> None:
    threads = Threads("test", 2)
    assert await threads.run(int, "7", base=8) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        await threads.run(int, "x")


async def test_a_call_that_ends_the_program_does_not() -> None:
    with pytest.raises(RuntimeError, match="SystemExit in a thread"):
        await Threads("test", 1).run(sys.exit, 3)


async def test_calls_beyond_the_bound_wait_their_turn() -> None:
    threads = Threads("bounded", 3)
    gate = threading.Event()
    running = threading.Semaphore(0)

    def work(number: int) -> int:
        running.release()
        gate.wait()
        return number

    calls = [asyncio.ensure_future(threads.run(work, n)) for n in range(10)]
    for _ in range(3):
        await until("one runs", lambda: running.acquire(blocking=False))
    assert sum(thread.name == "bounded" for thread in threading.enumerate()) == 3
    gate.set()
    assert await asyncio.gather(*calls) == list(range(10))


async def test_a_call_given_up_before_it_began_does_not_begin() -> None:
    threads = Threads("test", 1)
    gate = threading.Event()
    began: list[int] = []
    first = asyncio.ensure_future(threads.run(gate.wait))
    second = asyncio.ensure_future(threads.run(began.append, 2))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    gate.set()
    await first
    await threads.run(began.append, 3)
    assert began == [3]


def test_a_call_that_hangs_does_not_keep_the_program() -> None:
    program = """
import asyncio, threading
from wsgui.access.threads import Threads

async def main():
    try:
        async with asyncio.timeout(0.1):
            await Threads("test", 1).run(threading.Event().wait)
    except TimeoutError:
        print("over")

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.stdout == "over\n"
    assert done.returncode == 0


def test_the_program_ends_in_order_while_passwords_are_checked() -> None:
    code = """
import asyncio, bcrypt, sys, time
from wsgui.access.threads import Threads
class Slow:  # as large programs are, which take a while to be taken down
    def __del__(self, sleep=time.sleep):
        sleep(0.5)
sys.slow = Slow()
threads, hashed = Threads("password", 2), bcrypt.hashpw(b"x", bcrypt.gensalt(10))
async def main():
    for _ in range(20):
        asyncio.ensure_future(threads.run(bcrypt.checkpw, b"y", hashed))
    await asyncio.sleep(0.01)
asyncio.run(main())
sys.exit(7)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (7, b"")
