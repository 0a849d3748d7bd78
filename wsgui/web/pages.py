"""The short answers wsgui itself gives to people and programs that ask over HTTP."""

from __future__ import annotations

from wsgui.web.response import Response


def information_page(*, head: bool = False) -> Response:
    """Return the page for a GET on a tunnel without a web root."""
    raise NotImplementedError


def refusal(status: int, message: str, hint: str = "", *, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Return a short text answer: one sentence what is wrong, one what to do."""
    raise NotImplementedError
