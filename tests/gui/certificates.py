"""Real certificates for pictures and tests of views, in a facade that keeps them in memory and answers at once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from wsgui.app.certificate_listing import AuthorityRow, Broken, Listing, Row, StoreState
from wsgui.app.certificates import Created
from wsgui.certificates.authority import Authority, make_authority
from wsgui.certificates.issue import issue, self_signed
from wsgui.certificates.managed import Managed, StoredAuthority
from wsgui.certificates.trust.store import Outcome, Trust, TrustState
from wsgui.engine.snapshot import OfferSnapshot
from wsgui.errors import CertificateError, WsguiError
from wsgui.profiles.keyring_access import Finding, KeyringState

NAMES = ("lab-pc.local", "lab-pc", "192.168.1.20", "localhost", "127.0.0.1", "::1")
AVAILABLE = Finding(KeyringState.AVAILABLE, "SecretService", "", "")
LOCKED = Finding(KeyringState.LOCKED, "SecretService", "The keyring is locked.", "Unlock it.")
ABSENT = Finding(KeyringState.ABSENT, "", "There is no keyring on this computer.", "Install one.")
STORES = ("System", "Chrome and other programs on NSS", "Firefox")


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@functools.cache
def authority() -> tuple[Authority, EllipticCurvePrivateKey]:
    return make_authority(NAMES, machine=("lab-pc",))


@functools.cache
def managed(name: str, kind: str = "issued", names: tuple[str, ...] = (), ends_in_days: int = 397) -> Managed:
    """A certificate that ends in so many days."""
    root, key = authority()
    asked = names or (name,)
    made = now() - timedelta(days=397 - ends_in_days)
    bundle = self_signed(asked, now=made) if kind != "issued" else issue(root, key, asked, now=made)
    place = "ask" if kind == "self-signed" else f"keyring:certificate/{name}"
    return Managed(name, kind, bundle.chain, asked, root.id if kind == "issued" else "", place)  # type: ignore[arg-type]


def row(of: Managed, *, used_by: Sequence[str] = (), problem: str = "", hint: str = "") -> Row:
    renews = None if of.kind == "imported" else (of.description.not_after - timedelta(days=30)).date()
    return Row(of, tuple(used_by), renews, problem, hint)


def stores(**states: TrustState) -> tuple[StoreState, ...]:
    """The stores of a Linux desktop; by default all trust it, and Firefox has to be started again."""
    messages = {"Firefox": "Firefox trusts it. Restart Firefox."}
    wanted = [states.get(name.partition(" ")[0].lower(), TrustState.TRUSTED) for name in STORES]
    return tuple(
        StoreState(
            name,
            Trust(state, messages.get(name, "It is trusted.") if state is TrustState.TRUSTED else "It is not trusted."),
        )
        for name, state in zip(STORES, wanted, strict=True)
    )


def listing(*rows: Row, trusted: Sequence[StoreState] = (), broken: Sequence[Broken] = ()) -> Listing:
    stored = StoredAuthority(authority()[0], "keyring:authority/x", now())
    states = tuple(trusted) or stores()
    signed = tuple(each.managed.name for each in rows if each.managed.authority)
    return Listing(rows, (AuthorityRow(stored, signed, states),), states, tuple(broken))


def usual() -> Listing:
    """Three certificates as an office has them."""
    ends_soon = row(
        managed("www.example.org", "imported", ("www.example.org",), ends_in_days=10),
        used_by=("Remote gateway",),
        problem="It ends in 9 days, and wsgui cannot renew what others made.",
        hint="Import a new one.",
    )
    return listing(
        row(managed("lab-pc.local", "issued", NAMES), used_by=("Office desktop", "Build farm")),
        row(managed("printer.lan", "self-signed", ("printer.lan", "192.168.1.40"))),
        ends_soon,
    )


@dataclass
class FakeCertificates:
    """The part of `wsgui.app.certificates.Certificates` that the window asks; `asked` lists what was."""

    shown: Listing = field(default_factory=Listing)
    finding: Finding = AVAILABLE
    failing: dict[str, WsguiError] = field(default_factory=dict)
    """What the next question of this name fails with."""
    outcomes: tuple[Outcome, ...] = ()
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def _note(self, *what: Any) -> None:
        self.asked.append(what)
        if what[0] in self.failing:
            raise self.failing.pop(what[0])

    def listing(self, *, stores: bool = True) -> Listing:
        if "listing" in self.failing:
            raise self.failing.pop("listing")
        return self.shown if stores else replace(self.shown, stores=())

    def keyring(self) -> Finding:
        return self.finding

    def default_names(self) -> tuple[str, ...]:
        return NAMES

    def create(self, names: Sequence[str] = (), **options: Any) -> Created:
        self._note("create", tuple(names), options)
        made = managed("lab-pc.local", "issued", tuple(names) or NAMES)
        untrusted = dict.fromkeys(("system", "chrome", "firefox"), TrustState.UNTRUSTED)
        others = (each for each in self.shown.rows if each.managed.name != made.name)
        self.shown = listing(*others, row(made), trusted=self.shown.stores or stores(**untrusted))
        return Created(made, authority()[0], new_authority=True)

    def renew(self, name: str) -> Created:
        self._note("renew", name)
        return Created(managed(name))

    def import_(self, files: Sequence[Path], **options: Any) -> Created:
        password = options.pop("password")("the key")
        self._note("import", tuple(files), password, options)
        return Created(managed("www.example.org", "imported"))

    def remove(self, name: str) -> tuple[str, ...]:
        self._note("remove", name)
        self.shown = replace(self.shown, rows=tuple(each for each in self.shown.rows if each.managed.name != name))
        return ()

    def trust(self) -> tuple[Outcome, ...]:
        self._note("trust")
        self.shown = replace(self.shown, stores=stores())
        return self.outcomes

    def untrust(self) -> tuple[Outcome, ...]:
        self._note("untrust")
        return self.outcomes

    def export_pem(self, name: str, *, password: str = "") -> bytes:
        self._note("export_pem", name, password)
        return b"pem"

    def export_pkcs12(self, name: str, password: str) -> bytes:
        self._note("export_pkcs12", name, password)
        return b"p12"

    def export_authority(self, *, form: str = "pem", identity: str = "") -> bytes:
        self._note("export_authority", identity)
        return b"authority"

    def save_file(self, path: Path, data: bytes, *, replace: bool = False) -> None:
        self._note("save_file", path, data, replace)


class FakeRequests:
    """Answers at once, or, while `held`, when `answer` is called."""

    def __init__(self) -> None:
        self.facade = FakeCertificates()
        self.held = False
        self.waiting: list[Callable[[], None]] = []
        self.cancelled = 0
        self.offers: list[tuple[str, str]] = []
        self.withdrawn: list[str] = []
        self.unlocked: list[str] = []
        self.offering: OfferSnapshot | WsguiError = CertificateError("There is no network.", "Connect to one.")

    def ask(self, what: str, question: Any, done: Any, failed: Any) -> Callable[[], object]:
        assert what
        assert threading.current_thread() is threading.main_thread()
        gone = False

        def work() -> None:
            if gone:
                return
            try:
                value = question(self.facade)
            except WsguiError as error:
                failed(error)
            else:
                done(value)

        def cancel() -> None:
            nonlocal gone
            gone = True
            self.cancelled += 1

        if self.held:
            self.waiting.append(work)
        else:
            work()
        return cancel

    def answer(self) -> None:
        """Answer all that waits, and what is asked meanwhile."""
        self.held = False
        while self.waiting:
            self.waiting.pop(0)()

    def offer(self, tunnel: str, authority: str, done: Any, failed: Any) -> Callable[[], object]:
        self.offers.append((tunnel, authority))
        if isinstance(self.offering, WsguiError):
            failed(self.offering)
        else:
            done(self.offering)
        return lambda: None

    def withdraw(self, tunnel: str) -> None:
        self.withdrawn.append(tunnel)

    def unlock(self, tunnel: str) -> None:
        self.unlocked.append(tunnel)
