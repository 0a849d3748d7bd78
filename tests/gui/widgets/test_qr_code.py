"""The QR code is read by a reader as it stands on the screen, in both themes and at every size of text."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from wsgui.gui.theme import theme
from wsgui.gui.widgets.qr_code import QrCode

ADDRESS = "http://192.168.1.20:6080/.wsgui/authority/0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _themes() -> Iterator[None]:
    yield
    theme.use(dark=False, text_scale=1.0)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_reader_reads_it(qtbot: QtBot, tmp_path: Path, dark: bool, scale: float) -> None:
    reader = shutil.which("zbarimg")
    if reader is None:
        pytest.skip("not installed: zbarimg (packaging/test.sh installs it)")
    theme.use(dark=dark, text_scale=scale)
    code = QrCode("code")
    qtbot.addWidget(code)
    code.set_text(ADDRESS)
    code.resize(code.sizeHint())
    file = tmp_path / "code.png"
    code.grab().save(str(file))
    read = subprocess.run([reader, "--quiet", "--raw", str(file)], capture_output=True, text=True, timeout=30)
    assert read.stdout.strip() == ADDRESS


def test_nothing_and_what_is_too_long_show_nothing(qtbot: QtBot) -> None:
    code = QrCode("code")
    qtbot.addWidget(code)
    for text in ("", "x" * 5000):
        code.set_text(text)
        assert code.isHidden()
