"""Notifications of a Linux desktop: org.freedesktop.Notifications over the session bus, on Qt's loop.

Not by QtDBus: PySide6 makes every integer an int32, and Notify takes a uint32, so that no server accepts the call.
"""

from __future__ import annotations

import asyncio
import html
import logging
import os
from typing import TYPE_CHECKING, Any, Final, TypeVar

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from wsgui.gui.notes import Note
from wsgui.gui.threads import in_thread

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

T = TypeVar("T")
log = logging.getLogger(__name__)
NAME: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"
ANSWER_SECONDS: Final = 5.0
_OPEN: Final = "default"
_LEFT_TO_THE_SERVER: Final = -1


class NotificationBus(QObject):
    """Connects when it has something to say, and listens for clicks as long as the bus is there."""

    clicked = Signal(Note)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._connection: DBusConnection | None = None
        self._reader: QSocketNotifier | None = None
        self._serial = 0
        self._answers: dict[int, asyncio.Future[tuple[Any, ...]]] = {}
        self._shown: dict[int, Note] = {}
        self._markup = False

    async def show(self, note: Note) -> bool:
        """Hand a note to the desktop; false when there is no bus, or nobody on it who shows notifications."""
        try:
            if self._connection is None:
                await self._connect()
            body = html.escape(note.body, quote=False) if self._markup else note.body
            hints = {"urgency": ("y", 1), "desktop-entry": ("s", "wsgui")}
            actions = [_OPEN, self.tr("Open")]
            values = ("wsgui", 0, "wsgui", note.title, body, actions, hints, _LEFT_TO_THE_SERVER)
            number = _only(await self._call("Notify", "susssasa{sv}i", values), int)
        except (OSError, RuntimeError, ValueError, TimeoutError, ImportError) as error:
            log.debug("No notification by the desktop: %s", type(error).__name__)
            return False
        self._shown[number] = note
        return True

    def close(self) -> None:
        """Leave the bus."""
        if self._reader is not None:
            self._reader.setEnabled(False)
            self._reader.deleteLater()
            self._reader = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for answer in self._answers.values():
            answer.cancel()
        self._answers.clear()
        self._shown.clear()

    async def _connect(self) -> None:
        from jeepney.bus_messages import MatchRule, message_bus
        from jeepney.io.blocking import open_dbus_connection

        address = _session_bus()
        self._connection = connection = await in_thread(lambda: open_dbus_connection(address), name="session bus")
        self._reader = QSocketNotifier(connection.sock.fileno(), QSocketNotifier.Type.Read, self)
        self._reader.activated.connect(self._read)
        rule = MatchRule(type="signal", interface=NAME, path=PATH)
        connection.send(message_bus.AddMatch(rule), serial=self._next_serial())
        capabilities = _only(await self._call("GetCapabilities"), list)
        self._markup = "body-markup" in capabilities

    async def _call(self, method: str, signature: str | None = None, values: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        from jeepney import DBusAddress, new_method_call

        connection = self._connection
        if connection is None:
            raise ConnectionError
        message = new_method_call(DBusAddress(PATH, NAME, NAME), method, signature, values)
        serial = self._next_serial()
        answer = self._answers[serial] = asyncio.get_running_loop().create_future()
        try:
            connection.send(message, serial=serial)
            async with asyncio.timeout(ANSWER_SECONDS):
                return tuple(await answer)
        finally:
            self._answers.pop(serial, None)

    def _next_serial(self) -> int:
        self._serial += 1
        # Apart from those that the library gives its own calls.
        return 0x1000 + self._serial

    def _read(self) -> None:
        while self._connection is not None:
            try:
                message = self._connection.receive(timeout=0)
            except TimeoutError:
                return
            except (OSError, RuntimeError, ValueError):
                self.close()
                return
            self._take(message)

    def _take(self, message: Any) -> None:
        from jeepney import HeaderFields, MessageType

        fields = message.header.fields
        kind = message.header.message_type
        if kind in (MessageType.method_return, MessageType.error):
            answer = self._answers.get(fields.get(HeaderFields.reply_serial, 0))
            if answer is None or answer.done():
                return
            if kind is MessageType.error:
                answer.set_exception(ConnectionError(fields.get(HeaderFields.error_name, "")))
            else:
                answer.set_result(message.body)
        elif kind is MessageType.signal and fields.get(HeaderFields.interface) == NAME:
            self._take_signal(fields.get(HeaderFields.member), message.body)

    def _take_signal(self, member: str | None, body: tuple[Any, ...]) -> None:
        if len(body) != 2 or body[0] not in self._shown:
            return  # another program's
        number, value = body
        match member:
            case "ActivationToken":
                # What lets the window come to the front on Wayland; Qt takes it from here.
                os.environ["XDG_ACTIVATION_TOKEN"] = str(value)
            case "ActionInvoked" if value == _OPEN:
                self.clicked.emit(self._shown[number])
            case "NotificationClosed":
                self._shown.pop(number, None)


def _only(body: tuple[Any, ...], kind: type[T]) -> T:
    """The one value of an answer; raises ValueError for one that is not as the protocol has it."""
    if len(body) != 1 or not isinstance(body[0], kind):
        raise ValueError("not an answer of org.freedesktop.Notifications")
    return body[0]


def _session_bus() -> str:
    """The session bus's address; raises ConnectionError where there is none."""
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    if address:
        return address
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.path.exists(os.path.join(runtime, "bus")):
        return f"unix:path={os.path.join(runtime, 'bus')}"
    raise ConnectionError
