"""A symbol for each step of a session's bytes, as websockify's --traffic prints them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LEGEND: Final = """
Traffic Legend:
    }  - Client receive
    }. - Client receive partial
    {  - Target receive

    >  - Target send
    >. - Target send partial
    <  - Client send
    <. - Client send partial
"""
"""Printed for each session, before its first symbol."""


class TrafficSymbols:
    """Prints what happens in one session.

    `}` came from the client, `{` from the target; `>` went to the target and `<` to the client, the last of it behind
    `.>` or `<.` when the kernel did not take all at once. A read that brought only part of a frame's head is `}.`.

    Args:
        put: Takes text to be printed without a line break behind it, and returns at once.
    """

    def __init__(self, put: Callable[[str], None]) -> None:
        self._put = put
        put(LEGEND)

    def from_client(self, data: memoryview, *, whole: bool) -> None:
        if not data:
            self._put("}.")
        else:
            self._put("}>" if whole else "}.>")

    def from_target(self, data: memoryview, *, whole: bool) -> None:
        self._put("{<" if whole else "{<.")

    def drained(self, *, to_client: bool) -> None:
        self._put("<" if to_client else ">")

    def close(self) -> None:
        """Nothing is printed when a session ends."""
