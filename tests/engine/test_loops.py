"""The engine's loop: the fast one where it is installed, else the standard library's."""

from __future__ import annotations

import asyncio
import sys

import pytest

from wsgui.engine.loops import new_event_loop


@pytest.mark.skipif(sys.platform == "win32", reason="there it is winloop")
def test_it_is_uvloop_where_that_is_installed() -> None:
    loop = new_event_loop()
    assert type(loop).__module__.startswith("uvloop")
    loop.close()


def test_without_it_the_standard_library_s_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    monkeypatch.setitem(sys.modules, "winloop", None)
    loop = new_event_loop()
    assert isinstance(loop, asyncio.SelectorEventLoop)
    assert loop.run_until_complete(asyncio.sleep(0, "works")) == "works"
    loop.close()


def test_each_is_a_new_one() -> None:
    first, second = new_event_loop(), new_event_loop()
    assert first is not second
    first.close()
    assert not second.is_closed()
    second.close()
