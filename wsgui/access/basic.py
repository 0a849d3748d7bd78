"""HTTP Basic (RFC 7617): a user and a password in every request, compared with a list."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections import OrderedDict
from pathlib import Path
from typing import Final

from wsgui.access.delays import address_of
from wsgui.access.keyed import digest
from wsgui.access.passwords import Password, Passwords
from wsgui.access.threads import Threads
from wsgui.access.turns import Turns
from wsgui.access.visitor import Denied, Grant, TargetAddress, Visitor
from wsgui.errors import SecretError
from wsgui.profiles.disk import Signature
from wsgui.profiles.secrets import resolve

MAX_REMEMBERED: Final = 1024
CHECKS_AT_ONCE: Final = 2
CHALLENGE: Final = 'Basic realm="wsgui", charset="UTF-8"'
_HINT: Final = "Give them as HTTP Basic; the profile's [access] basic names them."

_FIELD: Final = "access.basic"

_log = logging.getLogger(__name__)


class MalformedError(ValueError):
    """An Authorization field that is no HTTP Basic."""


def parse_basic(text: str, *, strict: bool = True) -> tuple[bytes, bytes] | None:
    """Return user and password of an Authorization field; None when it is of another scheme.

    Args:
        strict: Take characters that are not base64 for a fault, instead of leaving them out.

    Raises:
        MalformedError: It is of this scheme, and yet no user and password.
    """
    scheme, _, encoded = text.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip().encode("latin-1"), validate=strict).partition(b":")
    except ValueError:
        raise MalformedError from None
    if not colon:
        raise MalformedError
    return user, password


class BasicAuthentication:
    """Asks for a user and a password of a list.

    Slow hashes are checked in two threads, see `Turns`, and a password that was right is remembered (by its digest): a
    user's viewer connects at once while somebody else tries passwords. A list in a file is read again when that has
    changed; while it is missing or malformed the old one holds.

    Args:
        reference: To text with `user:password` or `user:hash` on each line.
    """

    needs_credential = True
    guards_files = True
    grants: Final = "user"

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._path = os.path.expanduser(reference.removeprefix("file:")) if reference.startswith("file:") else ""
        self._signature: Signature | None = None
        self._passwords: Passwords | None = None
        self._remembered: OrderedDict[bytes, None] = OrderedDict()
        self._turns = Turns(CHECKS_AT_ONCE)
        self._checking = Threads("password", CHECKS_AT_ONCE)
        self._reading = Threads("password list", 1)

    async def open(self) -> None:
        """Read the list.

        Raises:
            SecretError: It is missing, empty, unreadable or malformed.
        """
        self._signature, self._passwords = await self._reading.run(self._read)

    async def close(self) -> None:
        self._passwords = None
        self._remembered.clear()

    async def authenticate(self, visitor: Visitor, _: TargetAddress | None) -> Grant | None:
        field = visitor.fields.get("authorization", "")
        try:
            credentials = parse_basic(field)
        except MalformedError:
            message = "The Authorization field is not HTTP Basic."
            raise Denied(400, message, "Send user:password in base64.", rule="credential") from None
        if credentials is None:
            raise challenged("A user and a password are needed here.", _HINT)
        user = _text(credentials[0])
        password = await self._check(visitor.host, user, credentials[1])
        if password is None:
            raise challenged("The user or the password is wrong.", _HINT, delay_key=f"user {user}")
        return Grant("user", user, rests_on=frozenset((password.rests_on,)))

    async def holds(self, grant: Grant) -> bool:
        if grant.kind != "user":
            return True
        password = (await self._current()).get(grant.name)
        return password is not None and password.rests_on in grant.rests_on

    async def _check(self, host: str, user: str, typed: bytes) -> Password | None:
        passwords = await self._current()
        if not passwords.blocking:
            return passwords.check(user, _spellings(typed))
        listed = passwords.get(user)
        key = digest(b"right", user.encode(), listed.secret.encode() if listed else b"", typed)
        if listed is not None and key in self._remembered:
            self._remembered.move_to_end(key)
            return listed
        address = address_of(host)
        await self._turns.take(address, user)
        # A client that goes away does not give its turn to the next one it makes: the thread still works for it.
        checking = asyncio.ensure_future(self._checking.run(passwords.check, user, _spellings(typed)))
        checking.add_done_callback(lambda _: self._turns.give_back(address))
        right = await asyncio.shield(checking)
        self._turns.note(address, user, right=right is not None)
        if right is not None:
            self._remembered[key] = None
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return right

    async def _current(self) -> Passwords:
        assert self._passwords is not None, "not open"
        if self._path:
            try:
                read = await self._reading.run(self._read_if_changed)
            except SecretError as error:
                _log.warning("%s The users and passwords of before hold until then.", error)
            else:
                if read is not None:
                    self._passwords = read
        return self._passwords

    def _read_if_changed(self) -> Passwords | None:
        """Return the list when its file has changed since it was last looked at, in the one thread that reads."""
        try:
            signature = Signature.of(os.stat(self._path))
        except OSError:
            signature = None
        if signature == self._signature:
            return None
        self._signature = signature
        self._signature, passwords = self._read()
        return passwords

    def _read(self) -> tuple[Signature | None, Passwords]:
        # Looked at before it is read: what is written meanwhile is read at the next look.
        signature = None
        if self._path and Path(self._path).exists():
            signature = Signature.of(os.stat(self._path))
        return signature, Passwords(resolve(self._reference, field=_FIELD))


def _text(user: bytes) -> str:
    try:
        return user.decode()
    except UnicodeDecodeError:
        return user.decode("latin-1")


def _spellings(typed: bytes) -> list[bytes]:
    """Return the bytes that a password as typed may be listed with: clients send UTF-8 or latin-1 as they like."""
    try:
        other = typed.decode().encode("latin-1")
    except UnicodeDecodeError:
        other = typed.decode("latin-1").encode()
    except UnicodeEncodeError:
        return [typed]
    return [typed] if other == typed else [typed, other]


def challenged(message: str, hint: str, challenge: str = CHALLENGE, *, delay_key: str = "") -> Denied:
    """Return what asks for a user and a password: 401 with a challenge (RFC 7617, 2)."""
    return Denied(
        401, message, hint, rule="credential", headers=(("WWW-Authenticate", challenge),), delay_key=delay_key
    )
