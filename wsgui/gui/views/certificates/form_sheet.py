"""A sheet with a form: its button, what it is doing, and what went wrong, all in place."""

from __future__ import annotations

from collections.abc import Callable

from wsgui.errors import WsguiError
from wsgui.gui.models.certificates import error_notice
from wsgui.gui.views.certificates.progress import Progress
from wsgui.gui.views.certificates.waiting import Ask, Waiting
from wsgui.gui.widgets.buttons import Button
from wsgui.gui.widgets.cards import NoticeCard
from wsgui.gui.widgets.sheet import Sheet


class FormSheet(Sheet):
    """Subclasses fill `body`, call `close_form`, and fulfil `submit`."""

    def __init__(self, title: str, action: str) -> None:
        super().__init__(title)
        self.notice = NoticeCard()
        self.progress = Progress()
        self._waiting = Waiting(self.progress, lambda busy: self.do.setEnabled(not busy))
        self.cancel = Button(self.tr("Cancel"))
        self.do = Button(action, "primary")
        self.cancel.clicked.connect(self.dismiss)
        self.do.clicked.connect(self.submit)
        self.closed.connect(self._waiting.stop)
        self.foot.addStretch(1)
        self.foot.addWidget(self.cancel)
        self.foot.addWidget(self.do)

    def close_form(self) -> None:
        """Put what is told about the form at its end."""
        self.body.addWidget(self.notice)
        self.body.addWidget(self.progress)
        self.body.addStretch(1)

    def submit(self) -> None:
        """Check the form and ask for what it says."""
        raise NotImplementedError

    def wait_for(self, saying: str, ask: Ask, done: Callable[..., object]) -> None:
        """Ask for something; the form waits, `done` is called with the answer, and a failure is shown in the form."""
        if not self._waiting.busy:
            self.notice.show_notice(None)
            self._waiting.begin(saying, ask, done, self.show_error)
            if self._waiting.busy:
                self.reveal(self.progress)

    def show_error(self, error: WsguiError) -> None:
        """Show what is wrong at the end of the form."""
        self.notice.show_notice(error_notice(error))
        self.reveal(self.notice)
