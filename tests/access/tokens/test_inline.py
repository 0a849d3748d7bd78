"""Tokens that the profile lists itself."""

from __future__ import annotations

from typing import ClassVar

import pytest

from wsgui.access.admission import Admission
from wsgui.access.tokens.inline import InlineFirst, InlineTargets
from wsgui.access.visitor import TargetAddress, Visitor
from wsgui.errors import FieldError
from wsgui.profiles.access import TokenTarget
from wsgui.profiles.addresses import TcpAddress, UnixAddress

OFFICE = TcpAddress("office", 5901)
HOME = TcpAddress("home", 5902)


class Outside:
    """A source that knows `a` and `z`, and remembers what it was asked."""

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = 8

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.state = "new"

    async def open(self) -> None:
        self.state = "open"

    async def look_up(self, token: str) -> TargetAddress | None:
        self.asked.append(token)
        return {"a": HOME, "z": HOME}.get(token)

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        self.asked.append(token)
        return True

    async def close(self) -> None:
        self.state = "closed"


def inline(**targets: str) -> InlineTargets:
    return InlineTargets({token: TokenTarget.model_validate(target) for token, target in targets.items()})


async def test_a_listed_token_leads_to_its_target() -> None:
    tokens = inline(a="office:5901", b="unix:/run/x")
    assert await tokens.look_up("a") == OFFICE
    assert await tokens.look_up("b") == UnixAddress("/run/x")


@pytest.mark.parametrize("token", ["", "A", "a ", "a\0", "\udcff", "a" * 10_000, "../a", "%61"])
async def test_no_other_token_leads_anywhere(token: str) -> None:
    assert await inline(a="office:5901").look_up(token) is None


async def test_a_token_still_leads_where_it_is_listed_for() -> None:
    tokens = inline(a="office:5901")
    assert await tokens.still_leads("a", OFFICE)
    assert not await tokens.still_leads("a", HOME)
    assert not await tokens.still_leads("b", OFFICE)


def test_no_token_is_kept_as_it_is() -> None:
    tokens = inline(hunter2="office:5901")
    assert "hunter2" not in repr(vars(tokens))


@pytest.mark.parametrize("target", ["wss://gate/ssh", "listen:5500"])
def test_a_target_that_tokens_cannot_lead_to_is_refused_without_naming_the_token(target: str) -> None:
    with pytest.raises(FieldError) as caught:
        inline(hunter2=target)
    assert "hunter2" not in f"{caught.value} {caught.value.field}"


def test_a_token_that_would_never_be_looked_up_is_refused() -> None:
    with pytest.raises(FieldError):
        inline(**{"": "office:5901"})
    with pytest.raises(FieldError):
        inline(**{"x" * 513: "office:5901"})


async def test_the_profile_s_own_tokens_come_before_those_of_a_source() -> None:
    outside = Outside()
    tokens = InlineFirst(inline(a="office:5901"), outside)
    assert await tokens.look_up("a") == OFFICE
    assert outside.asked == []
    assert await tokens.look_up("z") == HOME
    assert await tokens.look_up("x") is None


async def test_a_source_is_not_asked_for_a_longer_token_than_it_takes() -> None:
    outside = Outside()
    assert await InlineFirst(inline(a="office:5901"), outside).look_up("z" * 9) is None
    assert outside.asked == []


async def test_whoever_leads_there_now_says_whether_a_token_still_holds() -> None:
    outside = Outside()
    tokens = InlineFirst(inline(a="office:5901"), outside)
    assert not await tokens.still_leads("a", HOME)
    assert outside.asked == []
    assert await tokens.still_leads("z", HOME)
    assert outside.asked == ["z"]


def test_the_list_of_allowed_destinations_concerns_the_source_s_tokens_only() -> None:
    tokens = InlineFirst(inline(a="office:5901"), Outside())
    assert tokens.holds("a")
    assert not tokens.holds("z")


async def test_only_the_source_s_tokens_are_admitted_as_from_outside() -> None:
    admission = Admission((), InlineFirst(inline(a="office:5901"), Outside()), deadline_seconds=5)
    await admission.open()
    permits = [await admission.admit(Visitor("127.0.0.1", f"/?token={token}", {})) for token in "az"]
    assert [(permit.target, permit.from_outside) for permit in permits] == [(OFFICE, False), (HOME, True)]
    await admission.close()


async def test_the_source_is_opened_and_closed_with_it() -> None:
    outside = Outside()
    tokens = InlineFirst(inline(a="office:5901"), outside)
    await tokens.open()
    assert outside.state == "open"
    await tokens.close()
    assert outside.state == "closed"
