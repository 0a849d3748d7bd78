"""Whom changed settings disconnect is foreseen before they are applied, and it comes so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.arrivals import arriving, target
from tests.support.engines import NAME, Running, running
from tests.support.houses import House, basic
from tests.support.waiting import until
from wsgui.gui.models.disconnects import Disconnects, disconnects
from wsgui.profiles.model import Profile


@pytest.fixture
async def desk() -> AsyncIterator[str]:
    async with target("desk") as address:
        yield address


def profile(**fields: Any) -> Profile:
    return Profile.model_validate({"name": NAME, "listen": "127.0.0.1:0"} | fields)


def under_review(tunnel: Running) -> bool:
    bridge = tunnel.engine._tunnel(NAME).bridge
    assert bridge is not None
    review = bridge.permissions._reviewing
    return review is not None and not review.done()


@pytest.mark.parametrize(
    ("now", "foreseen", "left"),
    [
        ("no password", Disconnects(), 2),
        ("same list elsewhere", Disconnects(possible=2), 2),
        ("another password", Disconnects(possible=2), 1),
        ("certificates", Disconnects(certain=2), 0),
        ("tokens", Disconnects(certain=2), 0),
    ],
)
async def test_users_stay_unless_something_else_is_asked_or_their_password_is_gone(
    now: str, foreseen: Disconnects, left: int, tmp_path: Path, desk: str
) -> None:
    house = House(tmp_path)
    other = tmp_path / "other"
    other.write_text(house.users.read_text() if now == "same list elsewhere" else "anna:one\n")
    other.chmod(0o600)
    sections: dict[str, dict[str, Any]] = {
        "no password": {"target": desk},
        "same list elsewhere": {"target": desk, "access": {"basic": f"file:{other}"}},
        "another password": {"target": desk, "access": {"basic": f"file:{other}"}},
        "certificates": {"target": desk, "tls": house.tls | {"client_authority": str(house.authority.path)}},
        "tokens": {"targets": {"anna": desk}},
    }
    before = profile(target=desk, access={"basic": f"file:{house.users}"})
    after = profile(**sections[now])
    async with running(target=desk, access={"basic": f"file:{house.users}"}) as tunnel, AsyncExitStack() as stack:
        for user, password in (("anna", "one"), ("ben", "two")):
            await stack.enter_async_context(arriving(tunnel, authorization=basic(user, password)))
        assert disconnects(before, after, tunnel.now.connections) == foreseen
        await tunnel.engine.configure(after)
        await until("their permissions looked at", lambda: not under_review(tunnel))
        await until("those who must go gone", lambda: len(tunnel.now.connections) <= left)
        assert len(tunnel.now.connections) == left
