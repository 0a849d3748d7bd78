"""What is read out of the built-in pages' files, to see that they are legible and load nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

WEB = Path(__file__).parents[2] / "resources" / "web"
SHARED = WEB / "shared"
LONGEST_SCRIPT = 300


def themes(stylesheet: Path) -> dict[str, dict[str, str]]:
    """The colours in a stylesheet's light and dark `:root`, by name."""
    light, dark = re.findall(r":root \{(.*?)\}", stylesheet.read_text(), re.DOTALL)
    read = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", block)) for block in (light, dark)]
    return {"light": read[0], "dark": read[1]}


def check_nothing_from_elsewhere(folder: Path) -> None:
    """Nothing is inline, nothing comes from another host, and no text becomes markup or a script."""
    page = folder / "index.html"
    assert not page.exists() or not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)", page.read_text()), page
    for file in folder.iterdir():
        text = file.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?://\w|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text), file


def check_only_shared_code_reads_the_address(folder: Path) -> None:
    """A page takes its token from what all share, and leaves nothing in the browser."""
    for file in folder.glob("*.js"):
        text = file.read_text()
        assert not re.search(r"location\.(search|hash|href)|URLSearchParams", text), file
        assert not re.search(r"localStorage|sessionStorage|indexedDB|\.cookie\b", text), file


def check_script(script: Path) -> None:
    """It says its purpose first, and is of readable length."""
    lines = script.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= LONGEST_SCRIPT
