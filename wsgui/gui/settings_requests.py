"""What the Settings tab may ask about a profile's file: each request runs in a thread, its answer comes on Qt's loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wsgui.gui.certificate_requests import Cancel, Failed

if TYPE_CHECKING:
    from wsgui.errors import WsguiError
    from wsgui.profiles.revising import Changes, ProfileFile


@dataclass(frozen=True, slots=True)
class Applied:
    """The file was written; `problem` says why the running tunnel could not take it over and goes on as before."""

    file: ProfileFile
    problem: WsguiError | None = None


class SettingsRequests(Protocol):
    """Requests return at once. Exactly one of `done` and `failed` is called later, unless the request is cancelled."""

    def read(self, name: str, done: Callable[[ProfileFile | None], object], failed: Failed) -> Cancel:
        """The file of the profile `name`; None for one that has none, as the built-in demo."""

    def look_again(self, file: ProfileFile, done: Callable[[ProfileFile | None], object], failed: Failed) -> Cancel:
        """What `file` says now; None when it is gone."""

    def apply(self, file: ProfileFile, changes: Changes, done: Callable[[Applied], object], failed: Failed) -> Cancel:
        """Write `changes` into the file and let the tunnel take them over."""

    def put_back(self, file: ProfileFile, data: bytes, done: Callable[[Applied], object], failed: Failed) -> Cancel:
        """Write an earlier text of the file again, and let the tunnel take it over."""

    def adopt_demo(self, done: Callable[[str], object], failed: Failed) -> Cancel:
        """Make a profile of the built-in demo, with a file of its own; its name."""
