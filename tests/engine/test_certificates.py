"""When the end of a certificate is told, and what a snapshot says of a port's certificates."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from wsgui.certificates.port import PortContexts, Shown
from wsgui.engine.certificates import EndNotices, certificate_snapshot

NOW = 1_800_000_000.0
DAY = 86400.0


def shown(label: str = "a.lan", **more: Any) -> Shown:
    fields = {"fingerprint": label, "not_after": NOW + 100 * DAY} | more
    return Shown(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), label, **fields)


def due(notices: EndNotices, left_days: float, *, renewal_may_come: bool = False, **more: Any) -> int | None:
    return notices.due(shown(not_after=NOW + left_days * DAY, **more), NOW, renewal_may_come=renewal_may_come)


@pytest.mark.parametrize(
    ("left", "told"), [(15, None), (14.1, None), (14, 14), (8, 14), (7, 7), (1.1, 7), (1, 1), (0.1, 1), (0, 0), (-9, 0)]
)
def test_the_nearest_stage_is_told(left: float, told: int | None) -> None:
    assert due(EndNotices(), left) == told


def test_each_stage_is_told_once_as_the_end_comes_nearer() -> None:
    notices = EndNotices()
    assert [due(notices, left) for left in (20, 14, 13, 7, 6, 2, 1, 0.5, 0, -1)] == [
        *(None, 14, None, 7, None, None, 1, None, 0, None)
    ]


def test_a_clock_that_is_set_back_tells_nothing_twice() -> None:
    notices = EndNotices()
    assert [due(notices, left) for left in (1, 9, 1, 0, 1)] == [1, None, None, 0, None]


def test_another_certificate_is_told_of_by_itself() -> None:
    notices = EndNotices()
    assert due(notices, 5) == 7
    assert due(notices, 5, fingerprint="another") == 7


def test_of_one_that_is_renewed_by_itself_only_the_end_is_told_and_not_while_it_may_be_renewed() -> None:
    notices = EndNotices()
    assert due(notices, 5, renews=True) is None
    assert due(notices, -5, renews=True, renewal_may_come=True) is None
    assert due(notices, -5, renews=True) == 0


def test_one_that_does_not_count_yet_is_told_of_once() -> None:
    notices = EndNotices()
    early = shown(not_before=NOW + 60)
    assert notices.is_early(early, NOW)
    assert not notices.is_early(early, NOW)
    assert not EndNotices().is_early(early, NOW + 60)


def test_a_snapshot_tells_of_the_one_that_ends_first() -> None:
    port = PortContexts([shown("a", not_after=9.0), shown("b\u202e", not_after=5.0, names=("b.lan",), managed=True)])
    told = certificate_snapshot(port)
    assert told is not None
    assert (told.name, told.names, told.not_after, told.managed, told.renews) == (
        *("b\\u202e", ("b.lan",), 5.0),
        *(True, False),
    )


def test_what_cannot_be_read_has_no_end_to_tell() -> None:
    assert certificate_snapshot(PortContexts([shown(not_after=float("inf"))])) is None
    assert certificate_snapshot(None) is None
    assert due(EndNotices(), float("inf")) is None
