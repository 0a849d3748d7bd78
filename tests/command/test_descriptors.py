"""Programs may open as many files as the process could that starts them, before it raised that for itself."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from wsgui.command import descriptors

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux sets another process's limits")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "_given", None)


def soft_limit_of(pid: int) -> int:
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]


def started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def test_a_program_gets_the_limit_that_was_remembered() -> None:
    descriptors.remember_limit(321)
    with started() as program:
        descriptors.give_back_limit(program.pid)
        assert soft_limit_of(program.pid) == 321
        program.communicate()


def test_without_one_nothing_changes() -> None:
    with started() as program:
        descriptors.give_back_limit(program.pid)
        assert soft_limit_of(program.pid) == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        program.communicate()


def test_a_program_that_has_ended_is_no_fault() -> None:
    descriptors.remember_limit(321)
    with started() as program:
        program.communicate()
    descriptors.give_back_limit(program.pid)
