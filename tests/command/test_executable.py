"""wsgui/command/executable.py: which file a command runs, and which files the preload library cannot reach."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from wsgui.command.elf import Elf, read_elf
from wsgui.command.executable import find_executable, obstacle_to_preloading
from wsgui.errors import WsguiError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ELF is for Linux")

SOURCE = "int main(void) { return 0; }\n"


def compiled(folder: Path, *flags: str) -> Path:
    source, program = folder / "program.c", folder / "program"
    source.write_text(SOURCE)
    subprocess.run([shutil.which("cc") or "gcc", *flags, "-o", program, source], check=True)
    return program


def script(path: Path, first_line: str) -> Path:
    path.write_text(f"{first_line}\n")
    path.chmod(0o755)
    return path


def changed(program: Path, name: str, offset: int, layout: str, value: int) -> Path:
    """A copy of a program with one field of its header as another."""
    data = bytearray(program.read_bytes())
    struct.pack_into(layout, data, offset, value)
    copy = program.with_name(name)
    copy.write_bytes(data)
    copy.chmod(0o755)
    return copy


@pytest.fixture(scope="module")
def dynamic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("dynamic"))


# Finding


def test_a_name_is_looked_for_on_the_program_s_own_path(tmp_path: Path) -> None:
    program = script(tmp_path / "served", "#!/bin/sh")

    assert find_executable("served", path=f"/nowhere{os.pathsep}{tmp_path}") == program


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    program = script(tmp_path / "served", "#!/bin/sh")

    assert find_executable(str(program), path="") == program


def test_a_name_that_is_nowhere_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WsguiError) as caught:
        find_executable("no-such-\x1bprogram", path=str(tmp_path))

    assert caught.value.message == r"The program no-such-\x1bprogram was not found on PATH."
    assert caught.value.field == "command.run"


def test_a_path_that_is_nowhere_is_said_so() -> None:
    with pytest.raises(WsguiError, match=r"/no/such does not exist"):
        find_executable("/no/such")


def test_a_file_that_may_not_be_run_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "served").write_text("#!/bin/sh\n")

    with pytest.raises(WsguiError, match="may not be run") as caught:
        find_executable("served", path=str(tmp_path))

    assert caught.value.hint == f"Run: chmod +x {tmp_path / 'served'}"


def test_a_folder_is_no_program(tmp_path: Path) -> None:
    with pytest.raises(WsguiError, match="is a folder"):
        find_executable(str(tmp_path))


# What the library cannot be loaded into


def test_a_program_that_is_linked_as_usual_can_be_preloaded(dynamic: Path, preload: Path) -> None:
    assert obstacle_to_preloading(dynamic, preload) is None


@pytest.mark.parametrize("flag", ["-static", "-static-pie"])
def test_a_statically_linked_program_is_reported_with_the_way_that_works_everywhere(
    tmp_path: Path, preload: Path, flag: str
) -> None:
    found = obstacle_to_preloading(compiled(tmp_path, flag), preload)

    assert found is not None
    assert found.message == "program is statically linked, so no library can move the port that it binds."
    assert "{port}" in found.hint
    assert "the variable PORT" in found.hint


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize(("mode", "word"), [(0o4755, "set-user-ID"), (0o2755, "set-group-ID")])
def test_a_program_that_runs_as_somebody_else_is_reported(
    dynamic: Path, tmp_path: Path, preload: Path, mode: int, word: str
) -> None:
    program = Path(shutil.copy(dynamic, tmp_path))
    os.chown(program, 65534, 65534)
    program.chmod(mode)

    found = obstacle_to_preloading(program, preload)

    assert found is not None
    assert word in found.message


def test_a_set_user_id_program_of_one_s_own_is_loaded_as_usual(dynamic: Path, tmp_path: Path, preload: Path) -> None:
    program = Path(shutil.copy(dynamic, tmp_path))
    program.chmod(0o4755)

    assert obstacle_to_preloading(program, preload) is None


def test_a_program_with_capabilities_is_reported_to_ordinary_users(
    dynamic: Path, preload: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: dynamic.stat().st_uid + 1)
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"\1" if name == "security.capability" else b"")

    found = obstacle_to_preloading(dynamic, preload)

    assert found is not None
    assert "file capabilities" in found.message


def test_a_program_for_another_processor_is_reported(dynamic: Path, preload: Path) -> None:
    found = obstacle_to_preloading(changed(dynamic, "riscv", 18, "<H", 0x7777), preload)

    assert found is not None
    assert found.message == "riscv is for another processor than the library that moves ports."


def test_a_program_of_the_other_width_is_reported(tmp_path: Path, preload: Path) -> None:
    interpreter = b"/lib/ld-linux.so.2\0"
    ident = b"\x7fELF\1\1\1" + bytes(9)
    header = struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 3, 84, 0, 0, len(interpreter), len(interpreter), 4, 1)
    program = tmp_path / "old"
    program.write_bytes(ident + header + segment + interpreter)

    assert read_elf(program) == Elf(32, "<", 3, "/lib/ld-linux.so.2", is_go=False)
    found = obstacle_to_preloading(program, preload)
    assert found is not None
    assert found.message == "old is a 32-bit program, and the library that moves ports is a 64-bit one."


def test_a_go_program_is_reported_as_it_does_not_ask_the_system_s_library(tmp_path: Path, preload: Path) -> None:
    source, program = tmp_path / "go.c", tmp_path / "go"
    # Go's linker leaves its build's name in a note of owner "Go" and type 4.
    source.write_text(
        '__attribute__((section(".note.go.buildid"), used, aligned(4)))\n'
        'static const struct { int name, words, kind; char owner[4]; int build; } note = {4, 4, 4, "Go", 1};\n' + SOURCE
    )
    subprocess.run([shutil.which("cc") or "gcc", "-o", program, source], check=True)

    found = obstacle_to_preloading(program, preload)

    assert found is not None
    assert "written in Go" in found.message


def test_a_program_of_another_c_library_is_reported(tmp_path: Path, preload: Path) -> None:
    found = obstacle_to_preloading(compiled(tmp_path, "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"), preload)

    assert found is not None
    assert "musl" in found.message


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\2\1" + bytes(10), b"\x7fELF\7\7" + bytes(200), b"MZ\0"])
def test_what_is_no_whole_program_is_left_to_the_system(tmp_path: Path, preload: Path, content: bytes) -> None:
    program = tmp_path / "odd"
    program.write_bytes(content)

    assert obstacle_to_preloading(program, preload) is None


# Scripts


def test_a_script_is_judged_by_its_interpreter(tmp_path: Path, preload: Path) -> None:
    static = compiled(tmp_path, "-static")

    found = obstacle_to_preloading(script(tmp_path / "served", f"#! {static} -u"), preload)

    assert found is not None
    assert found.message.startswith("program is statically linked")
    assert obstacle_to_preloading(script(tmp_path / "served", "#!/bin/sh"), preload) is None


@pytest.mark.parametrize("line", ["env program", "env -S program -u", "env -S LANG=C program"])
def test_the_interpreter_that_env_finds_is_judged(tmp_path: Path, preload: Path, line: str) -> None:
    compiled(tmp_path, "-static")
    served = script(tmp_path / "served", f"#!/usr/bin/{line}")

    found = obstacle_to_preloading(served, preload, path=str(tmp_path))

    assert found is not None
    assert found.message.startswith("program is statically linked")


def test_a_script_of_a_script_is_judged_by_the_last_interpreter(tmp_path: Path, preload: Path) -> None:
    static = compiled(tmp_path, "-static")
    inner = script(tmp_path / "inner", f"#!{static}")

    found = obstacle_to_preloading(script(tmp_path / "outer", f"#!{inner}"), preload)

    assert found is not None


def test_a_script_that_is_its_own_interpreter_is_left_to_the_system(tmp_path: Path, preload: Path) -> None:
    path = tmp_path / "served"

    assert obstacle_to_preloading(script(path, f"#!{path}"), preload) is None


def test_a_missing_interpreter_is_said(tmp_path: Path, preload: Path) -> None:
    with pytest.raises(WsguiError, match="its interpreter /no/such/python is missing"):
        obstacle_to_preloading(script(tmp_path / "served", "#!/no/such/python"), preload)


def test_the_programs_of_macos_itself_are_reported(preload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    found = obstacle_to_preloading(Path("/bin/sh"), preload)

    assert found is not None
    assert found.message == "macOS protects /bin/sh from libraries of others."
