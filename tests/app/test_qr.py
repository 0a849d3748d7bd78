"""QR codes, read again by a program that reads them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.support.programs import need
from wsgui.app.qr import QUIET_MODULES, matrix, terminal

URL = "http://192.168.1.20:6080/.wsgui/authority/0123456789abcdef0123456789abcdef"
LONGEST_NAME = f"http://{'lab-' * 15}pc.local:65535/.wsgui/authority/{'f' * 32}"
CELL = (8, 16)
BLACK, WHITE = 0, 255


def read_again(picture: Image.Image, folder: Path) -> str:
    need("zbarimg")
    file = folder / "code.png"
    picture.save(file)
    done = subprocess.run(["zbarimg", "--quiet", "--raw", str(file)], capture_output=True, text=True, timeout=30)
    return done.stdout.removesuffix("\n")


@pytest.mark.parametrize("text", [URL, LONGEST_NAME, "https://[fd00::20]/", "ü" * 40])
def test_what_is_painted_of_the_matrix_is_read_again(text: str, tmp_path: Path) -> None:
    rows = matrix(text)
    picture = Image.new("L", (len(rows), len(rows)))
    picture.putdata([BLACK if dark else WHITE for row in rows for dark in row])
    # On black, as in a dark window: what is free around the code has to be in the matrix itself.
    framed = Image.new("L", (len(rows) * 6 + 40, len(rows) * 6 + 40), BLACK)
    framed.paste(picture.resize((len(rows) * 6, len(rows) * 6), Image.Resampling.NEAREST), (20, 20))
    assert read_again(framed, tmp_path) == text


def test_there_is_a_quiet_zone_all_around() -> None:
    rows = matrix(URL)
    assert len({len(row) for row in rows} | {len(rows)}) == 1
    free = range(QUIET_MODULES)
    for at in (*free, *(-1 - each for each in free)):
        assert not any(rows[at])
        assert not any(row[at] for row in rows)
    assert rows[QUIET_MODULES][QUIET_MODULES]


def shown(text: str, *, foreground: int, background: int) -> Image.Image:
    """What a terminal of these colours shows of `text`, of which it knows no more than what `terminal` needs."""
    lines = text.splitlines()
    width = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines) + 4
    picture = Image.new("L", (width * CELL[0], (len(lines) + 2) * CELL[1]), background)
    cube = {16: BLACK, 231: WHITE}
    ink, paper = foreground, background
    for row, line in enumerate(lines, 1):
        column = 2
        for escape, character in re.findall(r"\x1b\[([0-9;]*)m|(.)", line):
            if not character:
                numbers = [int(number) for number in escape.split(";")]
                if numbers == [0]:
                    ink, paper = foreground, background
                else:
                    assert numbers[:2] + numbers[3:5] == [38, 5, 48, 5]
                    ink, paper = cube[numbers[2]], cube[numbers[5]]
                continue
            left, top = column * CELL[0], row * CELL[1]
            picture.paste(paper, (left, top, left + CELL[0], top + CELL[1]))
            if character == "▀":
                picture.paste(ink, (left, top, left + CELL[0], top + CELL[1] // 2))
            else:
                assert character == " "
            column += 1
    return picture


@pytest.mark.parametrize(("foreground", "background"), [(WHITE, BLACK), (BLACK, WHITE), (200, 60)])
@pytest.mark.parametrize("text", [URL, LONGEST_NAME])
def test_what_a_dark_or_a_light_terminal_shows_is_read_again(
    text: str, foreground: int, background: int, tmp_path: Path
) -> None:
    assert read_again(shown(terminal(text), foreground=foreground, background=background), tmp_path) == text


def test_an_address_fits_a_terminal_of_80_columns_and_50_lines() -> None:
    lines = terminal(URL).splitlines()
    assert len(lines) <= 25
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines) <= 80


def test_each_line_leaves_the_terminal_as_it_was() -> None:
    assert all(line.endswith("\x1b[0m") for line in terminal(URL).splitlines())


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match="too large"):
        terminal("x" * 5000)
