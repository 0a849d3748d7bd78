"""A PySide6 that cannot be used is refused, with the version to install."""

from __future__ import annotations

import sys

import pytest
from pytestqt.qtbot import QtBot

from wsgui.gui import binding


def test_a_version_known_to_be_broken_is_refused_on_python_3_11() -> None:
    with pytest.raises(binding.BindingError) as refused:
        binding.check("6.12.0", 0, python=(3, 11))
    assert "PySide6 6.12.0 with Python 3.11" in refused.value.message
    assert '"PySide6-Essentials>=6.8,!=6.12.0"' in refused.value.hint


def test_an_unknown_version_that_loses_references_is_refused_too() -> None:
    with pytest.raises(binding.BindingError, match=r"6\.13\.1"):
        binding.check("6.13.1", binding.KILLED_TIMERS, python=(3, 11))


@pytest.mark.parametrize("lost", [0, -3, 5])
def test_a_version_that_loses_none_is_fine(lost: int) -> None:
    binding.check("6.11.3", lost, python=(3, 11))


def test_the_broken_version_is_fine_where_none_is_immortal() -> None:
    binding.check("6.12.0", 0, python=(3, 12))


@pytest.mark.skipif(sys.version_info >= binding.NONE_IS_IMMORTAL, reason="None is not counted here")
def test_the_installed_binding_loses_nothing(qtbot: QtBot) -> None:
    assert abs(binding.none_references_lost()) < binding.KILLED_TIMERS
