"""The terminal page's files: legible colours in both themes, nothing inline or from elsewhere, no way into its URL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.contrast import contrast
from tests.web.page_files import (
    WEB,
    check_nothing_from_elsewhere,
    check_only_shared_code_reads_the_address,
    check_script,
)

FOLDER = WEB / "terminal"
SCRIPTS = sorted(FOLDER.glob("*.js"))
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def terminal_themes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r"const [A-Z]+ = \{(.*?)\}", (FOLDER / "theme.js").read_text(), re.DOTALL)
    read = [dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', block)) for block in (light, dark)]
    return {"light": read[0], "dark": read[1]}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_terminal_s_colours_are_legible_on_its_ground(theme: str) -> None:
    colours = terminal_themes()[theme]
    named = [f"bright{name.capitalize()}" for name in COLOURS] + ["foreground", *COLOURS]
    poor = {name for name in named if contrast(colours[name], colours["background"]) < 4.5}
    assert poor <= ({"black"} if theme == "dark" else set())  # xterm.js makes what is darker legible itself


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_selected_stays_legible(theme: str) -> None:
    colours = terminal_themes()[theme]
    for ground in ("selectionBackground", "selectionInactiveBackground"):
        assert contrast(colours["foreground"], colours[ground]) >= 4.5


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    check_nothing_from_elsewhere(FOLDER)


def test_only_shared_code_reads_the_address_and_nothing_is_stored() -> None:
    check_only_shared_code_reads_the_address(FOLDER)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_each_script_says_its_purpose_first_and_is_of_readable_length(script: Path) -> None:
    check_script(script)
