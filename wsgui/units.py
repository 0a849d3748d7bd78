"""Amounts as people read them: SI sizes, durations in two units."""

from __future__ import annotations

from typing import Final

_SIZE_UNITS: Final = ("kB", "MB", "GB", "TB", "PB", "EB")


def size(size_bytes: int) -> str:
    """Bytes in SI units: 8.7 GB."""
    value, unit = float(size_bytes), "B"
    for unit_above in _SIZE_UNITS:
        if value < 999.5:
            break
        value, unit = value / 1000, unit_above
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def duration(seconds: float) -> str:
    """A duration in its two largest units: 3.2 s, 14 min 5 s, 2 h 14 min, 3 d 4 h."""
    if seconds < 60:
        return f"{max(seconds, 0):.1f} s"
    minutes, whole = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
