"""A session bus of its own with a server of desktop notifications on it, as GNOME or KDE has one."""

from __future__ import annotations

import contextlib
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, Message, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.support.bus import BUS

NAME = "org.freedesktop.Notifications"
EMITTER = DBusAddress("/org/freedesktop/Notifications", interface=NAME)


@contextlib.contextmanager
def session_bus() -> Iterator[str]:
    """The address of a bus that ends with the block."""
    program = shutil.which("dbus-daemon")
    assert program is not None, "dbus-daemon is not installed"
    with tempfile.TemporaryDirectory(prefix="wsgui-") as folder:
        configuration = Path(folder) / "bus.conf"
        configuration.write_text(BUS.format(folder=folder))
        process = subprocess.Popen(
            [program, f"--config-file={configuration}", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()


@dataclass
class NotificationServer:
    """Takes what programs show; `shown` gets (title, body, actions, hints) of each."""

    address: str
    capabilities: list[str] = field(default_factory=lambda: ["body", "body-markup", "actions"])
    refuses: bool = False
    shown: queue.Queue[tuple[str, str, list[str], dict[str, Any]]] = field(default_factory=queue.Queue)
    signatures: list[str] = field(default_factory=list)
    _connection: DBusConnection | None = None
    _thread: threading.Thread | None = None
    _number: int = 0

    def __enter__(self) -> NotificationServer:
        self._connection = open_dbus_connection(self.address)
        self._connection.send_and_get_reply(message_bus.RequestName(NAME))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._connection is not None
        with contextlib.suppress(OSError):
            self._connection.send(message_bus.ReleaseName(NAME))
        self._connection.sock.shutdown(2)
        assert self._thread is not None
        self._thread.join(10)
        self._connection.close()

    def click(self, number: int = 0, token: str = "") -> None:
        """As a person clicks a notification (the last one by default)."""
        assert self._connection is not None
        number = number or self._number
        if token:
            self._connection.send(new_signal(EMITTER, "ActivationToken", "us", (number, token)))
        self._connection.send(new_signal(EMITTER, "ActionInvoked", "us", (number, "default")))

    def _serve(self) -> None:
        assert self._connection is not None
        while True:
            try:
                message = self._connection.receive()
            except (OSError, ValueError):
                return
            if message.header.message_type is MessageType.method_call:
                self._connection.send(self._answer(message))

    def _answer(self, message: Message) -> Message:
        fields = message.header.fields
        if fields.get(HeaderFields.member) == "GetCapabilities":
            return new_method_return(message, "as", (self.capabilities,))
        self.signatures.append(fields.get(HeaderFields.signature, ""))
        if self.refuses or self.signatures[-1] != "susssasa{sv}i":
            return new_error(message, "org.freedesktop.DBus.Error.InvalidArgs")
        _, _, _, title, body, actions, hints, _ = message.body
        self._number += 1
        self.shown.put((title, body, actions, hints))
        return new_method_return(message, "u", (self._number,))
