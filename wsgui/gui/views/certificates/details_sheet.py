"""The sheet that tells everything about one certificate, to read and to copy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout

from wsgui.app.certificate_listing import Row
from wsgui.display import display
from wsgui.gui import formatting
from wsgui.gui.models.certificates import day, local_day, now, passphrase_place
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.lines import Value
from wsgui.gui.widgets.sheet import Sheet

PAIRS_A_LINE = 16


class DetailsSheet(Sheet):
    """Names, issuer, dates, fingerprint, where the passphrase is."""

    def __init__(self, row: Row, copy: Callable[[str], None]) -> None:
        managed, description = row.managed, row.managed.description
        super().__init__(display(managed.name))
        kinds = {
            "issued": self.tr("Made by wsgui, signed by this computer's authority"),
            "self-signed": self.tr("Made by wsgui, self-signed"),
            "imported": self.tr("Imported"),
        }
        issuer = description.issuer
        renewal = (
            self.tr("By itself, on {0}").format(day(row.renews_on, local_day(now())))
            if row.renews_on is not None
            else self.tr("Not by itself: import a new one before it ends")
        )
        for name, value in (
            (self.tr("Names and addresses"), "\n".join(display(name) for name in description.names)),
            (self.tr("Kind"), kinds[managed.kind]),
            (self.tr("Issuer"), issuer),
            (self.tr("Valid from"), _moment(description.not_before)),
            (self.tr("Ends"), _moment(description.not_after)),
            (self.tr("Renewal"), renewal),
            (self.tr("Used by"), ", ".join(display(name) for name in row.used_by) or self.tr("Nobody")),
            (self.tr("Key"), description.key),
            (self.tr("The key's passphrase"), passphrase_place(managed.passphrase)),
        ):
            self.body.addWidget(Value(name, value))
        self.body.addWidget(Value(self.tr("Serial number"), in_lines(description.serial), fixed=True))
        self.body.addWidget(Value(self.tr("SHA-256 fingerprint"), in_lines(description.fingerprint), fixed=True))
        copying = Button(self.tr("Copy the fingerprint"), "small", icon="copy")
        copying.clicked.connect(lambda: copy(description.fingerprint))
        row_of_one = QHBoxLayout()
        row_of_one.addWidget(copying)
        row_of_one.addStretch(1)
        self.body.addLayout(row_of_one)
        self.body.addStretch(1)


def in_lines(pairs: str) -> str:
    """`AB:CD:…` in lines that fit, to be compared by eye."""
    each = pairs.split(":")
    return "\n".join(":".join(each[i : i + PAIRS_A_LINE]) for i in range(0, len(each), PAIRS_A_LINE))


def _moment(when: datetime) -> str:
    return formatting.moment(when.timestamp())
