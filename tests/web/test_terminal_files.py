"""The terminal page's files: legible in both themes, nothing inline or from elsewhere, no way into its URL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "resources" / "web" / "terminal"
SCRIPTS = sorted(FOLDER.glob("*.js"))
LONGEST_SCRIPT = 300
COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def page_themes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", (FOLDER / "style.css").read_text(), re.DOTALL)
    read = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block)) for block in (light, dark)]
    return {"light": read[0], "dark": read[1]}


def terminal_themes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r"const [A-Z]+ = \{(.*?)\}", (FOLDER / "theme.js").read_text(), re.DOTALL)
    read = [dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', block)) for block in (light, dark)]
    return {"light": read[0], "dark": read[1]}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("foreground", "background", "least"),
    [(text, ground, 4.5) for text in ("text", "dim", "accent") for ground in ("bg", "card", "side")]
    + [("on-accent", "accent", 4.5), ("control-line", "card", 3.0)]
    + [(mark, "bg", 3.0) for mark in ("ok", "err")],
)
def test_the_page_s_contrasts_are_legible(theme: str, foreground: str, background: str, least: float) -> None:
    colours = page_themes()[theme]
    assert contrast(colours[foreground], colours[background]) >= least


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
    page = (FOLDER / "index.html").read_text()
    assert not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)", page)
    for file in FOLDER.iterdir():
        text = file.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?://\w|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), file


def test_only_the_token_is_read_from_the_address_and_nothing_is_stored() -> None:
    readers = [
        file.name for file in SCRIPTS if re.search(r"location\.(search|hash|href)|URLSearchParams", file.read_text())
    ]
    assert readers == ["session.js"]
    assert re.findall(r'named = .*\.get\("(\w+)"\)', (FOLDER / "session.js").read_text()) == ["token"]
    for file in FOLDER.iterdir():
        assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", file.read_text()), file


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_each_script_says_its_purpose_first_and_is_of_readable_length(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= LONGEST_SCRIPT
