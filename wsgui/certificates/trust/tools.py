"""Runs other programs for the trust stores: as lists, with a deadline, without a terminal, in a clean environment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wsgui.display import display
from wsgui.errors import CertificateError

SECONDS: Final = 30.0
"""How long a program may take that asks nobody."""
FOR_ROOT: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin")
"""Where root's tools lie, not all of which everybody has on PATH."""

# What programs need to find their user, and polkit's or a keychain's dialog to find its screen.
_FOLDERS: Final = ("PATH", "HOME", "TMPDIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
_SESSION: Final = ("USER", "LOGNAME", "XDG_SESSION_ID", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY")
_BUS: Final = ("DBUS_SESSION_BUS_ADDRESS",)
_WINDOWS: Final = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP")
_KEPT: Final = (*_FOLDERS, *_SESSION, *_BUS, *_WINDOWS, "PATHEXT")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program that has ended said; `code` is negative when a signal ended it."""

    code: int
    output: bytes
    errors: str

    @property
    def complaint(self) -> str:
        """Its last line on stderr, safe to show; "exit code 3" when there is none."""
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        return display(lines[-1], limit=200).rstrip(".") if lines else f"exit code {self.code}"


class Tools:
    """The programs of one user's environment.

    Args:
        environment: HOME, PATH and the like; of everything else the programs see nothing.
        more: Folders to look into after those of PATH.
    """

    def __init__(self, environment: Mapping[str, str], *, more: Sequence[str] = FOR_ROOT) -> None:
        upper = {name.upper(): value for name, value in environment.items()} if os.name == "nt" else environment
        self._environment = {name: upper[name] for name in _KEPT if name in upper} | {"LC_ALL": "C"}
        self._more = tuple(more)

    def variable(self, name: str) -> str:
        """Return one of the environment's variables; "" when it is not set."""
        return self._environment.get(name, "")

    @property
    def home(self) -> Path:
        return Path(self.variable("HOME") or self.variable("USERPROFILE") or os.path.expanduser("~"))

    def find(self, name: str) -> str | None:
        """Return where a program is, or None."""
        return _found(name, (*self._path, *self._more))

    def find_for_root(self, name: str) -> str | None:
        """Return where a program is that root runs, or that asks for root's rights, or None.

        The system's own goes before one on PATH: that may be anybody's who could write into the user's folders.
        """
        return _found(name, (*self._more, *self._path))

    @property
    def _path(self) -> list[str]:
        return self.variable("PATH").split(os.pathsep)

    def run(self, command: Sequence[str], *, given: bytes = b"", seconds: float = SECONDS) -> Ran:
        """Run a program to its end.

        It is in a session of its own: without a terminal it cannot wait for a password there.

        Args:
            given: What it reads on stdin, and then its end.

        Raises:
            CertificateError: It could not be started, or was ended as it took longer than `seconds`.
        """
        shown = display(Path(command[0]).name)
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise CertificateError(f"{shown} could not be started: {why}.", "Install it again.") from error
        with process:
            try:
                output, errors = process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired:
                _end(process)
                raise CertificateError(
                    f"{shown} did not end within {seconds:g} seconds.", "Try again, or run the command yourself."
                ) from None
            except BaseException:
                _end(process)
                raise
        return Ran(process.returncode, output, errors.decode("utf-8", "replace"))


def _found(name: str, folders: Sequence[str]) -> str | None:
    # A relative folder, and an empty one is the working directory, leads elsewhere each time.
    absolute = [folder for folder in folders if os.path.isabs(folder)]
    return shutil.which(name, path=os.pathsep.join(absolute)) if absolute else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and what it has started; what runs as root meanwhile is not ours to end, and is left."""
    with contextlib.suppress(OSError):
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
