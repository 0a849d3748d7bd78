"""Profiles' files in memory, in place of files that are read and written in threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsgui.errors import ProfileError, WsguiError
from wsgui.gui.settings_requests import Applied
from wsgui.profiles.disk import DiskError
from wsgui.profiles.editing import edited_text
from wsgui.profiles.reading import parse, read_profile
from wsgui.profiles.revising import Changes, ProfileFile, attempt

FOLDER = Path("/home/lee/.config/wsgui/profiles")
OFFICE = """\
# The desktop in the office, for everybody at home.
name = "Office desktop"
listen = "*:6080"
target = "office:5901"

[tls]
certificate = ["lab-pc.local"]  # made with wsgui

[access]
basic = "keyring:office"
origins = ["same-host", "https://vnc.lab"]
"""


def profile_file(text: str, name: str = "Office desktop") -> ProfileFile:
    """What a file with `text` would be read as."""
    path = FOLDER / f"{name.lower().replace(' ', '-')}.toml"
    data = text.encode()
    settings: dict[str, Any] = {}
    try:
        settings, _ = parse(data, str(path))
        profile = read_profile(data, str(path), folder=FOLDER, default_name=name)
    except ProfileError as error:
        return ProfileFile(path, name, None, error, settings, data)
    return ProfileFile(path, profile.name, profile, None, settings, data)


class FakeSettings:
    """Fulfils `wsgui.gui.settings_requests.SettingsRequests` at once, or, while `held`, when `answer` is called."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {"Office desktop": OFFICE}
        self.failing: WsguiError | None = None
        """What the next write fails with."""
        self.problem: WsguiError | None = None
        """Why the running tunnel cannot take over what was written."""
        self.applied: list[dict[str, Any]] = []
        self.reads: list[str] = []
        self.adopted = 0
        self.held = False
        self.waiting: list[Callable[[], None]] = []

    def read(self, name: str, done: Any, failed: Any) -> Callable[[], object]:
        self.reads.append(name)
        return self._run(lambda: self._file(name), done, failed)

    def look_again(self, file: ProfileFile, done: Any, failed: Any) -> Callable[[], object]:
        return self._run(lambda: self._file(file.name), done, failed)

    def apply(self, file: ProfileFile, changes: Changes, done: Any, failed: Any) -> Callable[[], object]:
        def work() -> Applied:
            trial = attempt(file, changes)
            assert file.profile is not None
            assert trial.profile is not None
            self.applied.append(dict(changes))
            text = file.data.decode()
            return self._write(
                file, edited_text(text, file.profile, trial.profile, folder=FOLDER, source=file.path.name)
            )

        return self._run(work, done, failed)

    def put_back(self, file: ProfileFile, data: bytes, done: Any, failed: Any) -> Callable[[], object]:
        return self._run(lambda: self._write(file, data.decode()), done, failed)

    def adopt_demo(self, done: Any, failed: Any) -> Callable[[], object]:
        self.adopted += 1
        return self._run(lambda: "My demo", done, failed)

    def answer(self) -> None:
        """Answer all that waits."""
        self.held = False
        while self.waiting:
            self.waiting.pop(0)()

    def _file(self, name: str) -> ProfileFile | None:
        return profile_file(self.texts[name], name) if name in self.texts else None

    def _write(self, file: ProfileFile, text: str) -> Applied:
        error, self.failing = self.failing, None
        if error is not None:
            raise error
        if self.texts[file.name].encode() != file.data:
            raise DiskError(f"{file.path} was changed by somebody else meanwhile.", "Try again.")
        self.texts[file.name] = text
        written = profile_file(text, file.name)
        return Applied(replace(written, name=file.name), self.problem)

    def _run(self, work: Callable[[], object], done: Any, failed: Any) -> Callable[[], object]:
        gone = False

        def run() -> None:
            if gone:
                return
            try:
                value = work()
            except WsguiError as error:
                failed(error)
            else:
                done(value)

        def cancel() -> None:
            nonlocal gone
            gone = True

        if self.held:
            self.waiting.append(run)
        else:
            run()
        return cancel
