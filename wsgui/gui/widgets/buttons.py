"""Buttons in the theme's looks, with texts that are never read as shortcuts."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QPushButton, QSizePolicy, QToolButton

from wsgui.gui import icons
from wsgui.gui.formatting import escaped_ampersand, plain_tooltip
from wsgui.gui.theme import Type, theme

_MAX_LABEL_PIXELS = 320


class Button(QPushButton):
    """A push button. `look`: "normal", "primary" (one a screen), "small" (beside a text), "foot" and "place" (bare)."""

    def __init__(self, text: str, look: str = "normal", *, icon: str = "") -> None:
        super().__init__()
        self._look = look
        self._icon = icon
        self.setProperty("look", look)
        self.setAutoDefault(False)
        at_foot = look in ("foot", "place")
        self.setCursor(Qt.CursorShape.PointingHandCursor if at_foot else Qt.CursorShape.ArrowCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._dress()
        theme.changed.connect(self._dress)
        self.set_label(text)

    def set_label(self, text: str, *, after: str = "") -> None:
        """Show `text`, which may come from outside: elided when it is very long, whole in the tooltip.

        `after` is shown behind it and left out of what a screen reader says.
        """
        shown = QFontMetrics(self.font()).elidedText(text, Qt.TextElideMode.ElideMiddle, theme.px(_MAX_LABEL_PIXELS))
        label = escaped_ampersand(("\N{NO-BREAK SPACE}" if self._icon else "") + shown + after)
        if label != self.text():
            self.setText(label)
        self.setAccessibleName(text)
        if shown != text:
            self.setToolTip(plain_tooltip(text))

    def _dress(self) -> None:
        small = self._look in ("small", "foot", "place")
        self.setFont(theme.font(Type.SMALL_STRONG if small else Type.STRONG))
        if self._icon:
            colours = theme.colours
            colour = colours.on_accent if self._look == "primary" else colours.text
            self.setIcon(icons.icon(self._icon, colour, theme.px(14)))
            self.setIconSize(QSize(theme.px(14), theme.px(14)))


class IconButton(QToolButton):
    """A button that is an icon; `tip` names it for the pointer and for screen readers."""

    def __init__(self, icon: str, tip: str, *, tone: str = "dim", size: int = 16) -> None:
        super().__init__()
        self._icon = icon
        self._tone = tone
        self._size = size
        self.setToolTip(plain_tooltip(tip))
        self.setAccessibleName(tip)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._dress()
        theme.changed.connect(self._dress)

    def _dress(self) -> None:
        size = theme.px(self._size)
        self.setIcon(icons.icon(self._icon, getattr(theme.colours, self._tone), size))
        self.setIconSize(QSize(size, size))
