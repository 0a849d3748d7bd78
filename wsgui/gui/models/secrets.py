"""References to secrets as words, and names for new ones; nothing of Qt's widgets."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.gui.models.certificates import keyring_state
from wsgui.gui.wording import Notice
from wsgui.profiles.formats import is_reference
from wsgui.profiles.keyring_access import Finding, KeyringState

translate = QCoreApplication.translate
_MESSAGE = 600
"""Characters of a message that may name files and profiles."""


def place_words(reference: str) -> str:
    """Where the secret is: "in the keyring as office"; or that it is not set."""
    kind, _, place = reference.partition(":")
    shown = display(place)
    match kind:
        case "":
            return translate("secrets", "not set")
        case "keyring":
            return translate("secrets", "in the keyring as {0}").format(shown)
        case "env":
            return translate("secrets", "environment variable {0}").format(shown)
        case "file":
            return translate("secrets", "file {0}").format(shown)
        case "unbound":
            return translate("secrets", "{0}, which came with an imported profile and is not here").format(shown)
        case _:
            # What is no reference may be the secret itself, so it is not shown.
            return translate("secrets", "something that is no reference to a secret")


def keyring_name(reference: str) -> str:
    """The name in the keyring that `reference` has; "" when it is elsewhere."""
    return reference.removeprefix("keyring:") if reference.startswith("keyring:") else ""


def reference_problem(reference: str) -> str:
    """What is wrong with a reference that was typed, by the profile's own rule; "" when nothing is."""
    kind, _, place = reference.partition(":")
    if is_reference(reference):
        return ""
    match kind:
        case "keyring" if not place.strip():
            return translate("secrets", "Write what it is called in the keyring, such as office.")
        case "keyring":
            return translate("secrets", "A name has letters, digits, spaces and -_./ only.")
        case "env":
            return translate("secrets", "A variable's name has letters, digits and _ only, and begins with no digit.")
        case _:
            return translate("secrets", "Write the whole path: it begins with / or ~/.")


def keyring_words(finding: Finding | None) -> str:
    """What is to be known of the keyring before something is stored in it; "" while it can be used."""
    if finding is None or finding.state is KeyringState.AVAILABLE:
        return ""
    if finding.state is KeyringState.LOCKED:
        return translate("secrets", "The keyring is locked. It asks to be unlocked when the secret is stored.")
    words = translate("secrets", "{0} {1} Or let wsgui read the secret from elsewhere.")
    return words.format(display(finding.message, limit=_MESSAGE), display(finding.hint, limit=_MESSAGE))


def keyring_notice(error: WsguiError) -> Notice:
    """Why nothing was stored or removed."""
    message, hint = display(error.message, limit=_MESSAGE), display(error.hint, limit=_MESSAGE)
    if keyring_state(error) is KeyringState.LOCKED:
        words = translate("secrets", "The keyring is locked, so nothing was changed in it.")
        return Notice("warn", words, translate("secrets", "Unlock it and try again."))
    return Notice("warn" if keyring_state(error) is not None else "err", message, hint)


def taken_notice(name: str, used_by: Sequence[str]) -> Notice:
    """The keyring has a secret of this name already."""
    message = translate("secrets", "The keyring already has a secret called “{0}”.").format(display(name))
    if used_by:
        hint = translate("secrets", "{0} would use the new one from then on. Write another name, or replace it.")
        return Notice("warn", message, hint.format(names_words(used_by)))
    return Notice("warn", message, translate("secrets", "Write another name, or replace it: the old one is lost."))


def names_words(names: Sequence[str], most: int = 3) -> str:
    """Tunnels by name: “Office”, “Lab” and 2 others."""
    shown = [f"“{display(name)}”" for name in names[:most]]
    if len(names) > most:
        return translate("secrets", "{0} and %n other(s)", None, len(names) - most).format(", ".join(shown))
    if len(shown) > 1:
        return translate("secrets", "{0} and {1}").format(", ".join(shown[:-1]), shown[-1])
    return "".join(shown)
