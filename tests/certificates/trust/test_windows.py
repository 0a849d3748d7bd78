"""Windows' root store: only the commands that would be run, as a program made up in place of certutil.exe sees them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.support.authorities import User, make_root, pem_of
from wsgui.certificates.trust.store import TrustState, der
from wsgui.certificates.trust.windows import WindowsStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="The program that is made up is a script")


class Windows:
    """A user's root store as Python lists it, and the folder that certutil.exe is in."""

    def __init__(self, user: User, *, code: int = 0) -> None:
        self.user = user
        self.roots: list[tuple[bytes, str, object]] = [(der(make_root("Microsoft")), "x509_asn", True)]
        made = user.make_program("certutil.exe", code=code)
        folder = user.home / "Windows/System32"
        folder.mkdir(parents=True)
        made.rename(folder / "certutil.exe")
        tools = user.tools(SYSTEMROOT=str(user.home / "Windows"))
        self.store = WindowsStore(tools, user.home / "public", roots=lambda: self.roots)


def test_it_is_added_to_the_user_s_roots(user: User, root: x509.Certificate) -> None:
    windows = Windows(user)
    assert windows.store.state(root).state is TrustState.UNTRUSTED
    assert windows.store.add(root).done
    [call] = user.calls
    assert call[:-1] == ["certutil.exe", "-user", "-addstore", "Root"]
    assert Path(call[-1]).read_bytes() == pem_of(root)


@pytest.mark.parametrize("purpose", [True, frozenset({"1.3.6.1.5.5.7.3.1"})])
def test_one_that_is_there_for_servers_is_trusted(user: User, root: x509.Certificate, purpose: object) -> None:
    windows = Windows(user)
    windows.roots.append((der(root), "x509_asn", purpose))
    assert windows.store.state(root).trusted
    assert windows.store.add(root).message == "Windows trusted it already."
    assert user.calls == []


def test_one_that_is_there_for_mail_only_is_not(user: User, root: x509.Certificate) -> None:
    windows = Windows(user)
    windows.roots.append((der(root), "x509_asn", frozenset({"1.3.6.1.5.5.7.3.4"})))
    assert windows.store.state(root).state is TrustState.UNTRUSTED


def test_it_is_removed_by_its_thumbprint(user: User, root: x509.Certificate) -> None:
    windows = Windows(user)
    assert windows.store.remove(root).message == "Windows did not trust it."
    windows.roots.append((der(root), "x509_asn", True))
    assert windows.store.remove(root).done
    assert user.calls == [["certutil.exe", "-user", "-delstore", "Root", root.fingerprint(hashes.SHA1()).hex()]]


def test_a_refusal_is_said_with_the_command(user: User, root: x509.Certificate) -> None:
    outcome = Windows(user, code=1).store.add(root)
    assert not outcome.done
    assert "-user -addstore Root " in outcome.command


def test_a_store_that_cannot_be_read_is_unknown(user: User, root: x509.Certificate) -> None:
    def fail() -> list[tuple[bytes, str, object]]:
        raise PermissionError(13, "Access is denied")

    store = WindowsStore(user.tools(), user.home, roots=fail)
    assert store.state(root).state is TrustState.UNKNOWN
