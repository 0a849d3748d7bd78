"""The composition of one wsgui process: profile files, the engine, the control channel, what is noted for next time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import wsgui
from wsgui.app import settings
from wsgui.app.certificates_when_needed import CertificatesWhenNeeded
from wsgui.app.control import ControlServer, Request, describe_process
from wsgui.app.feed import ProfileFeed, Reloaded, Source
from wsgui.app.paths import Paths
from wsgui.app.renewal import AutomaticRenewal
from wsgui.app.secret_names import SecretIndex
from wsgui.engine.engine import Engine
from wsgui.engine.events import Event, LogLine, StateChanged
from wsgui.engine.snapshot import ReasonKind, TunnelSnapshot
from wsgui.errors import ControlError, ProfileError, TunnelError, WsguiError
from wsgui.profiles.builtin import DEMO_NAME, demo_profile
from wsgui.profiles.model import Profile
from wsgui.profiles.store import ProfileStore

if TYPE_CHECKING:
    from wsgui.app.certificates import Certificates
    from wsgui.certificates.vault import Vault

_log = logging.getLogger(__name__)
PORTS_TO_TRY: Final = 10


class Runtime:
    """Everything of a process that is no face. Made, entered and used on the engine's loop only.

    Args:
        paths: The folders.
        name: What people call this process (``wsgui stop --to NAME``).
        role: ``window`` shows every profile of the store (the demo when there is none), and starts those that start
            by themselves or ran last time. ``headless`` has only what it was given, and starts nothing by itself.
        profiles: Tunnels to have besides; for headless, what was read from `sources`, in their order.
        sources: Where headless reads its profiles again on a reload.
        watch: Follow changes of the store's files (window only).
        wait: Whether a tunnel whose port is taken waits for it; by default a window's does.
        vault: That of `paths`, for who has opened some certificates in it already; it asks in its own way.
        ask: Asks a person for a passphrase that is kept nowhere, in any thread; None: nobody is there to be asked.
    """

    def __init__(
        self,
        paths: Paths,
        *,
        name: str,
        role: Literal["headless", "window"],
        profiles: Sequence[Profile] = (),
        sources: Sequence[Source] = (),
        watch: bool = True,
        wait: bool | None = None,
        vault: Vault | None = None,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        self.store = ProfileStore(paths.profiles)
        self._certificates = CertificatesWhenNeeded(paths, self._profiles, ask=ask, vault=vault)
        self.secrets = SecretIndex(paths)
        self.engine = Engine(vault=self._certificates)
        self.on_show: Callable[[], None] | None = None
        """Called when a second start of the tray app asks for the window."""
        self.on_quit: Callable[[float], None] | None = None
        """Called with the grace in seconds when somebody asks this process to end."""
        self._paths = paths
        self._role = role
        self._window = role == "window"
        self._wait = self._window if wait is None else wait
        self._watch = watch and self._window
        self._given = tuple(profiles)
        self._sources = tuple(sources) or tuple(Source(p.name, builtin=p) for p in profiles)
        self._feed = ProfileFeed(self.store, self.engine, None if self._window else self._sources)
        self._server = ControlServer(paths, name=name, role=role, handler=self._carry_out)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._closing = False
        self._noting = asyncio.Event()

    @property
    def name(self) -> str:
        """The process's name; with a number when another living process has it too."""
        return self._server.name

    @property
    def certificates(self) -> Certificates:
        """This user's certificates; everything of them blocks, and may be called in any thread."""
        return self._certificates.open()

    @property
    def problems(self) -> tuple[ProfileError, ...]:
        """Profile files that are broken; any thread may read this."""
        return self._feed.problems

    async def __aenter__(self) -> Self:
        try:
            with contextlib.suppress(WsguiError):  # whoever needs a certificate hears why it cannot be read
                await asyncio.to_thread(self._certificates.withhold_variables)
            if self._window:
                self._spawn(asyncio.to_thread(self._certificates.open))  # before its page is first looked at
                await self._open_window()
            else:
                for source, profile in zip(self._sources, self._given, strict=True):
                    await self._feed.adopt(source, profile)
            self._spawn(AutomaticRenewal(self._certificates, self.engine.events).run())
            try:
                await self._server.start()
            except WsguiError as error:
                self._say(logging.WARNING, f"There is no control channel: {error}")
        except BaseException:
            await self._close(0.0)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close(0.0)

    def _profiles(self) -> tuple[Profile, ...]:
        return self.engine.profiles

    async def start(self, name: str) -> None:
        """Switch a tunnel on; raises TunnelError when it cannot start (a taken port may also be waited for)."""
        movable = next((source for source in self._sources if source.movable and source.where == name), None)
        if movable is not None and await self._start_somewhere(name, movable):
            return
        await self.engine.start(name, wait=self._wait)

    async def _start_somewhere(self, name: str, source: Source) -> bool:
        """Start the demo on a free port: the first one may be another program's a moment later, as when two start."""
        for _ in range(PORTS_TO_TRY):
            try:
                await self.engine.start(name, wait=False)
            except TunnelError:
                tunnel = self.engine.snapshot().tunnel(name)
                if tunnel is None or tunnel.reason is None or tunnel.reason.kind is not ReasonKind.PORT_IN_USE:
                    raise
                await self.engine.stop(name)
                source.builtin = await asyncio.to_thread(demo_profile)
                await self.engine.configure(source.builtin)
            else:
                return True
        return False

    async def reload(self) -> Reloaded:
        """Read the profiles again, as SIGHUP asks; connections that need not be cut are not."""
        return await self._feed.reload()

    async def drain(self, grace_seconds: float = 0.0) -> None:
        """Stop all tunnels because the process ends: what was on is on again next time. A second call hurries."""
        self._closing = True
        await self.engine.close(grace_seconds=grace_seconds)

    async def _open_window(self) -> None:
        self._paths.make_config()
        for profile in self._given:
            await self.engine.configure(profile)
        await self._feed.reload()
        noted = (await asyncio.to_thread(settings.load, self._paths.settings)).wanted
        if not self.engine.names and not self.problems:
            # The demo is in no file that could say how it starts, so its switch is kept as it was left.
            demo = await asyncio.to_thread(demo_profile)
            self._sources = (*self._sources, Source(DEMO_NAME, builtin=demo, movable=True))
            await self.engine.configure(demo)
            noted = (DEMO_NAME,) if noted is None else noted
        self._unsubscribe = self.engine.events.subscribe(self._note_changes)
        by_themselves = {profile.name for profile in self._given if profile.autostart} | self._feed.autostart
        for name in self.engine.names:
            if name in by_themselves or name in (noted or ()):
                self._spawn(self._start_quietly(name))
        self._spawn(self._note_wanted())
        if self._watch:
            self._spawn(self._feed.watch())

    async def _start_quietly(self, name: str) -> None:
        # Why it cannot start stands in its row and in the log already.
        with contextlib.suppress(WsguiError):
            await self.start(name)

    def _note_changes(self, events: tuple[Event, ...], _: int) -> None:
        if any(isinstance(event, StateChanged) for event in events):
            self._noting.set()

    async def _note_wanted(self) -> None:
        """Keep what is switched on in the settings, so that it runs again after the next start."""
        written: tuple[str, ...] | None = None
        while True:
            await self._noting.wait()
            self._noting.clear()
            wanted = tuple(tunnel.name for tunnel in self.engine.snapshot().tunnels if tunnel.wanted)
            if self._closing or wanted == written:
                continue
            try:
                await asyncio.to_thread(settings.update, self._paths.settings, wanted=wanted)
            except OSError as error:
                self._say(logging.WARNING, f"What is switched on could not be noted: {error.strerror or error}.")
            written = wanted

    async def _carry_out(self, request: Request) -> Any:
        """Answer one request of the control channel."""
        match request.do:
            case "who":
                return describe_process(self.name, self._role, wsgui.__version__)
            case "status":
                return {
                    "process": describe_process(self.name, self._role, wsgui.__version__),
                    "snapshot": self.engine.snapshot(),
                    "problems": [str(problem) for problem in self.problems],
                }
            case "start":
                name = self._tunnel(request.name).name
                await self.start(name)
                return self._tunnel(name)
            case "stop":
                name = self._tunnel(request.name).name
                await self.engine.stop(name, grace_seconds=request.grace_seconds)
                return self._tunnel(name)
            case "reload":
                return await self.reload()
            case "show":
                if self.on_show is None:
                    raise ControlError(f"{self.name} has no window.", "Start wsgui without --profile to have one.")
                self.on_show()
                return None
            case "disconnect":
                name = self._tunnel(request.name).name
                if not await self.engine.disconnect(name, request.connection):
                    raise ControlError(
                        f'"{name}" has no connection {request.connection}.', "wsgui status --json lists them."
                    )
                return None
            case "offer-authority":
                name = self._tunnel(request.name).name
                der = await asyncio.to_thread(self._authority_of, name)
                return await self.engine.offer_authority(name, der)
            case "quit":
                if self.on_quit is None:
                    raise ControlError(f"{self.name} cannot be ended this way.", "Send it SIGTERM.")
                self.on_quit(request.grace_seconds)
                return None

    def _authority_of(self, tunnel: str) -> bytes:
        """Return the certificate, in DER, of the authority that signed a tunnel's own; of the newest where none did."""
        named = next((profile.tls.certificate for profile in self._profiles() if profile.name == tunnel), ())
        for certificate in named:
            with contextlib.suppress(WsguiError):  # of a broken one it is told elsewhere
                if identity := self.certificates.row(certificate).managed.authority:
                    return self.certificates.export_authority(form="der", identity=identity)
        return self.certificates.export_authority(form="der")

    def _tunnel(self, name: str) -> TunnelSnapshot:
        snapshot = self.engine.snapshot()
        alike = (tunnel for tunnel in snapshot.tunnels if tunnel.name.casefold() == name.casefold())
        found: TunnelSnapshot | None = snapshot.tunnel(name) or next(alike, None)
        if found is None:
            names = ", ".join(tunnel.name for tunnel in snapshot.tunnels)
            raise ControlError(
                f'{self.name} has no tunnel called "{name}".', f"It has: {names}." if names else "It has none."
            )
        return found

    async def _close(self, grace_seconds: float) -> None:
        self._closing = True
        self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.engine.close(grace_seconds=grace_seconds)
        await self._server.close()
        self.engine.events.flush()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("A part of wsgui has ended by a fault of its own", exc_info=error)

    def _say(self, level: int, message: str) -> None:
        self.engine.events.publish(LogLine(time.time(), "", level, message))
