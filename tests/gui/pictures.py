"""Every screen in both themes as PNG, from the real widgets: `python -m tests.gui.pictures OUT_DIR [ONLY …]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from tests.gui import certificate_pictures, header_pictures, samples, secret_pictures, settings_pictures
from tests.gui.recorder import RecordedActions
from wsgui.engine.snapshot import EngineSnapshot
from wsgui.errors import FieldError, ProfileError
from wsgui.gui.plurals import EnglishPlurals
from wsgui.gui.theme import theme
from wsgui.gui.views.main_window import MainWindow

Prepare = Callable[[MainWindow], None]
USUAL = (1236, 760)


def _nothing(_window: MainWindow) -> None:
    pass


def _connections(window: MainWindow) -> None:
    window.page.show_tab(1)


def _new(window: MainWindow) -> None:
    window.show_new_tunnel()
    window.new_tunnel.service.line.setText("office:1")
    window.new_tunnel.service.line.textEdited.emit("office:1")


def _new_wrong(window: MainWindow) -> None:
    window.show_new_tunnel()
    form = window.new_tunnel
    for field, text in ((form.service, "office"), (form.listen, "127.0.0.1:6o80"), (form.name, "Office desktop")):
        field.line.setText(text)
        field.line.textEdited.emit(text)


def _stop(window: MainWindow) -> None:
    window.page.header.ask_to_stop()


def _hover(window: MainWindow) -> None:
    chart = window.page.overview.chart
    place = QPointF(chart.width() * 0.55, 60)
    none = Qt.MouseButton.NoButton
    moved = QMouseEvent(
        QMouseEvent.Type.MouseMove, place, chart.mapToGlobal(place), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(chart, moved)


def _broken(window: MainWindow) -> None:
    hint = "Write host:port, such as 127.0.0.1:6080; the tunnel keeps its last valid settings."
    problem = FieldError('"6080x" is not an address.', hint, field="listen", line=12)
    window.set_problems((ProfileError("office.toml", (problem,)),))
    window.show_message(
        "The profile of Accounting cannot be saved: the disk is full.", "Free some space and try again."
    )


def _group(window: MainWindow) -> None:
    window.sidebar.model.set_group_collapsed("Office", True)
    window.sidebar.list.setCurrentIndex(window.sidebar.model.index(0))
    window.sidebar.list.setFocus()


def _second(window: MainWindow) -> None:
    earlier = samples.engine(samples.busy("Staging SPICE", running_since=samples.NOW - 8000))
    window.update_snapshot(earlier)
    window.update_snapshot(samples.engine(samples.stopped()))


def _pick(snapshot: EngineSnapshot, name: str) -> EngineSnapshot:
    first = [t for t in snapshot.tunnels if t.name == name]
    return EngineSnapshot(snapshot.time, (*first, *(t for t in snapshot.tunnels if t.name != name)))


def screens() -> dict[str, tuple[EngineSnapshot, tuple[int, int], float, Prepare]]:
    """Name: what the engine is, the window's size, the text's scale, and what is done before the picture."""
    office = samples.office()
    long = samples.busy(
        "A name that is rather long, as people call things when nobody stops them from doing so",
        websocket_url="wss://a-host-with-a-long-name.in-a-deep.sub-domain.example.org:16080/websockify/path/",
    )
    clients = tuple(samples.connection(n, identity="lee") for n in range(1, 60))
    many = samples.busy(connections=clients, connection_limit=64)
    refused = samples.busy(refusal=samples.refusal("https://bücher.example"))
    hostile = samples.busy(
        samples.HOSTILE,
        group=samples.HOSTILE,
        target=samples.HOSTILE,
        connections=(samples.connection(1, origin=samples.HOSTILE, identity=samples.HOSTILE),),
        refusal=samples.refusal(samples.HOSTILE),
    )
    demo = samples.tunnel("Demo", target="demo:", running_since=samples.NOW - 4)
    return {
        "main": (office, USUAL, 1, _nothing),
        "main-hover": (office, USUAL, 1, _hover),
        "main-900x600": (office, (900, 600), 1, _nothing),
        "main-1000x700": (office, (1000, 700), 1, _nothing),
        "main-text-200": (office, USUAL, 2, _nothing),
        "main-900x600-text-200": (office, (900, 600), 2, _nothing),
        "main-3840x2160": (office, (3840, 2160), 1, _nothing),
        "connections": (samples.engine(many), USUAL, 1, _connections),
        "many": (samples.engine(many), USUAL, 1, _nothing),
        "first-start": (samples.engine(demo), USUAL, 1, _nothing),
        "waiting-for-first": (samples.engine(samples.tunnel(), demo), USUAL, 1, _nothing),
        "stopped": (samples.engine(samples.stopped()), USUAL, 1, _second),
        "waiting": (_pick(office, "Router serial"), USUAL, 1, _nothing),
        "failed": (samples.engine(samples.failed(), samples.stopped()), USUAL, 1, _nothing),
        "target-refuses": (_pick(office, "Accounting"), USUAL, 1, _nothing),
        "refusal": (
            samples.engine(refused),
            USUAL,
            1,
            _nothing,
        ),
        "restarting": (samples.engine(samples.restarting(), samples.by_token()), USUAL, 1, _nothing),
        "by-token": (samples.engine(samples.by_token(), samples.restarting()), USUAL, 1, _nothing),
        "by-token-connections": (samples.engine(samples.by_token()), (900, 600), 1, _connections),
        "look-up-failed": (samples.engine(samples.by_token(refusal=samples.look_up_failed())), USUAL, 1, _nothing),
        "wrong-password": (samples.engine(samples.by_token(refusal=samples.wrong_password())), USUAL, 1, _nothing),
        "finishing": (samples.engine(samples.finishing()), USUAL, 1, _nothing),
        "stop-question": (office, USUAL, 1, _stop),
        "new": (office, USUAL, 1, _new),
        "new-wrong": (office, USUAL, 1, _new_wrong),
        "empty": (samples.engine(), USUAL, 1, _nothing),
        "broken-file": (office, USUAL, 1, _broken),
        "groups": (office, USUAL, 1, _group),
        "long-name": (samples.engine(long), (900, 600), 1, _nothing),
        "hostile": (samples.engine(hostile), USUAL, 1, _nothing),
        **certificate_pictures.screens(),
        **settings_pictures.screens(),
        **secret_pictures.screens(),
        **header_pictures.screens(),
    }


def discard(window: MainWindow) -> None:
    """Delete `window` now: those that merely wait for it are restyled with each change of theme."""
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def render(folder: Path, only: list[str]) -> list[Path]:
    """Write `NAME-light.png` and `NAME-dark.png` for each screen into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (snapshot, size, scale, prepare) in screens().items():
        if only and name not in only:
            continue
        for dark in (False, True):
            theme.use(dark=dark, text_scale=scale)
            window = MainWindow(RecordedActions())
            window.resize(*size)
            window.show()
            window.update_snapshot(snapshot)
            window.update_throughput(window.selected, samples.throughput())
            prepare(window)
            for _ in range(8):  # a layout asks those around it to lay out again
                QApplication.sendPostedEvents()
            file = folder / f"{name}-{'dark' if dark else 'light'}.png"
            window.grab().save(str(file))
            written.append(file)
            discard(window)
    return written


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    application = QApplication.instance() or QApplication([])
    translator = EnglishPlurals(application)
    application.installTranslator(translator)
    theme.install(application)
    for file in render(Path(sys.argv[1]), sys.argv[2:]):
        print(file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
