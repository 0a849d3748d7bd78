"""Actions that note what was asked for, in place of the application."""

from __future__ import annotations

from typing import Any

from tests.gui.certificates import FakeRequests
from tests.gui.profiles import FakeProfiles
from tests.gui.secret_store import FakeSecrets
from wsgui.profiles.model import Profile


class RecordedActions:
    """Fulfils `wsgui.gui.actions.Actions`; `asked` lists each request with its values."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.certificates = FakeRequests()
        self.profiles = FakeProfiles()
        self.secrets = FakeSecrets()

    def start(self, name: str) -> None:
        self.asked.append(("start", name))

    def stop(self, name: str, *, grace_seconds: float = 0.0) -> None:
        self.asked.append(("stop", name, grace_seconds))

    def open_page(self, name: str) -> None:
        self.asked.append(("open_page", name))

    def copy_address(self, name: str) -> None:
        self.asked.append(("copy_address", name))

    def copy_text(self, text: str) -> None:
        self.asked.append(("copy_text", text))

    def disconnect(self, name: str, connection: int) -> None:
        self.asked.append(("disconnect", name, connection))

    def use_port(self, name: str, port: int) -> None:
        self.asked.append(("use_port", name, port))

    def allow_origin(self, name: str, origin: str) -> None:
        self.asked.append(("allow_origin", name, origin))

    def edit_profile(self, name: str) -> None:
        self.asked.append(("edit_profile", name))

    def open_source(self, source: str) -> None:
        self.asked.append(("open_source", source))

    def create(self, profile: Profile) -> None:
        self.asked.append(("create", profile))

    def quit(self) -> None:
        self.asked.append(("quit",))
