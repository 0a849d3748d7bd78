"""Numbers, durations and outside text as a person reads them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import Qt

from wsgui.gui import formatting


@pytest.fixture(autouse=True)
def _english() -> None:
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedStates))


def said(quantity: formatting.Quantity) -> str:
    return str(quantity).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.6, "1.0 kB"),
        (1000, "1.0 kB"),
        (12_400_000, "12.4 MB"),
        (99_940_000, "99.9 MB"),
        (99_960_000, "100 MB"),
        (999_600_000, "1.0 GB"),
        (8_700_000_000, "8.7 GB"),
        (5e18, "5,000 PB"),
        (-3, "0 B"),
    ],
)
def test_sizes_are_in_si_units(size_bytes: float, text: str) -> None:
    assert said(formatting.size(size_bytes)) == text


def test_rates_have_a_rates_unit() -> None:
    assert said(formatting.rate(12.4e6)) == "12.4 MB/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.00021, "0.21 ms"), (0.0021, "2.1 ms"), (0.143, "143 ms"), (0.9999, "1.0 s"), (2.5, "2.5 s")],
)
def test_round_trips_are_in_milliseconds_up_to_a_second(seconds: float | None, text: str) -> None:
    assert said(formatting.round_trip(seconds)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (3.9, "3 s"),
        (60, "1 min"),
        (840, "14 min"),
        (3725, "1 h 02 min"),
        (8040, "2 h 14 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert formatting.duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("client", "host", "port"),
    [
        ("127.0.0.1:50312", "this computer", "50312"),
        ("127.0.0.53:1", "this computer", "1"),
        ("[::1]:50312", "this computer", "50312"),
        ("[::ffff:127.0.0.1]:9", "this computer", "9"),
        ("unix", "this computer", ""),
        ("192.168.1.20:50312", "192.168.1.20", "50312"),
        ("[fe80::1]:443", "fe80::1", "443"),
    ],
)
def test_a_client_is_named_by_its_host(client: str, host: str, port: str) -> None:
    assert (formatting.host_of(client), formatting.port_of(client)) == (host, port)


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://vnc.lab", "https://vnc.lab"),
        ("https://bücher.example:8443", "https://xn--bcher-kva.example:8443"),
        ("https://аpple.com", "https://xn--pple-43d.com"),
        ("a\u202eb", "a\\u202eb"),
        ("", ""),
    ],
)
def test_an_origin_is_shown_so_that_it_can_be_compared_by_eye(origin: str, shown: str) -> None:
    assert formatting.safe_origin(origin) == shown


@pytest.mark.parametrize("text", ["<img src=file:///x><b>&%1", "plain", "a & b", "<qt>x</qt>"])
def test_a_tooltip_shows_its_text_literally(text: str) -> None:
    from PySide6.QtGui import QTextDocument

    document = QTextDocument()
    tip = formatting.plain_tooltip(text)
    assert Qt.mightBeRichText(tip)
    document.setHtml(tip)
    assert document.toPlainText() == text


def test_a_lone_ampersand_is_doubled() -> None:
    assert formatting.escaped_ampersand("R&D && more") == "R&&D &&&& more"


@pytest.mark.parametrize(
    ("largest", "top"), [(0, 1000), (1000, 1000), (1001, 1500), (12.4e6, 15e6), (3.1e5, 5e5), (7.6e8, 1e9)]
)
def test_an_axis_ends_at_a_round_value_just_above(largest: float, top: float) -> None:
    assert formatting.axis_top(largest) == pytest.approx(top)
