"""English plural forms for the texts that hold a count (%n); other languages bring theirs in their own files."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTranslator

FORMS: Final = {
    "%n need(s) attention": ("%n needs attention", "%n need attention"),
    "%n connection(s)": ("%n connection", "%n connections"),
    "Let %n client(s) finish": ("Let %n finish", "Let %n finish"),
    "%n profile file(s) cannot be read": ("%n profile file cannot be read", "%n profile files cannot be read"),
    "%n connection(s) served": ("%n connection served", "%n connections served"),
    "%n tunnel(s) on, and this desktop has no tray to keep wsgui in.": (
        "1 tunnel is on, and this desktop has no tray to keep wsgui in.",
        "%n tunnels are on, and this desktop has no tray to keep wsgui in.",
    ),
    "{0} and %n other(s)": ("{0} and 1 other", "{0} and %n others"),
    "Certificate ends in %n day(s)": ("Certificate ends in 1 day", "Certificate ends in %n days"),
    "Certificate ended %n day(s) ago": ("Certificate ended yesterday", "Certificate ended %n days ago"),
    "The certificate {0} ends in %n day(s).": (
        "The certificate {0} ends in 1 day.",
        "The certificate {0} ends in %n days.",
    ),
    "The certificate {0} ended %n day(s) ago.": (
        "The certificate {0} ended yesterday.",
        "The certificate {0} ended %n days ago.",
    ),
    "Ends in %n day(s)": ("Ends in 1 day", "Ends in %n days"),
    "%n name(s). Others connect without a warning only by these.": (
        "1 name. Others connect without a warning only by this one.",
        "%n names. Others connect without a warning only by these.",
    ),
    "%n change(s)": ("1 change", "%n changes"),
    "%n client(s)": ("1 client", "%n clients"),
    "%n change(s) applied": ("1 change applied", "%n changes applied"),
    "Settings, %n change(s) not applied": ("Settings, 1 change not applied", "Settings, %n changes not applied"),
    "%n change(s) to the settings of {0} are not applied yet.": (
        "1 change to the settings of {0} is not applied yet.",
        "%n changes to the settings of {0} are not applied yet.",
    ),
    "%n thing(s) need your attention": ("%n thing needs your attention", "%n things need your attention"),
    "Ending %n connection(s)": ("Ending %n connection", "Ending %n connections"),
}
"""Source text: (form for one, form for any other number)."""


class EnglishPlurals(QTranslator):
    """Install it on the application before the first window; texts without a count are left alone."""

    def translate(self, context: str, source_text: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        if n < 0 or source_text not in FORMS:
            return None  # the null string, which means "not mine"; "" would be taken for a translation
        one, other = FORMS[source_text]
        return one if n == 1 else other

    def isEmpty(self) -> bool:
        """A translator that says it is empty is never asked."""
        return False
