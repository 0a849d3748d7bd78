"""Carries out what the views and the tray ask for: in the engine's thread, on the clipboard, in the browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from wsgui.app.runtime import Runtime
from wsgui.display import display
from wsgui.engine.snapshot import EngineSnapshot, TunnelSnapshot, TunnelState
from wsgui.errors import TunnelError, WsguiError
from wsgui.gui.certificate_requests import CertificateRequests
from wsgui.gui.engine_thread import EngineThread
from wsgui.gui.profile_requests import LiveProfileRequests, ProfileRequests
from wsgui.gui.secret_requests import SecretRequests
from wsgui.gui.tasks import Tasks
from wsgui.profiles.addresses import TcpAddress, parse_listen
from wsgui.profiles.builtin import demo_profile
from wsgui.profiles.model import Profile

translate = QCoreApplication.translate


class LiveActions:
    """`wsgui.gui.actions.Actions` for a running program.

    Args:
        engine: Where the tunnels are.
        tasks: Runs what takes time, and shows what fails.
        latest: The last snapshot that was shown: what a person acts on.
        say: Shows one sentence what is wrong and one what to do.
        select: Shows a tunnel in the window.
        leave: Ends the program.
        certificates: Carries out what is asked about certificates.
        secrets: Carries out what is asked about secrets.
    """

    def __init__(
        self,
        engine: EngineThread,
        tasks: Tasks,
        *,
        latest: Callable[[], EngineSnapshot],
        say: Callable[[str, str], None],
        select: Callable[[str], None],
        leave: Callable[[], None],
        certificates: CertificateRequests,
        secrets: SecretRequests,
    ) -> None:
        self._engine = engine
        self._tasks = tasks
        self._latest = latest
        self._say = say
        self._select = select
        self._leave = leave
        self._certificates = certificates
        self._profiles = LiveProfileRequests(engine, tasks)
        self._secrets = secrets

    @property
    def certificates(self) -> CertificateRequests:
        return self._certificates

    @property
    def secrets(self) -> SecretRequests:
        return self._secrets

    @property
    def profiles(self) -> ProfileRequests:
        return self._profiles

    def start(self, name: str) -> None:
        self._in_engine(translate("actions", "Starting {0}").format(display(name)), lambda r: _start(r, name))

    def stop(self, name: str, *, grace_seconds: float = 0.0) -> None:
        what = translate("actions", "Stopping {0}").format(display(name))
        self._in_engine(what, lambda runtime: runtime.engine.stop(name, grace_seconds=grace_seconds))

    def open_page(self, name: str) -> None:
        tunnel = self._known(name)
        if tunnel is not None and tunnel.viewer_url:
            self._open(QUrl(tunnel.viewer_url), tunnel.viewer_url)
        else:
            self._say(
                translate("actions", "{0} has no page to open now.").format(display(name)),
                translate("actions", "Start it first; a tunnel on a socket file has none."),
            )

    def copy_address(self, name: str) -> None:
        tunnel = self._known(name)
        if tunnel is not None:
            self.copy_text(tunnel.websocket_url or tunnel.listen)

    def copy_text(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)

    def disconnect(self, name: str, connection: int) -> None:
        what = translate("actions", "Disconnecting a client of {0}").format(display(name))
        self._in_engine(what, lambda runtime: runtime.engine.disconnect(name, connection))

    def use_port(self, name: str, port: int) -> None:
        what = translate("actions", "Moving {0} to port {1}").format(display(name), port)
        self._in_engine(what, lambda runtime: _use_port(runtime, name, port))

    def allow_origin(self, name: str, origin: str) -> None:
        what = translate("actions", "Allowing {0}").format(display(origin))
        self._in_engine(what, lambda runtime: _allow_origin(runtime, name, origin))

    def edit_profile(self, name: str) -> None:
        async def open_file() -> None:
            file = await self._engine.call(lambda runtime: _file_of(runtime, name))
            self._open(QUrl.fromLocalFile(str(file)), str(file))

        self._tasks.start(open_file(), what=translate("actions", "Opening the profile of {0}").format(display(name)))

    def open_source(self, source: str) -> None:
        self._open(QUrl.fromLocalFile(source), source)

    def create(self, profile: Profile) -> None:
        self._select(profile.name)
        what = translate("actions", "Creating {0}").format(display(profile.name))
        self._in_engine(what, lambda runtime: _create(runtime, profile))

    def quit(self) -> None:
        self._leave()

    def _known(self, name: str) -> TunnelSnapshot | None:
        return self._latest().tunnel(name)

    def _in_engine(self, what: str, ask: Callable[[Runtime], Coroutine[Any, Any, Any]]) -> None:
        self._tasks.start(self._engine.call(ask), what=what)

    def _open(self, url: QUrl, shown: str) -> None:
        if not QDesktopServices.openUrl(url):
            self._say(
                translate("actions", "Nothing on this desktop opens {0}.").format(display(shown)),
                translate("actions", "Open it by hand: copy the address, or the path, into a program that does."),
            )


# In the engine's thread


async def _start(runtime: Runtime, name: str) -> None:
    try:
        await runtime.start(name)
    except TunnelError:
        tunnel = runtime.engine.snapshot().tunnel(name)
        if tunnel is None or tunnel.state is not TunnelState.FAILED:
            raise  # else its row says why, with the buttons that help


async def _use_port(runtime: Runtime, name: str, port: int) -> None:
    tunnel = runtime.engine.snapshot().tunnel(name)
    if tunnel is None:
        raise _gone(name)
    listen = parse_listen(tunnel.listen)
    if not isinstance(listen, TcpAddress):
        raise WsguiError(
            translate("actions", "{0} listens on a socket file, which has no port.").format(display(name)),
            translate("actions", "Change its listen address in the profile."),
        )
    moved = replace(listen, port=port)
    if await _is_stored(runtime, name):
        profile = await asyncio.to_thread(runtime.store.set, name, {"listen": str(moved)})
    else:
        profile = demo_profile(moved)
    await runtime.engine.configure(profile)
    await _start(runtime, name)


async def _allow_origin(runtime: Runtime, name: str, origin: str) -> None:
    if not await _is_stored(runtime, name):
        raise _built_in(name)

    def allow() -> Profile:
        origins = runtime.store.read(name).access.origins
        return runtime.store.set(name, {"access.origins": [*(o for o in origins if o != origin), origin]})

    await runtime.engine.configure(await asyncio.to_thread(allow))


async def _file_of(runtime: Runtime, name: str) -> Path:
    if not await _is_stored(runtime, name):
        raise _built_in(name)
    return runtime.store.path_of(name)


async def _create(runtime: Runtime, profile: Profile) -> None:
    names = (*runtime.engine.names, *await asyncio.to_thread(runtime.store.names))
    if profile.name.casefold() in {name.casefold() for name in names}:
        raise WsguiError(
            translate("actions", "There is already a tunnel called {0}.").format(display(profile.name)),
            translate("actions", "Give the new one another name."),
        )
    await asyncio.to_thread(runtime.store.save, profile)
    await runtime.engine.configure(profile)
    await _start(runtime, profile.name)


async def _is_stored(runtime: Runtime, name: str) -> bool:
    return await asyncio.to_thread(lambda: runtime.store.path_of(name).exists())


def _gone(name: str) -> WsguiError:
    return WsguiError(translate("actions", "There is no tunnel called {0} any more.").format(display(name)))


def _built_in(name: str) -> WsguiError:
    return WsguiError(
        translate("actions", "{0} is built in, so there is no file to change.").format(display(name)),
        translate("actions", "Make a tunnel of your own with New, and change that."),
    )
