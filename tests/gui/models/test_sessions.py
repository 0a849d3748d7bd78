"""The last session of a tunnel, as snapshots passed by."""

from __future__ import annotations

from tests.gui import samples
from wsgui.gui.models.sessions import LastSessions


def test_the_last_session_is_what_the_tunnel_was_when_it_last_ran() -> None:
    sessions = LastSessions()
    sessions.update(samples.engine(samples.busy(), time=samples.NOW))
    assert sessions.last("Office desktop") is None
    sessions.update(samples.engine(samples.stopped("Office desktop"), time=samples.NOW + 60))
    last = sessions.last("Office desktop")
    assert last is not None
    assert (last.served, last.transferred_bytes, last.ended) == (5, 8_700_000_000, samples.NOW)


def test_a_tunnel_that_never_ran_has_none() -> None:
    sessions = LastSessions()
    sessions.update(samples.engine(samples.stopped()))
    assert sessions.last("Staging SPICE") is None


def test_a_removed_tunnels_session_is_forgotten() -> None:
    sessions = LastSessions()
    sessions.update(samples.engine(samples.busy()))
    sessions.update(samples.engine(samples.stopped("Office desktop")))
    sessions.update(samples.engine())
    assert sessions.last("Office desktop") is None
