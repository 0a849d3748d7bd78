"""What the views may ask for; the application carries it out, so that no view knows the engine or its thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from wsgui.gui.certificate_requests import CertificateRequests
    from wsgui.gui.profile_requests import ProfileRequests
    from wsgui.gui.secret_requests import SecretRequests
    from wsgui.profiles.model import Profile

FINISH_SECONDS: Final = 24 * 3600.0
"""The grace of "Let 3 finish": the clients end by themselves; a day is the end of any patience."""


class Actions(Protocol):
    """Requests of a person. Each returns at once; what comes of it arrives with the next snapshot.

    A request that cannot be carried out is answered by `MainWindow.show_message`, never by an exception here.
    """

    @property
    def certificates(self) -> CertificateRequests:
        """What is asked about certificates, with answers."""

    @property
    def profiles(self) -> ProfileRequests:
        """What is asked about a profile's file, with answers."""

    @property
    def secrets(self) -> SecretRequests:
        """What is asked about secrets, with answers."""

    def start(self, name: str) -> None:
        """Turn the tunnel on (also: try again now)."""

    def stop(self, name: str, *, grace_seconds: float = 0.0) -> None:
        """Turn it off; clients may go on for `grace_seconds`. During a grace time, 0 ends it at once."""

    def open_page(self, name: str) -> None:
        """Show the tunnel's page in the browser."""

    def copy_address(self, name: str) -> None:
        """Put the address that a client needs on the clipboard: the WebSocket's, as the window shows it."""

    def copy_text(self, text: str) -> None:
        """Put `text` on the clipboard."""

    def disconnect(self, name: str, connection: int) -> None:
        """End one client's connection."""

    def use_port(self, name: str, port: int) -> None:
        """Write `port` into the profile's `listen` and start it."""

    def allow_origin(self, name: str, origin: str) -> None:
        """Add `origin` (scheme://host[:port], punycode) to the profile's `access.origins`."""

    def edit_profile(self, name: str) -> None:
        """Open the profile's file in the user's editor."""

    def open_source(self, source: str) -> None:
        """Open the file that a `ProfileError.source` names."""

    def create(self, profile: Profile) -> None:
        """Save a new profile, add it to the engine and start it; `MainWindow.select` it once it is in a snapshot."""

    def quit(self) -> None:
        """Stop all tunnels and end the program."""
