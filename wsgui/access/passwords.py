"""Lists of users and passwords, as text with a user a line, plain or as htpasswd hashes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from wsgui.access.keyed import digest, equal
from wsgui.errors import SecretError

MAX_PASSWORD_BYTES: Final = 1024
"""More than anybody types; what is longer is wrong."""
BCRYPT_BYTES: Final = 72
"""What bcrypt looks at, and htpasswd gives it; its library refuses more."""

# Milliseconds of one round, about; what counts is which hash of a list takes longest.
_WEIGHTS: Final = {"bcrypt": 0.05, "sha512_crypt": 5e-4, "sha256_crypt": 5e-4, "apr_md5_crypt": 5e-4, "md5_crypt": 5e-4}
_KINDS: Final = {
    "$2a$": "bcrypt",
    "$2b$": "bcrypt",
    "$2y$": "bcrypt",
    "$apr1$": "apr_md5_crypt",
    "$1$": "md5_crypt",
    "$5$": "sha256_crypt",
    "$6$": "sha512_crypt",
    "{SHA}": "ldap_sha1",
    "{SSHA}": "ldap_salted_sha1",
}
_SHA1: Final = re.compile(r"\{SHA\}[A-Za-z0-9+/]{27}=")
_HASH: Final = re.compile(r"(\$[0-9a-z-]+\$|\{[A-Z0-9-]+\}).+", re.DOTALL)
_BCRYPT: Final = re.compile(r"\$2[aby]\$([0-3][0-9])\$[./A-Za-z0-9]{53}")
_FIELD: Final = "access.basic"
_HINT: Final = "Write user:password or user:hash, as htpasswd makes it, a user on each line."


@dataclass(frozen=True, slots=True)
class Password:
    """What one user is listed with.

    Args:
        secret: The password, or its hash.
        kind: How it is hashed; empty for a plain one.
        weight: How long a check takes, to compare with others.
    """

    secret: str = field(repr=False)
    kind: str = ""
    weight: float = 0.0

    def matches(self, password: bytes) -> bool:
        """Return whether `password` is it. Blocking, for a hash: up to seconds."""
        if not self.kind:
            return equal(password, self.secret.encode())
        fits = 0 not in password and len(password) <= MAX_PASSWORD_BYTES
        checked = password if fits else b"-"  # takes its time too
        if self.kind == "bcrypt":
            import bcrypt

            matches = bcrypt.checkpw(checked[:BCRYPT_BYTES], self.secret.encode())
        else:
            matches = bool(_handler(self.kind).verify(checked, self.secret))
        return matches and fits

    @property
    def rests_on(self) -> bytes:
        """What changes when the password does, and tells nothing else."""
        return digest(b"password", self.secret.encode())


class Passwords:
    """A list of users; a check takes as long for an unknown user as for a known one with a wrong password.

    Raises:
        SecretError: `text` is empty or malformed; the message names a line's number, nothing else of it.
    """

    def __init__(self, text: str) -> None:
        self._users: Mapping[str, Password] = MappingProxyType(dict(_users(text)))
        if not self._users:
            raise SecretError("The list of users is empty.", _HINT, field=_FIELD)
        self._slowest = max(self._users.values(), key=lambda password: password.weight)

    @property
    def blocking(self) -> bool:
        """Whether a check takes so long that it belongs into a thread."""
        return self._slowest.weight > 0

    def get(self, user: str) -> Password | None:
        """Return what `user` is listed with."""
        return self._users.get(user)

    def check(self, user: str, spellings: Iterable[bytes]) -> Password | None:
        """Return what `user` is listed with when one of `spellings` is the password, else None."""
        password = self._users.get(user, self._slowest)
        right = False
        for spelling in spellings:
            right |= password.matches(spelling)
            if not right and password.weight < self._slowest.weight:
                self._slowest.matches(spelling)
        return password if right and user in self._users else None


def _users(text: str) -> Iterable[tuple[str, Password]]:
    seen = set()
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        user, colon, secret = line.partition(":")
        if not colon or not user:
            raise _problem(number, "is not user:password")
        if not secret.strip():
            raise _problem(number, "has an empty password")
        if user in seen:
            raise _problem(number, "names a user a second time")
        seen.add(user)
        yield user, _password(secret, number)


def _password(secret: str, number: int) -> Password:
    looks = _HASH.fullmatch(secret)
    if looks is None:
        return Password(secret)
    secret = secret.strip()
    kind = _KINDS.get(looks[1])
    if kind is None:
        raise _problem(number, "has a hash of a kind that is not known here")
    rounds = 1
    if kind == "bcrypt":
        match = _BCRYPT.fullmatch(secret)
        if match is None or not 4 <= int(match[1]) <= 31:
            raise _problem(number, "has a damaged hash")
        rounds = 2 ** int(match[1])
    else:
        try:
            parsed = _handler(kind).from_string(secret)
        except ValueError:
            raise _problem(number, "has a damaged hash") from None
        rounds = getattr(parsed, "rounds", None) or (1000 if kind in _WEIGHTS else 1)
        if not parsed.checksum or (kind == "ldap_sha1" and not _SHA1.fullmatch(secret)):
            raise _problem(number, "has a damaged hash")
    return Password(secret, kind, max(rounds * _WEIGHTS.get(kind, 0.0), 1e-3))


def _handler(kind: str) -> Any:
    import passlib.hash

    return getattr(passlib.hash, kind)


def _problem(number: int, what: str) -> SecretError:
    return SecretError(f"Line {number} of the list of users {what}.", _HINT, field=_FIELD)
