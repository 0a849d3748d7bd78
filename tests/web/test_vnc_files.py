"""The VNC page's files as they are: legible in both themes, nothing inline or from elsewhere, no way into its URL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "resources" / "web" / "vnc"
SCRIPTS = sorted(FOLDER.glob("*.js"))
LONGEST_SCRIPT = 300


def themes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", (FOLDER / "style.css").read_text(), re.DOTALL)
    read = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block)) for block in (light, dark)]
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
    + [("err", "card", 4.5), ("on-accent", "accent", 4.5), ("control-line", "card", 3.0)]
    + [(mark, "bg", 3.0) for mark in ("ok", "warn", "err")],
)
def test_contrasts_are_legible(theme: str, foreground: str, background: str, least: float) -> None:
    colours = themes()[theme]

    assert contrast(colours[foreground], colours[background]) >= least


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
    assert re.findall(r'\.get\("(\w+)"\)', (FOLDER / "session.js").read_text()) == ["token"]
    for file in SCRIPTS:
        assert not re.search(r"localStorage|sessionStorage|indexedDB|\.cookie\b", file.read_text()), file


def test_every_button_has_a_name_and_every_field_a_label() -> None:
    page = (FOLDER / "index.html").read_text()

    for button in re.findall(r"<button.*?</button>", page, re.DOTALL):
        words = re.sub(r"<[^>]*>", "", button).strip()
        assert words or "aria-label=" in button, button
    for attributes in re.findall(r"<(?:input|textarea)([^>]*)>", page):
        named = re.search(r'id="([a-z]+)"', attributes)
        labelled = named and (f'for="{named[1]}"' in page or "aria-label=" in attributes)
        assert labelled or re.search(rf"<label[^>]*>[^<]*<input{re.escape(attributes)}>", page), attributes


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_its_purpose_and_stays_short(script: Path) -> None:
    lines = script.read_text().splitlines()

    assert lines[0].startswith("// ")
    assert len(lines) <= LONGEST_SCRIPT
