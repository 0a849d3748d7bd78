"""The trust store of a Linux system, which only root may change."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509

from wsgui.certificates.trust.public_file import public_file
from wsgui.certificates.trust.store import Outcome, Trust, TrustState, authority_id, der, pem
from wsgui.certificates.trust.system_places import Layout, layout
from wsgui.certificates.trust.tools import Tools
from wsgui.display import display
from wsgui.errors import CertificateError, WsguiError

SYSTEM: Final = "System"
UPDATE_SECONDS: Final = 120.0
DIALOG_SECONDS: Final = 180.0
"""How long a person may take to type the password that polkit asks for."""

_BEGAN: Final = b"began\n"
# In one piece, as each command asks for the password anew. Arguments: the file, then the command that updates.
_ADD: Final = (
    'echo began; umask 022; file=$1; shift; cat > "$file" && chmod 644 "$file" && "$@" || { rm -f -- "$file"; exit 1; }'
)
_REMOVE: Final = (
    'echo began; count=$1; shift; while [ "$count" -gt 0 ]; do rm -f -- "$1" || exit 1; shift; '
    'count=$((count - 1)); done; "$@"'
)


class SystemStore:
    """The anchors folder and bundle that the system's tools keep.

    Args:
        tools: Where the system's tools, sudo and pkexec are looked for.
        folder: Where the public certificate is put for commands that a person is told to run.
        root: The system's root folder.
        is_root: Whether this process may change the system itself.
    """

    def __init__(self, tools: Tools, folder: Path, *, root: Path = Path("/"), is_root: bool | None = None) -> None:
        self._tools = tools
        self._folder = folder
        self._root = root
        self._is_root = os.getuid() == 0 if is_root is None else is_root

    @property
    def name(self) -> str:
        return SYSTEM

    def state(self, certificate: x509.Certificate) -> Trust:
        found = self._layout()
        if found is None:
            return Trust(TrustState.ABSENT, _NO_STORE)
        try:
            if found.trusts(der(certificate)):
                return Trust(TrustState.TRUSTED, "The system trusts it.")
            anchors = found.anchors_of(der(certificate))
        except OSError as error:
            return Trust(TrustState.UNKNOWN, f"The system's certificates cannot be read: {error.strerror or error}.")
        if anchors:
            message = f"The system does not trust it yet, though {display(str(anchors[0]))} is there."
            return Trust(TrustState.UNTRUSTED, f"{message} Run: {self._as_root(shlex.join(found.update))}")
        return Trust(TrustState.UNTRUSTED, "The system does not trust it.")

    def add(self, certificate: x509.Certificate) -> Outcome:
        found = self._layout()
        if found is None:
            return Outcome(SYSTEM, True, f"{_NO_STORE} There is nothing to do.")
        data, target = der(certificate), found.anchors / f"wsgui-{authority_id(certificate)}{found.suffix}"
        try:
            if found.trusts(data):
                return Outcome(SYSTEM, True, "The system trusted it already.")
            problem = self._change([_ADD, "wsgui", str(target), *found.update], pem(certificate))
            if not problem and found.trusts(data):
                return Outcome(
                    SYSTEM, True, "The system trusts it now. Programs that are running may have to be restarted."
                )
            problem = problem or f"{found.update[0]} did not take the certificate over."
        except (OSError, WsguiError) as error:
            problem = _said(error)
        try:
            file = public_file(self._folder, certificate)
        except WsguiError as error:
            return Outcome(SYSTEM, False, f"{problem} {error}")
        commands = (shlex.join(["install", "-m", "644", str(file), str(target)]), shlex.join(found.update))
        return Outcome(SYSTEM, False, problem, self._as_root(*commands))

    def remove(self, certificate: x509.Certificate) -> Outcome:
        found = self._layout()
        if found is None:
            return Outcome(SYSTEM, True, f"{_NO_STORE} There is nothing to do.")
        data, anchors = der(certificate), list[Path]()
        try:
            anchors = found.anchors_of(data)
            if not anchors and not found.trusts(data):
                return Outcome(SYSTEM, True, "The system did not trust it.")
            if not anchors:
                message = f"The system trusts it by another file than one in {found.anchors}, which wsgui leaves alone."
                return Outcome(SYSTEM, False, message)
            names = [str(path) for path in anchors]
            problem = self._change([_REMOVE, "wsgui", str(len(names)), *names, *found.update], b"")
            if not problem and not found.trusts(data):
                return Outcome(
                    SYSTEM, True, "The system trusts it no longer. Programs that are running may not notice."
                )
            problem = problem or f"{found.update[0]} left the certificate where it was."
        except (OSError, WsguiError) as error:
            problem = _said(error)
        commands = (shlex.join(["rm", "-f", *map(str, anchors)]), shlex.join(found.update))
        return Outcome(SYSTEM, False, problem, self._as_root(*commands))

    def _layout(self) -> Layout | None:
        return layout(self._root, self._tools)

    def _change(self, script: Sequence[str], given: bytes) -> str:
        """Run a script as root and return why that could not be done; "" when it was."""
        refused = "Only root may change what the system trusts."
        for prefix, seconds in self._ways():
            try:
                ran = self._tools.run([*prefix, "/bin/sh", "-c", *script], given=given, seconds=seconds)
            except CertificateError as error:
                refused = str(error)
                continue
            if ran.output.startswith(_BEGAN):
                return "" if ran.code == 0 else f"The system could not be changed: {ran.complaint}."
        return refused

    def _ways(self) -> Iterator[tuple[list[str], float]]:
        """How to be root, and how long that may take. None of them asks on a terminal."""
        if self._is_root:
            yield [], UPDATE_SECONDS
            return
        if sudo := self._tools.find_for_root("sudo"):
            yield [sudo, "-n", "--"], UPDATE_SECONDS
        has_display = self._tools.variable("DISPLAY") or self._tools.variable("WAYLAND_DISPLAY")
        if has_display and (pkexec := self._tools.find_for_root("pkexec")):
            yield [pkexec, "--disable-internal-agent"], DIALOG_SECONDS

    def _as_root(self, *commands: str) -> str:
        if self._is_root:
            return " && ".join(commands)
        if self._tools.find_for_root("sudo"):
            return " && ".join(f"sudo {command}" for command in commands)
        return f"su -c {shlex.quote(' && '.join(commands))}"


_NO_STORE: Final = "This system has no store of certificates that wsgui knows."


def _said(error: OSError | WsguiError) -> str:
    return (
        str(error) if isinstance(error, WsguiError) else f"The system's certificates cannot be read: {error.strerror}."
    )
