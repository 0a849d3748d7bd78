"""The trust stores that are NSS databases: Chrome's and its kin's on Linux, and Firefox's."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509

from wsgui.certificates.trust.certutil import TRUSTED_FLAGS, Certutil, Found, install_command
from wsgui.certificates.trust.nss_places import CHROMES, changed_in_use, firefox_databases, shared_database
from wsgui.certificates.trust.nss_places import shared_databases as chrome_databases
from wsgui.certificates.trust.public_file import public_file
from wsgui.certificates.trust.store import Outcome, Trust, TrustState, nickname
from wsgui.certificates.trust.tools import Tools
from wsgui.display import display
from wsgui.errors import CertificateError, WsguiError

CHROME: Final = "Chrome and other programs on NSS"
FIREFOX: Final = "Firefox"

_TRUST_AGAIN: Final = "wsgui certificate trust"
_UNTRUST_AGAIN: Final = "wsgui certificate untrust"


class NssStore:
    """All databases of one kind, which are trusted by together.

    Args:
        name: As a person knows it.
        databases: Finds the databases that exist.
        missing: The database that is made where there is none, and its browsers are here; None makes none.
        place: What one database is to a person: "profile".
        restart: Finds out whether a browser has to be restarted before what is in a database counts.
        tools: Where certutil is looked for.
        folder: Where the public certificate is put for commands that a person is told to run.
    """

    def __init__(
        self,
        name: str,
        databases: Callable[[], Sequence[Path]],
        *,
        missing: Callable[[], Path | None],
        place: str,
        restart: Callable[[Path], bool],
        tools: Tools,
        folder: Path,
    ) -> None:
        self._name = name
        self._databases = databases
        self._missing = missing
        self._place = place
        self._restart = restart
        self._tools = tools
        self._folder = folder

    @property
    def name(self) -> str:
        return self._name

    def state(self, certificate: x509.Certificate) -> Trust:
        databases = self._databases()
        if not databases:
            missing = self._missing()
            if missing is None:
                return Trust(TrustState.ABSENT, self._nothing_here)
            return Trust(TrustState.UNTRUSTED, f"{self._subject} does not trust it.")
        certutil = self._certutil()
        if certutil is None:
            return Trust(TrustState.UNKNOWN, f"{_NO_CERTUTIL} {_to_install()}")
        found: list[Path] = []
        for database in databases:
            try:
                if (entry := certutil.find(database, certificate)) and entry.trusted:
                    found.append(database)
            except CertificateError as error:
                return Trust(TrustState.UNKNOWN, f"{self._shown(database)}: {error}")
        if len(found) == len(databases):
            again = f" Restart {self._subject}." if any(self._restart(database) for database in databases) else ""
            return Trust(TrustState.TRUSTED, f"{self._subject} trusts it.{again}")
        some = f" in {len(databases) - len(found)} of {len(databases)} {self._place}s" if found else ""
        return Trust(TrustState.UNTRUSTED, f"{self._subject} does not trust it{some}.")

    def add(self, certificate: x509.Certificate) -> Outcome:
        databases = self._databases()
        missing = None if databases else self._missing()
        if not databases and missing is None:
            return Outcome(self._name, True, f"{self._nothing_here} There is nothing to do.")
        certutil = self._certutil()
        if certutil is None:
            return Outcome(self._name, False, _NO_CERTUTIL, _lines(install_command(sys.platform), _TRUST_AGAIN))
        if missing is not None:
            try:
                self._make(certutil, missing)
            except WsguiError as error:
                return Outcome(self._name, False, f"{self._shown(missing)}: {error}")
            databases = (missing,)

        def trust(database: Path, entry: Found | None) -> bool:
            if entry is not None and entry.trusted:
                return False
            certutil.trust(database, certificate)
            if not ((now := certutil.find(database, certificate)) and now.trusted):
                raise CertificateError("certutil took it, but it is not trusted.", "Close the browser and try again.")
            return True

        def command(program: str, database: Path, _entry: Found | None) -> list[str]:
            file = str(public_file(self._folder, certificate))
            name = nickname(certificate)
            return [program, "-A", "-d", f"sql:{database}", "-n", name, "-t", TRUSTED_FLAGS, "-a", "-i", file]

        return self._each(
            certutil, databases, certificate, trust, command, f"{self._subject} trusts it now", "trusted it already"
        )

    def remove(self, certificate: x509.Certificate) -> Outcome:
        databases = self._databases()
        if not databases:
            return Outcome(self._name, True, f"{self._subject} did not trust it.")
        certutil = self._certutil()
        if certutil is None:
            return Outcome(self._name, False, _NO_CERTUTIL, _lines(install_command(sys.platform), _UNTRUST_AGAIN))

        def distrust(database: Path, entry: Found | None) -> bool:
            if entry is None:
                return False
            certutil.remove(database, certificate)
            return True

        def command(program: str, database: Path, entry: Found | None) -> list[str]:
            name = entry.nickname if entry else nickname(certificate)
            return [program, "-D", "-d", f"sql:{database}", "-n", name]

        return self._each(
            certutil,
            databases,
            certificate,
            distrust,
            command,
            f"{self._subject} trusts it no longer",
            "did not trust it",
        )

    def _each(
        self,
        certutil: Certutil,
        databases: Sequence[Path],
        certificate: x509.Certificate,
        change: Callable[[Path, Found | None], bool],
        command: Callable[[str, Path, Found | None], list[str]],
        done: str,
        before: str,
    ) -> Outcome:
        changed: list[Path] = []
        problems: list[str] = []
        commands: list[str] = []
        for database in databases:
            entry = None
            try:
                entry = certutil.find(database, certificate)
                if change(database, entry):
                    changed.append(database)
            except WsguiError as error:
                problems.append(f"{self._shown(database)}: {error}")
                try:
                    commands.append(shlex.join(command("certutil", database, entry)))
                except WsguiError as unwritten:
                    problems.append(str(unwritten))
        if problems:
            return Outcome(self._name, False, " ".join(problems), _lines(*commands))
        if not changed:
            return Outcome(self._name, True, f"{self._subject} {before}.")
        count = f", in {len(changed)} {self._place}s" if len(changed) > 1 else ""
        again = f" Restart {self._subject}." if any(self._restart(database) for database in changed) else ""
        return Outcome(self._name, True, f"{done}{count}.{again}")

    def _make(self, certutil: Certutil, database: Path) -> None:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database.mkdir(mode=0o700, exist_ok=True)
        certutil.create(database)

    def _certutil(self) -> Certutil | None:
        program = self._tools.find("certutil")
        return Certutil(program, self._tools) if program else None

    def _shown(self, database: Path) -> str:
        home = self._tools.home
        path = Path("~") / database.relative_to(home) if database.is_relative_to(home) else database
        return display(str(path))

    @property
    def _subject(self) -> str:
        return "Chrome" if self._name == CHROME else self._name

    @property
    def _nothing_here(self) -> str:
        what = "Firefox with a profile" if self._name == FIREFOX else "program that uses an NSS database"
        return f"There is no {what} on this computer."


def chrome_store(tools: Tools, folder: Path) -> NssStore:
    """Return the user's shared database and those of Chromium in Snap and Flatpak."""
    home, data_home = tools.home, tools.variable("XDG_DATA_HOME")

    def missing() -> Path | None:
        here = any(tools.find(program) for program in ("certutil", *CHROMES))
        return shared_database(home, data_home) if here else None

    return NssStore(
        CHROME,
        lambda: chrome_databases(home, data_home),
        missing=missing,
        place="database",
        restart=lambda _: False,  # It looks again by itself.
        tools=tools,
        folder=folder,
    )


def firefox_store(tools: Tools, folder: Path) -> NssStore:
    """Return all Firefox profiles of the user."""
    home, config_home = tools.home, tools.variable("XDG_CONFIG_HOME")
    return NssStore(
        FIREFOX,
        lambda: firefox_databases(home, config_home),
        missing=lambda: None,
        place="profile",
        restart=changed_in_use,
        tools=tools,
        folder=folder,
    )


_NO_CERTUTIL: Final = "NSS's certutil is not installed."


def _to_install() -> str:
    command = install_command(sys.platform)
    return f"Run: {command}" if command else "Install it."


def _lines(*commands: str) -> str:
    return "\n".join(command for command in commands if command)
