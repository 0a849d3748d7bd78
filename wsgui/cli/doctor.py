"""`wsgui doctor`: what tunnels, certificates and the window rest on, what is wrong with it, and what to do."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import wsgui
from wsgui.app.doctor.check import Check, Level
from wsgui.app.doctor.examine import examine
from wsgui.app.doctor.window import window
from wsgui.app.paths import paths
from wsgui.cli.parser import Parser
from wsgui.errors import EXIT_FAILED, EXIT_OK

_WORDS: Final = {Level.OK: "ok", Level.NOTE: "note", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}
_WIDTH: Final = max(map(len, _WORDS.values())) + 2


def main(arguments: Sequence[str]) -> int:
    """Carry out ``wsgui doctor ARGUMENTS``; returns 0 when nothing is a problem, else 1."""
    parser = Parser(
        prog="wsgui doctor",
        description="Looks at all that wsgui rests on here, and says what to do. It changes nothing.",
        epilog="exit codes: 0 nothing is a problem (warnings there may be), 1 something is.",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    logging.getLogger("wsgui").addHandler(logging.NullHandler())  # What is worth telling stands among the checks.
    checks: list[Check] = []
    if not options.json:
        print(f"wsgui {wsgui.__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}")
    for check in _checks():
        checks.append(check)
        if not options.json:
            print("\n".join(_lines(check)), flush=True)  # One after the other, as some take a while.
    bad = any(check.level is Level.PROBLEM for check in checks)
    if options.json:
        found = [
            {"name": check.name, "level": str(check.level), "message": check.message, "hint": check.hint}
            for check in checks
        ]
        print(json.dumps({"version": wsgui.__version__, "ok": not bad, "checks": found}, indent=2))
    else:
        print(_sum(checks))
    return EXIT_FAILED if bad else EXIT_OK


def _checks() -> Iterator[Check]:
    yield from examine(paths())
    yield from window(os.environ)


def _lines(check: Check) -> list[str]:
    first = f"{_WORDS[check.level]:<{_WIDTH}}{check.name}: {check.message}"
    return [first, f"{'':<{_WIDTH}}{check.hint}"] if check.hint else [first]


def _sum(checks: Sequence[Check]) -> str:
    count = Counter(check.level for check in checks)
    parts = [
        f"{count[level]} {word}{'s' if count[level] != 1 else ''}"
        for level, word in ((Level.PROBLEM, "problem"), (Level.WARNING, "warning"))
        if count[level]
    ]
    return f"{' and '.join(parts)}." if parts else "All is well."
