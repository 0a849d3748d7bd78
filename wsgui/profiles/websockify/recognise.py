"""Whether a text that somebody pastes or types is a line of websockify."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final

from wsgui.errors import UsageError
from wsgui.profiles.websockify.options import Options, parse

MAX_TEXT: Final = 16 * 1024
"""Characters of a line; more is none."""

_NAME: Final = re.compile(r"(?:.*[/\\])?websockify(?:\.exe|\.py)?", re.IGNORECASE | re.DOTALL)
_PYTHON: Final = re.compile(r"(?:.*[/\\])?(?:python[0-9.]*|py)(?:\.exe)?", re.IGNORECASE | re.DOTALL)
_WSGUI: Final = re.compile(r"(?:.*[/\\])?wsgui(?:\.exe)?", re.IGNORECASE | re.DOTALL)


def recognise(text: str) -> Options | None:
    """The options of a line as it stands in a shell, with or without its first word (``6080 office:5901``).

    Returns:
        None when it is no line of websockify's.

    Raises:
        UsageError: it calls websockify, but with arguments that are wrong.
    """
    if len(text) > MAX_TEXT:
        return None
    try:
        words = shlex.split(text.replace("\\\n", " "))
    except ValueError:
        return None
    if words[:1] == ["$"]:  # a prompt that was copied with it
        del words[0]
    arguments = arguments_of(words)
    if arguments is not None:
        return parse(arguments)
    if len(words) < 2:
        return None
    try:
        options = parse(words)
    except UsageError:
        return None
    return None if options.help else options


def arguments_of(words: Sequence[str]) -> list[str] | None:
    """What follows websockify's name in a split line; None when it does not begin with that.

    Its name is ``websockify``, a path that ends so, ``python -m websockify`` or ``wsgui websockify``.
    """
    left = list(words)
    if len(left) > 2 and _PYTHON.fullmatch(left[0]) and left[1] == "-m":
        left = left[2:]
    if len(left) > 1 and _WSGUI.fullmatch(left[0]):
        left = left[1:]
    return left[1:] if left and _NAME.fullmatch(left[0]) else None
