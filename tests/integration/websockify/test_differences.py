"""The table itself: each row says something, and belongs to a scenario that is run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.integration.websockify.differences import DIFFERENCES, Difference, check

FOLDER = Path(__file__).parent


def scenarios() -> list[str]:
    """The names of all tests of this folder, without what is behind the dash of a parameter."""
    trees = [ast.parse(file.read_text()) for file in FOLDER.glob("test_*.py")]
    functions = [node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    return [name.removeprefix("test_") for name in functions if name.startswith("test_")]


def test_no_two_scenarios_have_one_name() -> None:
    names = scenarios()
    twice = {name for name in names if names.count(name) > 1}
    assert not twice & {name.partition("[")[0] for name in DIFFERENCES}


def test_every_row_is_of_a_scenario() -> None:
    assert {name.partition("[")[0] for name in DIFFERENCES} <= set(scenarios())


def test_every_row_has_two_sides_and_a_reason() -> None:
    for scenario, rows in DIFFERENCES.items():
        assert rows, scenario
        for name, row in rows.items():
            assert row.theirs != row.ours, (scenario, name)
            assert row.reason.endswith("."), (scenario, name)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIFFERENCES, "scenario", {"status": Difference(1, 2, "Because.")})  # type: ignore[arg-type]


@pytest.mark.usefixtures("table")
def test_a_difference_of_the_table_passes() -> None:
    check("scenario", {"status": 1, "text": "a"}, {"status": 2, "text": "a"})


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"status": 1, "text": "a"}, {"status": 2, "text": "b"}),  # another difference
        ({"status": 1}, {"status": 1}),  # none any more
        ({"status": 1}, {"status": 3}),  # not this one
        ({}, {}),  # not looked at
        ({"status": 1}, {"status": 2, "more": 1}),  # seen on one side only
    ],
)
def test_anything_else_fails(theirs: dict[str, object], ours: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        check("scenario", theirs, ours)
