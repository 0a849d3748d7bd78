"""What the window may ask about secrets: each request runs in a thread, and its answer comes on Qt's loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wsgui.gui.certificate_requests import Cancel, Failed

if TYPE_CHECKING:
    from wsgui.profiles.keyring_access import Finding


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of storing: nothing is `done` where the name is taken and nobody has said that it may be replaced."""

    done: bool
    used_by: tuple[str, ...] = ()
    """The tunnels whose profiles name it."""


class SecretRequests(Protocol):
    """Requests return at once. Exactly one of `done` and `failed` is called later, unless the request is cancelled."""

    def keyring(self, done: Callable[[Finding], object], failed: Failed) -> Cancel:
        """What can be expected of the keyring; nobody is asked for anything."""

    def store(
        self, name: str, value: str, *, replace: bool, done: Callable[[Stored], object], failed: Failed
    ) -> Cancel:
        """Keep `value` in the keyring as `name`; with `replace`, also in the place of what has that name."""

    def used_by(self, name: str, done: Callable[[tuple[str, ...]], object], failed: Failed) -> Cancel:
        """The tunnels whose profiles name the secret `name`."""

    def remove(self, name: str, done: Callable[[bool], object], failed: Failed) -> Cancel:
        """Remove the secret `name` from the keyring; whether there was one."""
