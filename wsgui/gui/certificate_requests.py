"""What the window may ask about certificates: each request runs in a thread, and its answer comes on Qt's loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from wsgui.app.certificates import Certificates
    from wsgui.engine.snapshot import OfferSnapshot
    from wsgui.errors import WsguiError

T = TypeVar("T")
Cancel = Callable[[], object]
Failed = Callable[["WsguiError"], object]


class CertificateRequests(Protocol):
    """Requests return at once. Exactly one of `done` and `failed` is called later, unless the request is cancelled."""

    def ask(
        self, what: str, question: Callable[[Certificates], T], done: Callable[[T], object], failed: Failed
    ) -> Cancel:
        """Let a thread ask `question` of this user's certificates; `what` names it in the log.

        Where it needs a passphrase that is kept nowhere, the person is asked in a sheet meanwhile.

        Returns:
            What makes the window stop waiting; the thread ends what it has begun.
        """

    def offer(self, tunnel: str, authority: str, done: Callable[[OfferSnapshot], object], failed: Failed) -> Cancel:
        """Offer the certificate of the authority with this ID (empty: the newest) on the tunnel's port."""

    def withdraw(self, tunnel: str) -> None:
        """Stop offering."""

    def unlock(self, tunnel: str) -> None:
        """Have the keys of a tunnel's certificates opened, by the keyring or by a person, and start it again."""
