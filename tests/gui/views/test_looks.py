"""What holds on every screen, in every state, in both themes: literal text, names, room for everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QTabBar, QTextEdit, QWidget

from tests.gui import samples
from tests.gui.pictures import discard, screens
from tests.gui.recorder import RecordedActions
from wsgui.gui.theme import theme
from wsgui.gui.views.main_window import MainWindow

SCREENS = screens()


def settle() -> None:
    """Let layouts in layouts in layouts come to rest: each level asks the one above."""
    for _ in range(8):
        QApplication.sendPostedEvents()


def bring(name: str) -> MainWindow:
    snapshot, size, scale, prepare = SCREENS[name]
    theme.use(dark=False, text_scale=scale)
    window = MainWindow(RecordedActions())
    window.resize(*size)
    window.show()
    window.update_snapshot(snapshot)
    prepare(window)
    settle()
    return window


@pytest.fixture(scope="module", params=list(SCREENS))
def screen(request: pytest.FixtureRequest, dressed: QApplication) -> Iterator[MainWindow]:
    """Each screen once, for all the tests below."""
    window = bring(request.param)
    yield window
    discard(window)
    theme.use(dark=False, text_scale=1.0)


def visible(window: QWidget, kind: type[QWidget]) -> list[QWidget]:
    return [child for child in window.findChildren(kind) if child.isVisible()]


def test_every_label_is_plain_text(screen: MainWindow) -> None:
    for label in screen.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText, label.text()
    assert not screen.findChildren(QTextEdit)


def test_everything_that_takes_the_focus_has_a_name(screen: MainWindow) -> None:
    for widget in visible(screen, QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, widget


def test_no_button_is_cut_off(screen: MainWindow) -> None:
    for widget in visible(screen, QAbstractButton):
        if isinstance(widget.parentWidget(), QLineEdit):
            continue
        assert widget.width() >= widget.sizeHint().width(), widget.accessibleName()
        assert widget.mapTo(screen, widget.rect().bottomRight()).x() <= screen.width(), widget.accessibleName()


def test_no_text_is_cut_off_without_an_ellipsis(screen: MainWindow) -> None:
    for label in visible(screen, QLabel):
        assert isinstance(label, QLabel)
        if label.wordWrap():
            assert label.heightForWidth(label.width()) <= label.height() + 1, label.text()
        else:
            needed = QFontMetrics(label.font()).horizontalAdvance(label.text())
            assert needed <= label.width() + 1, label.text()
            assert QFontMetrics(label.font()).height() <= label.height() + 1, label.text()


def test_nothing_in_the_page_lies_over_anything_else(screen: MainWindow) -> None:
    page = screen.stack.currentWidget()
    assert page is not None
    kinds = (QLabel, QAbstractButton, QLineEdit)
    shown = [w for w in visible(page, QWidget) if isinstance(w, kinds) and not w.visibleRegion().isEmpty()]
    # A line edit's own clear button lies in it, and a tab bar's arrows share a border.
    shown = [w for w in shown if not isinstance(w.parentWidget(), QLineEdit | QTabBar)]
    # Of what is scrolled, what can be seen of it counts.
    areas = [(w, w.visibleRegion().boundingRect().translated(w.mapTo(screen, QPoint(0, 0)))) for w in shown]
    for place, (one, area) in enumerate(areas):
        for other, other_area in areas[place + 1 :]:
            assert not area.intersects(other_area), (one, other)


def test_hostile_text_stays_text_in_labels_and_buttons(dressed: QApplication) -> None:
    window = bring("hostile")
    texts = [w.text() for w in window.findChildren(QLabel)] + [w.text() for w in window.findChildren(QAbstractButton)]
    assert not [text for text in texts if "\u202e" in text]
    assert "<img src=file:///x><b>&%1%s{0}\\u202e" in texts
    for widget in window.findChildren(QWidget):
        assert "<img" not in widget.toolTip()
    discard(window)


def test_both_themes_paint_their_own_ground(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    for dark, ground in ((False, "#ffffff"), (True, "#16181d")):
        theme.use(dark=dark)
        settle()
        image = window.grab().toImage()
        assert image.pixelColor(image.width() - 4, 200).name() == ground


@pytest.mark.parametrize(
    ("width", "sidebar", "sparklines"), [(1236, 340, True), (1100, 340, True), (1099, 280, False), (979, 240, False)]
)
def test_the_sidebar_gives_way_in_two_steps(window: MainWindow, width: int, sidebar: int, sparklines: bool) -> None:
    window.resize(width, 760)
    assert window.sidebar.width() == sidebar
    assert window.sidebar.delegate.sparklines is sparklines


def test_in_a_low_window_the_chart_is_140_pixels_and_the_page_scrolls(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.resize(1236, 500)
    settle()
    assert window.page.overview.chart.height() == 140
    assert window.page.overview.verticalScrollBar().maximum() > 0


def test_the_window_shrinks_to_900_by_600_at_least(window: MainWindow) -> None:
    window.update_snapshot(samples.office())
    window.resize(900, 600)
    assert (window.width(), window.height()) == (900, 600)
