"""Text on the window: always plain, in the theme's fonts, elided where room is short."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFocusEvent, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QSizePolicy, QWidget

from wsgui.gui.formatting import plain_tooltip
from wsgui.gui.theme import Type, theme


def set_tone(widget: QWidget, tone: str, property_name: str = "tone") -> None:
    """Give `widget` the colour called `tone` in the style sheet, now."""
    if widget.property(property_name) != tone:
        widget.setProperty(property_name, tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Text(QLabel):
    """A plain text in one of the theme's kinds and tones ("" for normal, "dim", "warn" ...)."""

    def __init__(self, text: str = "", kind: Type = Type.BODY, tone: str = "", *, wrap: bool = False) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._kind = kind
        self.setProperty("tone", tone)
        self.setWordWrap(wrap)
        if wrap:
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
        self.setText(text)
        self._refont()
        theme.changed.connect(self._refont)

    def setText(self, text: str) -> None:
        if text != self.text():
            super().setText(text)

    def set_tone(self, tone: str) -> None:
        """Change the colour to that of `tone`."""
        set_tone(self, tone)

    def _refont(self) -> None:
        self.setFont(theme.font(self._kind))


class ElidedText(Text):
    """A plain text of one line that gives way: what does not fit becomes "…", and the whole is in the tooltip."""

    def __init__(
        self,
        text: str = "",
        kind: Type = Type.BODY,
        tone: str = "",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        least_characters: int = 6,
    ) -> None:
        self._whole = ""
        self._mode = mode
        self._least = least_characters
        super().__init__("", kind, tone)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self.set_whole(text)

    def set_whole(self, text: str) -> None:
        """Show `text`, as far as there is room."""
        if text != self._whole:
            self._whole = text
            self.setAccessibleName(text)
            self.updateGeometry()
            self._elide()

    def whole(self) -> str:
        return self._whole

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self._whole) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        least = metrics.horizontalAdvance("0") * self._least
        return QSize(min(least, self.sizeHint().width()), metrics.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _refont(self) -> None:
        super()._refont()
        self._elide()

    def _elide(self) -> None:
        shown = QFontMetrics(self.font()).elidedText(self._whole, self._mode, self.width())
        self.setText(shown)
        self.setToolTip(plain_tooltip(self._whole) if shown != self._whole else "")


class SelectableAddress(QLineEdit):
    """An address that can be selected and copied, elided in the middle while it has no focus."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setReadOnly(True)
        self.setProperty("look", "bare")
        self.setFrame(False)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFont(theme.font(Type.BODY))
        theme.changed.connect(self._refont)

    def set_whole(self, text: str) -> None:
        """Show `text`."""
        if text != self._whole:
            self._whole = text
            self.updateGeometry()
            self._elide()

    def whole(self) -> str:
        return self._whole

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self._whole) + 8, metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(min(metrics.horizontalAdvance("0") * 10, self.sizeHint().width()), metrics.height() + 4)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.setText(self._whole)
        super().focusInEvent(event)
        self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.deselect()
            self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _refont(self) -> None:
        self.setFont(theme.font(Type.BODY))
        self.updateGeometry()
        self._elide()

    def _elide(self) -> None:
        if self.hasFocus():
            if self.text() != self._whole:
                self.setText(self._whole)
            return
        metrics = QFontMetrics(self.font())
        shown = metrics.elidedText(self._whole, Qt.TextElideMode.ElideMiddle, max(self.width() - 4, 0))
        self.setText(shown)
        self.setToolTip(plain_tooltip(self._whole) if shown != self._whole else "")
        self.setCursorPosition(0)
