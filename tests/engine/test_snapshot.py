"""What other threads and processes may know: frozen values that hold nothing of the engine."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from typing import Any

import pytest

from tests.support.engines import NAME, running
from tests.support.raw import RawClient, client_frame
from wsgui.engine import snapshot as module
from wsgui.engine.snapshot import EngineSnapshot, Reach, ReasonKind, TunnelSnapshot, TunnelState


async def busy() -> EngineSnapshot:
    """A snapshot with all there can be in it: a session, a refusal, bytes."""
    async with running() as tunnel:
        async with await RawClient.connect(tunnel.url) as refused:
            refused.send(refused.head(origin="https://evil.example"))
            await refused.answer()
        async with await RawClient.connect(tunnel.url) as client:
            await client.upgrade()
            client.send(client_frame(2, b"x"))
            await client.frame()
            return tunnel.engine.snapshot()


def values(value: Any) -> list[Any]:
    """All that can be reached from a value."""
    if dataclasses.is_dataclass(value):
        return [value, *(v for field in dataclasses.fields(value) for v in values(getattr(value, field.name)))]
    if isinstance(value, tuple):
        return [value, *(v for entry in value for v in values(entry))]
    return [value]


async def test_nothing_in_it_leads_into_the_engine() -> None:
    plain = (str, int, float, bool, tuple, type(None))
    for value in values(await busy()):
        assert type(value).__module__ == module.__name__ or isinstance(value, plain), value


async def test_it_holds_what_there_was_and_stays_so() -> None:
    snapshot = await busy()
    (tunnel,) = snapshot.tunnels
    assert (tunnel.name, tunnel.state, tunnel.served, tunnel.refused) == (NAME, TunnelState.RUNNING, 1, 1)
    assert len(tunnel.connections) == 1
    assert tunnel.refusal is not None
    assert len(tunnel.sparkline) == 48


async def test_it_is_found_by_name() -> None:
    snapshot = await busy()
    assert snapshot.tunnel(NAME) is snapshot.tunnels[0]
    assert snapshot.tunnel("none") is None


async def test_it_goes_through_json() -> None:
    snapshot = await busy()
    again = json.loads(json.dumps(dataclasses.asdict(snapshot), allow_nan=False))
    assert again["tunnels"][0]["state"] == "running"
    assert again["tunnels"][0]["reach"] == "this-computer"
    assert again["tunnels"][0]["refusal"]["rule"] == "origin"
    assert again["tunnels"][0]["connections"][0]["id"] == 1


@pytest.mark.parametrize("copied", [lambda v: pickle.loads(pickle.dumps(v)), copy.deepcopy], ids=["pickle", "copy"])
async def test_it_goes_to_another_process(copied: Any) -> None:
    snapshot = await busy()
    assert copied(snapshot) == snapshot
    assert hash(copied(snapshot)) == hash(snapshot)


@pytest.mark.parametrize(
    "kind", [value for value in vars(module).values() if isinstance(value, type) and dataclasses.is_dataclass(value)]
)
def test_every_value_is_frozen_and_small(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)


def test_the_words_for_programs_are_stable() -> None:
    assert [state.value for state in TunnelState] == [
        "stopped",
        "starting",
        "running",
        "waiting",
        "finishing",
        "failed",
    ]
    assert [reach.value for reach in Reach] == ["this-computer", "network", "socket-file"]
    assert all(kind.value == kind.value.lower() for kind in ReasonKind)


def test_every_figure_says_its_unit_or_what_it_counts() -> None:
    for field in dataclasses.fields(TunnelSnapshot):
        if field.type == "float" or field.type == "float | None":
            assert field.name.endswith(("_rate", "_seconds", "since")), field.name
