"""The keychain: only the commands that would be run, as a program made up in place of `security` sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.support.authorities import User, pem_of
from wsgui.certificates.trust.macos import KeychainStore
from wsgui.certificates.trust.store import TrustState

TRUSTS = """
state = {state!r}
if arguments[0] == "add-trusted-cert":
    open(state, "wb").write(open(arguments[-1], "rb").read())
elif arguments[0] == "remove-trusted-cert":
    os.unlink(state)
elif arguments[0] == "verify-cert":
    sys.exit(not (os.path.exists(state) and open(state, "rb").read() == open(arguments[-1], "rb").read()))
"""


@pytest.fixture
def store(user: User) -> KeychainStore:
    security = user.make_program("security", TRUSTS.format(state=str(user.home / "trusted")))
    return KeychainStore(user.tools(), user.home / "public", security=str(security))


def test_it_is_added_for_this_user_as_a_root_for_servers(
    user: User, store: KeychainStore, root: x509.Certificate
) -> None:
    assert store.state(root).state is TrustState.UNTRUSTED
    assert store.add(root).done
    asked, _, added = user.calls
    assert asked[:8] == ["security", "verify-cert", "-q", "-L", "-l", "-p", "basic", "-c"]
    keychain = str(user.home / "Library/Keychains/login.keychain-db")
    file = added.pop()
    assert added == ["security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-p", "basic", "-k", keychain]
    assert Path(file).read_bytes() == pem_of(root)
    assert store.state(root).trusted
    assert store.add(root).message == "macOS trusted it already."


def test_it_is_removed_by_the_certificate_itself(user: User, store: KeychainStore, root: x509.Certificate) -> None:
    store.add(root)
    assert store.remove(root).done
    *_, removed, deleted = user.calls
    assert removed[:2] == ["security", "remove-trusted-cert"]
    assert deleted[:3] == ["security", "delete-certificate", "-Z"]
    assert deleted[3] == root.fingerprint(hashes.SHA1()).hex().upper()
    assert store.remove(root).message == "macOS did not trust it."


def test_a_look_leaves_no_file_behind(user: User, store: KeychainStore, root: x509.Certificate) -> None:
    store.state(root)
    assert not (user.home / "public").exists()
    assert not Path(user.calls[0][-1]).exists()


def test_a_refusal_is_said_with_the_command(user: User, root: x509.Certificate) -> None:
    security = user.make_program("security", "sys.exit('SecTrustSettingsSetTrustSettings: no user interaction')")
    outcome = KeychainStore(user.tools(), user.home / "public", security=str(security)).add(root)
    assert not outcome.done
    assert "no user interaction" in outcome.message
    assert outcome.command.startswith(f"{security} add-trusted-cert ")


def test_a_missing_program_is_said(user: User, root: x509.Certificate) -> None:
    store = KeychainStore(user.tools(), user.home / "public", security=str(user.home / "none"))
    assert store.state(root).state is TrustState.UNKNOWN
    assert not store.add(root).done
