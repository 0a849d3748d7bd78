"""The file that a command's first word stands for, and why the preload library could not work in it."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.command.elf import Elf, read_elf
from wsgui.command.rebind import PORT_HINT
from wsgui.display import display
from wsgui.errors import WsguiError

_MAX_SCRIPTS: Final = 5
"""Scripts whose interpreter is a script, as deep as Linux goes (execve(2))."""
_MAX_FIRST_LINE: Final = 256
"""Bytes of a script's first line that count (execve(2))."""
_GUARDED_BY_MACOS: Final = ("/System/", "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/libexec/")
"""System Integrity Protection takes DYLD_* from what lies here."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a program's port cannot be moved, in one sentence, and what to do instead."""

    message: str
    hint: str = PORT_HINT


def find_executable(program: str, *, path: str | None = None) -> Path:
    """Return the file that `program` names, as execvp(3) finds it; blocking.

    Args:
        program: A name to look for on PATH, or a path.
        path: The PATH that the program will have; None is our own.

    Raises:
        WsguiError: There is none, or it cannot be run.
    """
    shown = display(program)
    found = shutil.which(program, path=path)
    if found is not None:
        return Path(found).absolute()
    is_path = bool(os.path.dirname(program))
    folders = [""] if is_path else (os.get_exec_path() if path is None else path.split(os.pathsep))
    candidates = [candidate for folder in folders if os.path.exists(candidate := os.path.join(folder, program))]
    if not candidates:
        where = "does not exist" if is_path else "was not found on PATH"
        hint = "Correct the path." if is_path else "Install it, or write its whole path."
        raise WsguiError(f"The program {shown} {where}.", hint, field="command.run")
    first = display(candidates[0])
    if os.path.isdir(candidates[0]):
        raise WsguiError(f"{first} is a folder, not a program.", "Name the program in it.", field="command.run")
    raise WsguiError(f"The program {first} may not be run.", f"Run: chmod +x {shlex.quote(first)}", field="command.run")


def obstacle_to_preloading(executable: Path, library: Path, *, path: str | None = None) -> Obstacle | None:
    """Return why `library` could not be loaded into `executable`, or None when nothing speaks against it; blocking.

    A script is judged by its interpreter. What a program starts in turn (``sh -c …``) is not known beforehand.

    Raises:
        WsguiError: The interpreter of a script is missing or cannot be run.
    """
    try:
        for program in _interpreters(executable, path):
            found = _of_binary(program, library)
            if found is not None:
                return found
    except OSError:
        return None  # unreadable: whether it can be run at all is the system's to say
    return None


def _interpreters(executable: Path, path: str | None) -> Iterator[Path]:
    """The binary that is run in the end: the file itself, or its interpreter, or the program that env(1) is told."""
    for _ in range(_MAX_SCRIPTS):
        words = _first_line(executable)
        if not words:
            yield executable
            return
        script, executable = executable, _interpreter(executable, words[0])
        if Path(words[0]).name == "env":
            program = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), None)
            if program is not None:
                yield executable
                executable = _interpreter(script, program, path=path)


def _interpreter(script: Path, program: str, *, path: str | None = None) -> Path:
    try:
        return find_executable(program, path=path)
    except WsguiError:
        raise WsguiError(
            f"The script {display(str(script))} cannot be run, as its interpreter {display(program)} is missing.",
            "Install the interpreter, or correct the script's first line.",
            field="command.run",
        ) from None


def _first_line(path: Path) -> list[str]:
    """The words after ``#!``; none for what is no script."""
    with path.open("rb") as file:
        line = file.read(_MAX_FIRST_LINE).split(b"\n")[0]
    return os.fsdecode(line[2:]).split() if line.startswith(b"#!") else []


def _of_binary(program: Path, library: Path) -> Obstacle | None:
    shown = display(program.name)
    if sys.platform == "darwin":
        if str(program).startswith(_GUARDED_BY_MACOS):
            return Obstacle(f"macOS protects {display(str(program))} from libraries of others.")
        return None
    status = program.stat()
    for bit, own, name in (
        (stat.S_ISUID, status.st_uid == os.getuid(), "user"),
        (stat.S_ISGID, status.st_gid == os.getgid(), "group"),
    ):
        if status.st_mode & bit and not own:
            return Obstacle(f"{shown} is set-{name}-ID, and the system loads no library of ours into such a program.")
    if os.getuid() != 0 and _has_capabilities(program):
        return Obstacle(f"{shown} has file capabilities, and the system loads no library of ours into such a program.")
    program_elf, library_elf = read_elf(program), read_elf(library)
    if program_elf is None or library_elf is None:
        return None
    return _of_elf(shown, program_elf, library_elf)


def _of_elf(shown: str, program: Elf, library: Elf) -> Obstacle | None:
    if not program.interpreter:
        return Obstacle(f"{shown} is statically linked, so no library can move the port that it binds.")
    if program.bits != library.bits:
        return Obstacle(
            f"{shown} is a {program.bits}-bit program, and the library that moves ports is a {library.bits}-bit one."
        )
    if program.kind != library.kind:
        return Obstacle(f"{shown} is for another processor than the library that moves ports.")
    if program.is_go:
        return Obstacle(f"{shown} is written in Go, which binds ports without asking the system's library.")
    if "musl" in program.interpreter and not _is_musl():
        return Obstacle(f"{shown} uses another C library (musl) than the library that moves ports.")
    return None


def _is_musl() -> bool:
    """Whether this system's C library, for which ours was compiled, is musl."""
    own = read_elf(Path(sys.executable))
    return own is not None and "musl" in own.interpreter


def _has_capabilities(program: Path) -> bool:
    try:
        return bool(os.getxattr(program, "security.capability"))
    except OSError:
        return False
