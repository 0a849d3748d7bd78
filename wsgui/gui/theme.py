"""Colours, type and spacing of the window, light and dark, following the system live."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from wsgui.gui.stylesheet import stylesheet

GRID: Final = 8
"""Everything stands on multiples of this; 4 inside controls."""
_PREFERRED_FAMILY: Final = "Inter"
_DESIGN_PIXELS: Final = 13.0


@dataclass(frozen=True, slots=True)
class Colours:
    """One theme's colours as `#rrggbb` (ui.md, Look)."""

    bg: str
    side: str
    card: str
    line: str
    text: str
    dim: str
    accent: str
    on_accent: str
    """Text on the accent."""
    selected: str
    """The selected row; no accent text on it."""
    hover: str
    up: str
    ok: str
    warn: str
    err: str
    off: str


LIGHT: Final = Colours(
    bg="#ffffff",
    side="#f5f6f8",
    card="#ffffff",
    line="#e3e6eb",
    text="#1b1f27",
    dim="#5f6777",
    accent="#2563eb",
    on_accent="#ffffff",
    selected="#e8eefb",
    hover="#eef0f4",
    up="#7c3aed",
    ok="#0b7a3b",
    warn="#8f5e10",
    err="#c2303b",
    off="#7a828f",
)
DARK: Final = Colours(
    bg="#16181d",
    side="#1b1e24",
    card="#20242b",
    line="#2c313a",
    text="#e8eaed",
    dim="#969ca8",
    accent="#5b9dff",
    on_accent="#16181d",
    selected="#222731",
    hover="#23272f",
    up="#b48cff",
    ok="#3ecf8e",
    warn="#f0b429",
    err="#ff6b6b",
    off="#6b7280",
)


class Type(enum.Enum):
    """The kinds of text: (pixels, weight)."""

    BODY = (13, QFont.Weight.Normal)
    STRONG = (13, QFont.Weight.DemiBold)
    SMALL = (11, QFont.Weight.Normal)
    SMALL_STRONG = (11, QFont.Weight.DemiBold)
    ROW_NAME = (14, QFont.Weight.DemiBold)
    SECTION = (17, QFont.Weight.DemiBold)
    TITLE = (20, QFont.Weight.Bold)
    FIGURE = (22, QFont.Weight.DemiBold)


class Theme(QObject):
    """The look in use. Widgets that paint themselves ask it for colours and repaint on `changed`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._dark: bool | None = None
        self.colours = LIGHT
        self.text_scale = 1.0
        """How much larger than designed the system's text is (1.0 to 3.0)."""
        self._base = QFont()

    def install(self, application: QApplication) -> None:
        """Dress `application` and follow the system from now on. Call once, before the first window."""
        application.setStyle(QStyleFactory.create("Fusion"))
        system = QApplication.font()
        self._base = QFont(system)
        if QFontDatabase.hasFamily(_PREFERRED_FAMILY):
            self._base.setFamily(_PREFERRED_FAMILY)
        # Figures of one width, so that live numbers do not dance (QFont.setFeature came with Qt 6.7).
        self._base.setFeature(QFont.Tag("tnum"), 1)
        self.text_scale = system_text_scale(system)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._refresh)
        self._refresh()

    def use(self, *, dark: bool | None = None, text_scale: float | None = None) -> None:
        """Choose light or dark (None: as the system) and the text's scale (None: keep it)."""
        self._dark = dark
        if text_scale is not None:
            self.text_scale = text_scale
        self._refresh()

    @property
    def dark(self) -> bool:
        return self.colours is DARK

    def colour(self, name: str) -> QColor:
        """The colour called `name` in `Colours`."""
        return QColor(getattr(self.colours, name))

    def font(self, kind: Type) -> QFont:
        """The font of a kind of text, at the current scale."""
        pixels, weight = kind.value
        font = QFont(self._base)
        font.setPixelSize(self.px(pixels))
        font.setWeight(weight)
        return font

    def px(self, pixels: float) -> int:
        """A length that grows with the text."""
        return round(pixels * self.text_scale)

    def _refresh(self) -> None:
        system_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = system_dark if self._dark is None else self._dark
        self.colours = DARK if dark else LIGHT
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.setFont(self.font(Type.BODY))
            application.setPalette(self._palette())
            application.setStyleSheet(stylesheet(self.colours, self.px))
        self.changed.emit()

    def _palette(self) -> QPalette:
        palette, role = QPalette(), QPalette.ColorRole
        pairs = (
            (role.Window, "bg"),
            (role.Base, "bg"),
            (role.AlternateBase, "side"),
            (role.Button, "card"),
            (role.ToolTipBase, "card"),
            (role.WindowText, "text"),
            (role.Text, "text"),
            (role.ButtonText, "text"),
            (role.ToolTipText, "text"),
            (role.PlaceholderText, "dim"),
            (role.Highlight, "accent"),
            (role.HighlightedText, "on_accent"),
            (role.Link, "accent"),
            (role.Mid, "line"),
        )
        for palette_role, name in pairs:
            palette.setColor(palette_role, self.colour(name))
        for palette_role in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, palette_role, self.colour("off"))
        return palette


def system_text_scale(system: QFont) -> float:
    """How far the user has enlarged text: desktops' usual 9 to 11 points count as 1."""
    scale = QFontInfo(system).pixelSize() / _DESIGN_PIXELS
    return 1.0 if scale < 1.25 else min(scale, 3.0)


theme: Final = Theme()
"""The one theme of the process."""
