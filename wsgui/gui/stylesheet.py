"""The Qt style sheet that dresses stock widgets in the theme's colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgui.gui.theme import Colours


def stylesheet(c: Colours, px: Callable[[float], int]) -> str:
    """The style sheet for colours `c`; `px` scales lengths that hold text.

    Widgets name their part in the property `look` (`primary`, `small`, `foot`, `bare`), their colour in `tone`; fonts
    are set in code, so that they keep their tabular figures.
    """
    return f"""
QMainWindow, QWidget#page, QStackedWidget, QScrollArea, QWidget#scrolled {{ background: {c.bg}; border: none; }}
QWidget#sidebar {{ background: {c.side}; border: none; border-right: 1px solid {c.line}; }}
QLabel {{ background: transparent; color: {c.text}; }}
QLabel[tone="dim"] {{ color: {c.dim}; }}
QLabel[tone="accent"] {{ color: {c.accent}; }}
QLabel[tone="up"] {{ color: {c.up}; }}
QLabel[tone="ok"] {{ color: {c.ok}; }}
QLabel[tone="warn"] {{ color: {c.warn}; }}
QLabel[tone="err"] {{ color: {c.err}; }}

QFrame#card {{ background: {c.card}; border: 1px solid {c.line}; border-radius: 10px; }}
QFrame#box {{ background: {c.card}; border: 1px solid {c.line}; border-radius: 7px; }}
QFrame#box[wrong="true"] {{ border-color: {c.err}; }}
QFrame#notice {{ background: {c.card}; border: 1px solid {c.line}; border-left: 3px solid {c.warn};
    border-radius: 7px; }}
QFrame#notice[tone="err"] {{ border-left-color: {c.err}; }}
QFrame#notice[tone="dim"] {{ border-left-color: {c.off}; }}
QFrame#sheet {{ background: {c.bg}; border: none; border-left: 1px solid {c.line}; }}
QFrame#rule {{ background: {c.line}; border: none; max-height: 1px; min-height: 1px; }}

QPushButton {{ color: {c.text}; background: {c.card}; border: 1px solid {c.line}; border-radius: 7px;
    padding: {px(6)}px {px(12)}px; }}
QPushButton:hover {{ background: {c.hover}; }}
QPushButton:pressed {{ background: {c.selected}; }}
QPushButton:focus {{ border: 2px solid {c.accent}; padding: {px(6) - 1}px {px(12) - 1}px; }}
QPushButton:disabled {{ color: {c.off}; }}
QPushButton[look="primary"] {{ color: {c.on_accent}; background: {c.accent}; border-color: {c.accent}; }}
QPushButton[look="primary"]:focus {{ border-color: {c.text}; }}
QPushButton[look="primary"]:disabled {{ color: {c.dim}; background: {c.line}; border-color: {c.line}; }}
QPushButton[look="small"] {{ padding: {px(3)}px {px(8)}px; border-radius: 6px; }}
QPushButton[look="small"]:focus {{ padding: {px(3) - 1}px {px(8) - 1}px; }}
QPushButton[look="foot"] {{ border: none; background: transparent; color: {c.dim}; padding: {px(2)}px {px(2)}px; }}
QPushButton[look="foot"]:hover {{ color: {c.text}; }}
QPushButton[look="foot"]:checked {{ color: {c.text}; text-decoration: underline; }}
QPushButton[look="foot"]:focus {{ border: 1px solid {c.accent}; border-radius: 4px; padding: {px(2) - 1}px; }}

QPushButton[look="place"] {{ border: none; background: transparent; padding: {px(2)}px {px(2)}px; }}
QPushButton[look="place"]:hover, QPushButton[look="place"]:checked {{ text-decoration: underline; }}
QPushButton[look="place"]:focus {{ border: 1px solid {c.accent}; border-radius: 4px; padding: {px(2) - 1}px; }}

QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 3px; }}
QToolButton:hover {{ background: {c.hover}; }}
QToolButton:focus {{ border: 1px solid {c.accent}; }}

QLineEdit, QPlainTextEdit {{ color: {c.text}; background: {c.card}; border: 1px solid {c.line}; border-radius: 7px;
    padding: {px(7)}px {px(11)}px; selection-background-color: {c.accent}; selection-color: {c.on_accent}; }}
QPlainTextEdit {{ padding: {px(4)}px {px(7)}px; }}
QLineEdit:focus, QPlainTextEdit:focus {{ border: 1px solid {c.accent}; }}
QLineEdit[wrong="true"], QPlainTextEdit[wrong="true"] {{ border: 1px solid {c.err}; }}
QLineEdit[look="bare"] {{ border: none; background: transparent; padding: 0; border-radius: 0; }}

QTabBar {{ background: transparent; border: none; }}
QTabBar::tab {{ color: {c.dim}; background: transparent; border: none; border-bottom: 2px solid transparent;
    padding: {px(6)}px 3px {px(7)}px 3px; margin-right: 20px; }}
QTabBar::scroller {{ width: 44px; }}
QTabBar QToolButton {{ background: {c.bg}; border: none; border-radius: 0; padding: 0; }}
QTabBar::tab:hover {{ color: {c.text}; }}
QTabBar::tab:selected {{ color: {c.text}; border-bottom: 2px solid {c.accent}; }}
QTabBar::tab:focus {{ background: {c.selected}; border-top-left-radius: 6px; border-top-right-radius: 6px; }}

QListView, QTableView {{ background: transparent; border: none; outline: none; color: {c.text};
    selection-background-color: {c.selected}; selection-color: {c.text}; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: transparent; color: {c.dim}; border: none; padding: {px(4)}px {px(8)}px;
    font-size: {px(11)}px; font-weight: 600; }}
QTableCornerButton::section {{ background: transparent; border: none; }}

QMenu {{ background: {c.card}; color: {c.text}; border: 1px solid {c.line}; border-radius: 7px; padding: 4px; }}
QMenu::item {{ padding: {px(6)}px {px(16)}px; border-radius: 5px; }}
QMenu::item:selected {{ background: {c.selected}; color: {c.text}; }}
QMenu::item:disabled {{ color: {c.dim}; }}
QMenu::separator {{ background: {c.line}; height: 1px; margin: 4px 8px; }}
QToolTip {{ color: {c.text}; background: {c.card}; border: 1px solid {c.line}; padding: 4px; }}

QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {c.off}; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }}
QScrollBar::handle:disabled {{ background: transparent; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
