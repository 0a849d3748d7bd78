"""Numbers, sizes, rates, durations and outside text as a person reads them."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from wsgui.display import display

SIZE_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
RATE_UNITS: Final = ("B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit, apart, because cards print them in two sizes."""

    number: str
    unit: str

    def __str__(self) -> str:
        return f"{self.number}\N{NO-BREAK SPACE}{self.unit}" if self.unit else self.number


def _decimals(value: float) -> int:
    return 0 if value == 0 or value >= 99.95 else 1 if value >= 0.995 else 2


def number(value: float, decimals: int = 0) -> str:
    """`value` with the locale's decimal mark and `decimals` figures behind it."""
    return QLocale().toString(float(value), "f", decimals)


def _scaled(value: float, units: tuple[str, ...]) -> Quantity:
    value = max(value, 0.0)
    if value < 999.5:  # single bytes are never split
        return Quantity(number(round(value)), units[0])
    power = min(int(math.log10(value) // 3), len(units) - 1)
    if value / 1000**power >= 999.5 and power + 1 < len(units):
        power += 1
    scaled = value / 1000**power
    return Quantity(number(scaled, _decimals(scaled)), units[power])


def size(size_bytes: float) -> Quantity:
    """Bytes in SI units: 8.7 GB."""
    return _scaled(size_bytes, SIZE_UNITS)


def rate(bytes_per_second: float) -> Quantity:
    """Bytes a second in SI units: 12.4 MB/s."""
    return _scaled(bytes_per_second, RATE_UNITS)


def round_trip(seconds: float | None) -> Quantity:
    """A round trip in milliseconds (2.1 ms), from a second on in seconds; a dash when there is none."""
    if seconds is None:
        return Quantity("–", "")
    if seconds >= 0.9995:
        return Quantity(number(seconds, 1), "s")
    milliseconds = seconds * 1000
    return Quantity(number(milliseconds, _decimals(milliseconds)), "ms")


def count(value: int) -> str:
    """A whole number with the locale's grouping."""
    return QLocale().toString(value)


def duration(seconds: float) -> str:
    """A duration in its two largest units: 3 s, 14 min, 2 h 14 min, 3 d 4 h."""
    whole = max(int(seconds), 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400

    def text(source: str, *values: object) -> str:
        return QCoreApplication.translate("duration", source).format(*values).replace(" ", "\N{NO-BREAK SPACE}")

    if whole < 60:
        return text("{0} s", whole)
    if hours < 1:
        return text("{0} min", minutes)
    if days < 1:
        return text("{0} h {1:02} min", hours, minutes % 60)
    return text("{0} d {1} h", days, hours % 24)


def moment(unix_seconds: float) -> str:
    """The exact local time, for tooltips beside relative times."""
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(unix_seconds)), QLocale.FormatType.LongFormat)


def host_of(client: str) -> str:
    """The address of `host:port`, without brackets; "this computer" for loopback addresses and unix sockets."""
    host = client.rpartition(":")[0] if ":" in client else client
    host = host.removeprefix("[").removesuffix("]")
    if host in ("unix", "::1", "localhost") or host.startswith(("127.", "::ffff:127.")):
        return QCoreApplication.translate("connection", "this computer")
    return display(host)


def port_of(client: str) -> str:
    """The port of `host:port`, or ""."""
    port = client.rpartition(":")[2]
    return port if port.isdecimal() and ":" in client else ""


def safe_origin(origin: str) -> str:
    """An Origin as one may compare it by eye: the host in punycode, nothing invisible."""
    if origin.isascii():
        return display(origin)
    scheme, separator, authority = origin.partition("://")
    host, colon, port = authority.partition(":")
    try:
        return display(f"{scheme}{separator}{host.encode('idna').decode('ascii')}{colon}{port}")
    except UnicodeError:
        return display(origin)


def escaped_ampersand(text: str) -> str:
    """`text` for a menu entry or a button, where a lone & would become a shortcut and vanish."""
    return text.replace("&", "&&")


def plain_tooltip(text: str) -> str:
    """`text` for a tooltip. Qt guesses whether a tooltip is HTML, so it gets HTML that says just this text."""
    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>' if text else ""


def axis_top(largest: float) -> float:
    """The round value (1, 1.5, 2, 3, 5, 7.5 × 10^n bytes a second) just above `largest`; at least 1 kB/s."""
    if largest <= 1000:
        return 1000.0
    magnitude = 10.0 ** math.floor(math.log10(largest))
    for step in (1.0, 1.5, 2.0, 3.0, 5.0, 7.5):
        if largest <= step * magnitude:
            return step * magnitude
    return 10.0 * magnitude
