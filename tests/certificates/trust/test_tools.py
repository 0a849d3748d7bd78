"""How other programs are run: with a deadline, without a terminal, and with nothing of our environment."""

from __future__ import annotations

import sys
import time

import pytest

from tests.support.authorities import User
from wsgui.certificates.trust.tools import Tools
from wsgui.errors import CertificateError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="The programs are scripts")


def test_what_it_says_and_how_it_ended_come_back(user: User) -> None:
    program = user.make_program(
        "tool", "print(given[::-1], end='')\nprint('first\\n\\nlast.', file=sys.stderr)", code=3
    )
    ran = user.tools().run([str(program), "x"], given=b"abc")
    assert (ran.code, ran.output, ran.complaint) == (3, b"cba", "last")


def test_a_program_that_says_nothing_is_told_by_its_exit_code(user: User) -> None:
    assert user.tools().run([str(user.make_program("tool", code=4))]).complaint == "exit code 4"


def test_one_that_takes_too_long_is_ended_with_what_it_has_started(user: User) -> None:
    program = user.make_program("tool", "subprocess.run(['sleep', '600'])")
    started = time.monotonic()
    with pytest.raises(CertificateError, match=r"tool did not end within 0\.5 seconds\."):
        user.tools().run([str(program)], seconds=0.5)
    assert time.monotonic() - started < 20


def test_one_that_is_missing_is_said(user: User) -> None:
    with pytest.raises(CertificateError, match="none could not be started: No such file"):
        user.tools().run([str(user.home / "none")])


def test_the_folders_for_root_are_looked_into_after_path(user: User) -> None:
    folder = user.home / "sbin"
    program = user.make_program("tool")
    assert Tools({"PATH": ""}, more=(str(user.programs),)).find("tool") == str(program)
    assert Tools({"PATH": str(user.programs)}, more=(str(folder),)).find("tool") == str(program)
    assert Tools({"PATH": ""}, more=()).find("tool") is None


def test_for_root_the_system_s_own_program_goes_before_one_on_path(user: User) -> None:
    program, planted = user.make_program("../sbin/tool"), user.make_program("tool")
    tools = Tools({"PATH": str(user.programs)}, more=(str(program.parent),))
    assert tools.find_for_root("tool") == str(program)
    assert tools.find("tool") == str(planted)


@pytest.mark.parametrize("path", ["", ".", ":", "programs"])
def test_nothing_is_taken_from_the_working_directory(user: User, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.chdir(user.make_program("tool").parent)
    tools = Tools({"PATH": path}, more=())
    assert (tools.find("tool"), tools.find_for_root("tool")) == (None, None)
