"""Certificates that renew themselves: when it is looked, what is said, and that a failure is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.issuer import REFERENCE, VARIABLE, Issuer
from tests.support.waiting import until
from wsgui.app import renewal
from wsgui.app.certificates import Certificates, Renewal
from wsgui.app.paths import Paths
from wsgui.app.renewal import AutomaticRenewal, Renewable
from wsgui.app.runtime import Runtime
from wsgui.engine.events import CertificateEvent, Event, EventHub
from wsgui.errors import SecretError

END = datetime(2027, 1, 31, tzinfo=UTC)
LOCKED = SecretError("The keyring is locked.", "Unlock it.")


class Scripted:
    """What is due, as a test says; and when it was asked for."""

    def __init__(self, *answers: Sequence[Renewal] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[datetime] = []

    def renew_due(self, now: datetime) -> Sequence[Renewal]:
        self.asked.append(now)
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    """A wall and a monotonic clock that a test sets."""

    def __init__(self, wall: float = 0.0) -> None:
        self.wall_seconds = wall
        self.monotonic_seconds = 1000.0

    def wall(self) -> float:
        return self.wall_seconds

    def monotonic(self) -> float:
        return self.monotonic_seconds

    def advance(self, seconds: float) -> None:
        self.wall_seconds += seconds
        self.monotonic_seconds += seconds


class Told:
    def __init__(self) -> None:
        self.hub = EventHub()
        self._events: list[Event] = []
        self.hub.subscribe(lambda events, _: self._events.extend(events))

    @property
    def events(self) -> list[CertificateEvent]:
        self.hub.flush()
        return [event for event in self._events if isinstance(event, CertificateEvent)]


def renewal_of(certificates: Renewable, told: Told, clock: Clock) -> AutomaticRenewal:
    return AutomaticRenewal(certificates, told.hub, wall=clock.wall, monotonic=clock.monotonic)


def days_before(days: float) -> float:
    return END.timestamp() - days * 86400


async def test_what_is_due_is_renewed_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer, told = Issuer(tmp_path / "vault", monkeypatch), Told()
    issuer.vault.save_authority(issuer.authority, issuer.key, REFERENCE)
    now = datetime.now(UTC)
    due = issuer.make("due.lan", now=now - timedelta(days=375))
    kept = issuer.make("kept.lan", now=now - timedelta(days=300))
    certificates = Certificates(Paths.beneath(tmp_path), tuple, stores=(), vault=issuer.vault)
    await AutomaticRenewal(certificates, told.hub).check()
    (event,) = told.events
    end = issuer.vault.read("due.lan").description.not_after
    assert (event.certificate, event.happened, event.not_after) == ("due.lan", "renewed", end.timestamp())
    assert event.tunnel == ""
    assert f"{end.astimezone():%Y-%m-%d}" in event.message
    assert end > due.description.not_after
    assert issuer.vault.read("due.lan").asked == due.asked
    assert issuer.vault.read("kept.lan") == kept
    await AutomaticRenewal(certificates, told.hub).check()
    assert len(told.events) == 1


async def test_a_failure_is_said_with_its_reason_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, told = Issuer(tmp_path / "vault", monkeypatch), Told()
    issuer.vault.save_authority(issuer.authority, issuer.key, REFERENCE)
    due = issuer.make("due.lan", now=datetime.now(UTC) - timedelta(days=375))
    monkeypatch.delenv(VARIABLE)
    certificates = Certificates(Paths.beneath(tmp_path), tuple, stores=(), vault=issuer.vault)
    await AutomaticRenewal(certificates, told.hub).check()
    (event,) = told.events
    assert (event.certificate, event.happened) == ("due.lan", "not-renewed")
    assert event.not_after == due.description.not_after.timestamp()
    assert VARIABLE in event.message
    assert event.hint.endswith("It is tried again every hour.")
    assert issuer.vault.read("due.lan") == due


async def test_a_failure_is_tried_again_and_said_again_only_when_it_is_another_or_the_end_is_nearer() -> None:
    failed = (Renewal("due.lan", END, problem=LOCKED),)
    other = (Renewal("due.lan", END, problem=SecretError("There is no keyring.")),)
    certificates, told, clock = Scripted(failed, failed, other, other, other, other), Told(), Clock(days_before(30))
    renewals = renewal_of(certificates, told, clock)
    counts = []
    for days in (30, 29, 28, 20, 13, 12):
        clock.wall_seconds = days_before(days)
        await renewals.check()
        counts.append(len(told.events))
    assert counts == [1, 1, 2, 2, 3, 3]
    assert len(certificates.asked) == 6


async def test_what_keeps_all_from_being_renewed_is_said_once_until_it_is_over() -> None:
    certificates, told = Scripted(LOCKED, LOCKED, (), LOCKED), Told()
    renewals = renewal_of(certificates, told, Clock())
    for _ in range(4):
        await renewals.check()
    assert [event.message for event in told.events] == ["No certificate could be renewed: The keyring is locked."] * 2


async def test_a_disk_that_fails_does_not_end_the_looking() -> None:
    certificates, told = Scripted(OSError(5, "Input/output error"), (), OSError(5, "Input/output error")), Told()
    renewals = renewal_of(certificates, told, Clock())
    for _ in range(3):
        await renewals.check()
    assert [event.happened for event in told.events] == ["not-renewed"] * 2
    assert "Input/output error" in told.events[0].message


async def running_for(renewals: AutomaticRenewal, certificates: Scripted, clock: Clock) -> asyncio.Task[None]:
    task = asyncio.create_task(renewals.run())
    await until("it was looked at the start", lambda: len(certificates.asked) == 1)
    return task


async def test_it_is_looked_at_the_start_and_every_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "WAKE_SECONDS", 0.0)
    certificates, clock = Scripted(), Clock()
    task = await running_for(renewal_of(certificates, Told(), clock), certificates, clock)
    clock.advance(3599)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(certificates.asked) == 1
    clock.advance(1)
    await until("it was looked again", lambda: len(certificates.asked) == 2)
    task.cancel()


@pytest.mark.parametrize("jump", [86400.0, -86400.0])
async def test_it_is_looked_when_the_clock_has_jumped(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "WAKE_SECONDS", 0.0)
    certificates, clock = Scripted(), Clock(1e9)
    task = await running_for(renewal_of(certificates, Told(), clock), certificates, clock)
    clock.wall_seconds += jump
    await until("it was looked again", lambda: len(certificates.asked) == 2)
    assert certificates.asked[1].timestamp() == 1e9 + jump
    task.cancel()


@pytest.mark.parametrize("role", ["headless", "window"])
async def test_window_and_headless_renew_by_themselves(
    role: str, folders: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, told = Issuer(folders.certificates, monkeypatch), Told()
    issuer.vault.save_authority(issuer.authority, issuer.key, REFERENCE)
    issuer.make("due.lan", now=datetime.now(UTC) - timedelta(days=375))
    runtime = Runtime(folders, name="x", role=role)  # type: ignore[arg-type]
    runtime.engine.events.subscribe(lambda events, _: told._events.extend(events))
    async with runtime:
        await until("it is renewed", lambda: [event.happened for event in told.events] == ["renewed"])
