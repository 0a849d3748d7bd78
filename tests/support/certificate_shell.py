"""`wsgui certificate …` in this process, with folders, trust stores and a person of the test's own."""

from __future__ import annotations

import getpass
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.trust_stores import MemoryStore
from wsgui.app import certificates
from wsgui.cli.main import main

PASSPHRASE = "correct horse battery"
WHERE = "env:TEST_PASSPHRASE"


class Terminal(io.StringIO):
    """A standard input that somebody sits at."""

    def isatty(self) -> bool:
        return True


class CertificateShell:
    """Runs `wsgui certificate ARGUMENTS` and keeps what it printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.stores = [MemoryStore("System"), MemoryStore("Chrome and others")]
        self.asked: list[str] = []
        """What was asked for without an echo."""
        self.out = self.err = ""
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        for kind in ("config", "data", "runtime"):
            monkeypatch.setenv(f"WSGUI_{kind.upper()}_DIR", str(folder / kind))
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("TEST_PASSPHRASE", PASSPHRASE)
        monkeypatch.setattr(certificates, "platform_stores", lambda _: tuple(self.stores))
        monkeypatch.chdir(folder)

    def __call__(
        self, *arguments: str, code: int = 0, answers: str | None = None, passwords: tuple[str, ...] = ()
    ) -> str:
        """Run it and return what it printed.

        Args:
            answers: What somebody types who sits at the terminal; None = nobody does.
            passwords: What they type without an echo.
        """
        typed = iter(passwords)

        def ask(prompt: str = "", stream: object = None) -> str:
            self.asked.append(prompt)
            return next(typed)

        self._monkeypatch.setattr(getpass, "getpass", ask)
        self._monkeypatch.setattr(sys, "stdin", io.StringIO() if answers is None else Terminal(answers))
        try:
            result = main(["certificate", *arguments])
        except SystemExit as ended:
            result = int(ended.code or 0)
        self.out, self.err = self._capsys.readouterr()
        assert result == code, self.out + self.err
        return self.out

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))

    def profile(self, name: str, certificate: str) -> None:
        """Write a profile that uses a certificate."""
        profiles = self.folder / "config" / "profiles"
        profiles.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = f'name = "{name}"\ntarget = "127.0.0.1:5901"\n[tls]\ncertificate = ["{certificate}"]\n'
        (profiles / f"{name.lower()}.toml").write_text(text)
