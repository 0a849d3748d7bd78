"""Settings: defaults, changes that keep the rest, and damage that loses nothing."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from wsgui.app import settings
from wsgui.app.settings import Settings, WindowHints


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_a_missing_file_gives_the_defaults(file: Path) -> None:
    assert settings.load(file) == Settings()
    assert settings.load(file).wanted is None


def test_what_is_changed_is_read_back(file: Path) -> None:
    settings.update(file, theme="dark", wanted=("Office", "Läb \N{BLACK STAR}"), window=WindowHints(width=900))

    found = settings.load(file)
    assert (found.theme, found.wanted, found.window.width) == ("dark", ("Office", "Läb \N{BLACK STAR}"), 900)


def test_a_change_keeps_what_another_thread_wrote(file: Path) -> None:
    barrier = threading.Barrier(8)

    def change(number: int) -> None:
        barrier.wait()
        told = settings.load(file).told
        settings.update(file, **({"theme": "light"} if number else {"wanted": ("A",)}), told=told)

    threads = [threading.Thread(target=change, args=(number % 2,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (settings.load(file).theme, settings.load(file).wanted) == ("light", ("A",))


def test_nothing_switched_on_is_not_the_same_as_never_noted(file: Path) -> None:
    settings.update(file, wanted=())

    assert settings.load(file).wanted == ()


def test_the_file_is_for_its_owner_only_and_no_other_file_stays(file: Path) -> None:
    settings.update(file, theme="dark")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "damage", [b"theme = ", b"\xff\xfe", b'theme = "mauve"', b"wanted = 3", b"[window]\nwidth = -1", b"[[theme]]\na=1"]
)
def test_a_damaged_file_gives_the_defaults_and_is_kept_aside(file: Path, damage: bytes) -> None:
    file.write_bytes(damage)

    assert settings.load(file) == Settings()
    assert [path.read_bytes() for path in file.parent.glob("settings.toml.broken-*")] == [damage]


def test_keys_of_a_newer_version_do_no_harm(file: Path) -> None:
    file.write_text('theme = "dark"\nhologram = true\n')

    assert settings.load(file).theme == "dark"


def test_a_value_that_cannot_be_leaves_the_file_as_it_was(file: Path) -> None:
    settings.update(file, theme="dark")

    with pytest.raises(ValidationError):
        settings.update(file, theme="mauve")
    assert settings.load(file).theme == "dark"
