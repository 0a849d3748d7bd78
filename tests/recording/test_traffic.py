"""The symbols of --traffic: a step each, as websockify prints them."""

from __future__ import annotations

from websockify.websocketproxy import ProxyRequestHandler

from wsgui.recording.tap import Tap
from wsgui.recording.traffic import LEGEND, TrafficSymbols

DATA = memoryview(b"data")


def symbols(printed: list[str]) -> str:
    return "".join(printed).removeprefix(LEGEND)


def test_the_legend_comes_first_and_is_websockifys() -> None:
    printed: list[str] = []
    TrafficSymbols(printed.append)
    assert printed == [ProxyRequestHandler.traffic_legend]


def test_what_goes_through_at_once_is_received_and_sent() -> None:
    printed: list[str] = []
    tap: Tap = TrafficSymbols(printed.append)
    tap.from_target(DATA, whole=True)
    tap.from_client(DATA, whole=True)
    tap.close()
    assert symbols(printed) == "{<}>"


def test_what_the_kernel_does_not_take_at_once_is_partial_until_it_has_gone() -> None:
    printed: list[str] = []
    tap = TrafficSymbols(printed.append)
    tap.from_target(DATA, whole=False)
    tap.drained(to_client=True)
    tap.from_client(DATA, whole=False)
    tap.drained(to_client=False)
    assert symbols(printed) == "{<.<}.>>"


def test_a_read_without_payload_is_a_partial_frame() -> None:
    printed: list[str] = []
    TrafficSymbols(printed.append).from_client(memoryview(b""), whole=True)
    assert symbols(printed) == "}."
