"""The argument parser all commands share: one sentence what is wrong, one where to look, exit code 2."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any, NoReturn

from wsgui.display import display
from wsgui.errors import EXIT_USAGE, WsguiError


class Parser(argparse.ArgumentParser):
    """argparse without guessing at abbreviations and without a page of usage for a slip of the finger."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:].rstrip(".")
        print(f"{self.prog}: {display(sentence, limit=500)}. See: {self.prog} --help", file=sys.stderr)
        raise SystemExit(EXIT_USAGE)


def seconds(text: str) -> float:
    """An argument that is a number of seconds, 0 or more, at most a day."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of seconds from 0 to 86400')
    return value


def complain(error: WsguiError, about: str = "", *, program: str = "wsgui") -> int:
    """Print an error on stderr, each line of it escaped and with the program's name; returns its exit code."""
    text = str(error)
    if about:
        text = f"{about}: {error.field + ': ' if error.field else ''}{text}"
    for line in text.split("\n"):
        # In one piece: the log's thread writes there too.
        print(f"{program}: {display(line, limit=2000)}\n", end="", file=sys.stderr)
    return error.exit_code
