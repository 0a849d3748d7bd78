"""The VNC page's files: nothing inline or from elsewhere, no way into its URL, everything named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.web.page_files import (
    WEB,
    check_nothing_from_elsewhere,
    check_only_shared_code_reads_the_address,
    check_script,
)

FOLDER = WEB / "vnc"
SCRIPTS = sorted(FOLDER.glob("*.js"))


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    check_nothing_from_elsewhere(FOLDER)


def test_only_shared_code_reads_the_address_and_nothing_is_stored() -> None:
    check_only_shared_code_reads_the_address(FOLDER)


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
    check_script(script)
