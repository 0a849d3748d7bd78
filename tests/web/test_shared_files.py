"""What the viewer pages have in common: legible in both themes, nothing from elsewhere, only a token out of the URL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.contrast import contrast
from tests.web.page_files import SHARED, check_nothing_from_elsewhere, check_script, themes

SCRIPTS = sorted(SHARED.glob("*.js"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("foreground", "background", "least"),
    [(text, ground, 4.5) for text in ("text", "dim", "accent") for ground in ("bg", "card", "side")]
    + [("err", "card", 4.5), ("on-accent", "accent", 4.5), ("control-line", "card", 3.0)]
    + [(mark, "bg", 3.0) for mark in ("ok", "warn", "err")],
)
def test_contrasts_are_legible(theme: str, foreground: str, background: str, least: float) -> None:
    colours = themes(SHARED / "page.css")[theme]
    assert contrast(colours[foreground], colours[background]) >= least


def test_nothing_comes_from_elsewhere() -> None:
    check_nothing_from_elsewhere(SHARED)


def test_only_the_token_is_read_from_the_address_and_nothing_is_stored() -> None:
    readers = [
        file.name for file in SCRIPTS if re.search(r"location\.(search|hash|href)|URLSearchParams", file.read_text())
    ]
    assert readers == ["tunnel.js"]
    assert re.findall(r'\.get\("(\w+)"\)', (SHARED / "tunnel.js").read_text()) == ["token"]
    for file in SCRIPTS:
        assert not re.search(r"localStorage|sessionStorage|indexedDB|\.cookie\b", file.read_text()), file


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_its_purpose_and_stays_short(script: Path) -> None:
    check_script(script)
