"""Profiles' files for pictures and tests of views: in memory, answered at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsgui.app.profile_edits import StoredProfile, candidate
from wsgui.errors import ProfileError, WsguiError
from wsgui.profiles.editing import edited_text
from wsgui.profiles.reading import build_profile, parse

FOLDER = Path("/home/lee/.config/wsgui/profiles")
OFFICE = """\
name = "Office desktop"
listen = "*:6080"
target = "office:5901"

[tls]
certificate = "lab-pc.local"

[access]
basic = "keyring:office-desktop"  # the password of the whole office
"""


def stored(text: str, file: str = "office-desktop.toml") -> StoredProfile:
    """A file with `text`, as `profile_edits.read` gives it."""
    path, data = FOLDER / file, text.encode()
    try:
        settings, parsed = parse(data, str(path))
        profile = build_profile({"name": path.stem} | settings, str(path), text=parsed, folder=FOLDER)
    except ProfileError as error:
        return StoredProfile(path, data, {}, None, error)
    return StoredProfile(path, data, settings, profile, None)


class FakeProfiles:
    """Fulfils `wsgui.gui.profile_requests.ProfileRequests`; `files` are texts by tunnel."""

    def __init__(self) -> None:
        self.files: dict[str, StoredProfile] = {}
        self.failing: WsguiError | None = None
        self.applied: list[dict[str, Any]] = []
        self.reads = 0

    def put(self, text: str, name: str = "Office desktop", file: str = "office-desktop.toml") -> None:
        """Let the tunnel `name` have a file with `text`."""
        self.files[name] = stored(text, file)

    def text(self, name: str = "Office desktop") -> str:
        return self.files[name].data.decode()

    def read(self, name: str, done: Any, failed: Any) -> None:
        self.reads += 1
        done(self.files.get(name))

    def apply(self, of: StoredProfile, changes: Mapping[str, Any], done: Any, failed: Any) -> None:
        if self.failing is not None:
            error, self.failing = self.failing, None
            failed(error)
            return
        assert of.profile is not None
        after = candidate(of, changes)
        text = edited_text(of.data.decode(), of.profile, after, folder=FOLDER, source="the file")
        self.applied.append(dict(changes))
        self._write(of, text, done)

    def restore(self, of: StoredProfile, data: bytes, done: Any, failed: Any) -> None:
        self._write(of, data.decode(), done)

    def _write(self, of: StoredProfile, text: str, done: Any) -> None:
        assert of.profile is not None
        name = of.profile.name
        self.files[name] = replace(stored(text, of.path.name))
        done(self.files[name])
