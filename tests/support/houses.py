"""All that a profile's access rules can name, in one folder, and who comes in by each: for tests that take it away."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
import shutil
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from tests.support.certificates import ClientAuthority, make_certificate
from tests.support.engines import Running
from tests.support.raw import RawClient
from wsgui.engine.snapshot import ReasonKind

PASSPHRASE = "correct horse"
USERS = "anna:one\nben:two\n"
PLUGIN = """
from websockify import auth_plugins, token_plugins

class Tokens(token_plugins.BasePlugin):
    def lookup(self, token):
        return self.source.split(":") if token == "anna" else None

class Access(auth_plugins.BasePlugin):
    def authenticate(self, headers, target_host, target_port):
        if headers.get("X-Pass") != self.source:
            raise auth_plugins.AuthenticationError(response_code=403)
"""


class House:
    """Its files; `module` is a plugin's, importable where `folder / "plugins"` is on the path.

    Args:
        folder: Where they go.
        target: `host:port` that all tokens lead to.
    """

    def __init__(self, folder: Path, target: str = "127.0.0.1:9") -> None:
        self.folder = folder
        self.target = target
        files = make_certificate(folder, password=PASSPHRASE.encode())
        self.certificate = files.certificate
        self.key = files.key
        self.trust: ssl.SSLContext = files.client_context()
        self.secret = self._write("secret", PASSPHRASE)
        self.authority = ClientAuthority(folder)
        self.anna = self.authority.sign("anna")
        self.users = self._write("users", USERS)
        self.tokens = self._write("tokens", f"anna: {target}\n")
        self.token_folder = folder / "token-folder"
        self.token_folder.mkdir()
        shutil.copy(self.tokens, self.token_folder / "one")
        self.file_per_token = folder / "file-per-token"
        self.file_per_token.mkdir()
        (self.file_per_token / "anna").write_text(target)
        self.sockets = folder / "sockets"
        self.sockets.mkdir()
        self.jwt_key = self._write("jwt", secrets.token_urlsafe(48))
        self.jwt_of_anna = self.jwt()
        self.module = f"plugin_{secrets.token_hex(4)}"
        self.plugin = folder / "plugins" / f"{self.module}.py"
        self.plugin.parent.mkdir(mode=0o755)
        self.plugin.write_text(PLUGIN)
        self.plugin.chmod(0o644)

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    @property
    def tls(self) -> dict[str, Any]:
        return {
            "certificate_file": str(self.certificate),
            "key_file": str(self.key),
            "key_password": f"file:{self.secret}",
            "only": True,
        }

    @contextmanager
    def socket(self, name: str = "anna") -> Iterator[None]:
        """Have somebody listen at a socket in `sockets`."""
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.sockets / name))
            listening.listen()
            yield

    def shown(self, certificate: Path | None) -> ssl.SSLContext:
        """Return what a client speaks TLS with that shows this certificate."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context

    def jwt(self, **claims: object) -> str:
        """Return a token signed with the key as it was written."""
        key = JWK(kty="oct", k=self.jwt_key.read_text())
        host, _, port = self.target.rpartition(":")
        token = JWT(
            header={"alg": "HS256"}, claims={"host": host, "port": int(port), "exp": int(time.time()) + 600} | claims
        )
        token.make_signed_token(key)
        return str(token.serialize())


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization field."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


async def status(tunnel: Running, path: str = "/", *, tls: ssl.SSLContext | None = None, **fields: str) -> int:
    """Ask for the upgrade; the answer's status, 0 when the connection ended without one."""
    try:
        async with await RawClient.connect(tunnel.url, tls=tls) as client:
            client.send(client.head(path, **fields))
            return (await client.answer()).status
    except (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError):
        return 0


Ask = Callable[[Running, House], Awaitable[int]]


@dataclass(frozen=True)
class Rule:
    """One way to say who comes in.

    Args:
        path: The file or folder that it rests on.
        fields: The profile's.
        right: What somebody gets who may come in: 101.
        wrong: What somebody gets who may not.
        refused: What that is.
        kind: The reason when it cannot be had.
        may_be_empty: Whether it may be without anything in it.
        live: Whether it is looked at for each client, so that nobody comes in while it is gone.
        kept: Whether what was once read of it stays, so that a reload with a damaged one is as good as none.
    """

    path: Callable[[House], Path]
    fields: Callable[[House], dict[str, Any]]
    right: Ask
    wrong: Ask
    refused: int
    kind: ReasonKind = ReasonKind.OTHER
    may_be_empty: bool = False
    live: bool = False
    kept: bool = False


DEMO = {"target": "demo:"}


def _tls(path: Callable[[House], Path], kind: ReasonKind = ReasonKind.CERTIFICATE) -> Rule:
    return Rule(
        path,
        lambda house: DEMO | {"tls": house.tls},
        lambda tunnel, house: status(tunnel, tls=house.trust),
        lambda tunnel, _: status(tunnel),
        403,
        kind,
    )


def _tokens(
    path: Callable[[House], Path], source: Callable[[House], dict[str, Any]], *, jwt: bool = False, **more: Any
) -> Rule:
    return Rule(
        path,
        lambda house: {"tokens": source(house)},
        lambda tunnel, house: status(tunnel, f"/?token={house.jwt_of_anna if jwt else 'anna'}"),
        lambda tunnel, _: status(tunnel, "/?token=eve"),
        404,
        **more,
    )


RULES = {
    "tls.certificate_file": _tls(lambda house: house.certificate),
    "tls.key_file": _tls(lambda house: house.key),
    "tls.key_password": _tls(lambda house: house.secret, ReasonKind.SECRET),
    "tls.client_authority": Rule(
        lambda house: house.authority.path,
        lambda house: DEMO | {"tls": house.tls | {"client_authority": str(house.authority.path)}},
        lambda tunnel, house: status(tunnel, tls=house.shown(house.anna)),
        lambda tunnel, house: status(tunnel, tls=house.trust),
        0,
        ReasonKind.CERTIFICATE,
    ),
    "access.basic": Rule(
        lambda house: house.users,
        lambda house: DEMO | {"access": {"basic": f"file:{house.users}"}},
        lambda tunnel, _: status(tunnel, authorization=basic("anna", "one")),
        lambda tunnel, _: status(tunnel, authorization=basic("anna", "two")),
        401,
        ReasonKind.SECRET,
    ),
    "access.plugin": Rule(
        lambda house: house.plugin,
        lambda house: DEMO | {"access": {"plugin": f"{house.module}.Access", "plugin_argument": "sesame"}},
        lambda tunnel, _: status(tunnel, x_pass="sesame"),
        lambda tunnel, _: status(tunnel, x_pass="open"),
        403,
        kept=True,
    ),
    "tokens.source file": _tokens(
        lambda house: house.tokens, lambda house: {"source": f"file:{house.tokens}"}, live=True
    ),
    "tokens.source folder": _tokens(
        lambda house: house.token_folder, lambda house: {"source": f"file:{house.token_folder}"}, live=True
    ),
    "tokens.source file-per-token": _tokens(
        lambda house: house.file_per_token,
        lambda house: {"source": f"file-per-token:{house.file_per_token}"},
        live=True,
    ),
    "tokens.source unix-directory": _tokens(
        lambda house: house.sockets,
        lambda house: {"source": f"unix-directory:{house.sockets}"},
        live=True,
        may_be_empty=True,
    ),
    "tokens.source jwt": _tokens(
        lambda house: house.jwt_key, lambda house: {"source": f"jwt:{house.jwt_key}"}, jwt=True, live=True
    ),
    "tokens.source jwt by reference": _tokens(
        lambda house: house.jwt_key,
        lambda house: {"source": f"jwt:file:{house.jwt_key}"},
        jwt=True,
        live=True,
        kind=ReasonKind.SECRET,
    ),
    "tokens.source plugin": _tokens(
        lambda house: house.plugin,
        lambda house: {"source": f"plugin:{house.module}.Tokens", "argument": house.target},
        kept=True,
    ),
}
"""By the profile's field; a kind of source stands behind it."""


@contextmanager
def spoiled(path: Path, fault: Callable[[Path, bool], None]) -> Iterator[None]:
    """Put something else, or nothing, in the place of a file or folder, and it back at the end."""
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    try:
        fault(path, aside.is_dir())
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        aside.rename(path)


def missing(path: Path, folder: bool) -> None:
    """Leave nothing there."""


def empty(path: Path, folder: bool) -> None:
    if folder:
        path.mkdir()
    else:
        path.write_bytes(b"")
        path.chmod(0o600)


def of_another_kind(path: Path, folder: bool) -> None:
    """A folder for a file, a file for a folder."""
    empty(path, not folder)


def junk(path: Path, folder: bool) -> None:
    if folder:
        path.mkdir()
        path = path / ".junk"  # what counts in no folder
    path.write_bytes(b"\xff\x00junk")
    path.chmod(0o600)


FAULTS = [missing, empty, of_another_kind, junk]
