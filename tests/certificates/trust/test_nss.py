"""Chrome's and Firefox's stores, with the real certutil on databases of a home of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.authorities import User, make_root, pem_of
from tests.support.programs import need
from wsgui.certificates.trust import nss
from wsgui.certificates.trust.nss import chrome_store, firefox_store
from wsgui.certificates.trust.store import TrustState, nickname

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' certutil is another program")


@pytest.fixture(autouse=True)
def certutil_is_there() -> None:
    need("certutil")


def certutil(database: Path, *arguments: str, given: bytes = b"") -> str:
    mode, *rest = arguments
    ran = subprocess.run(["certutil", mode, "-d", f"sql:{database}", *rest], input=given, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.decode()


def make_database(folder: Path, *, password: str = "") -> Path:
    folder.mkdir(parents=True, mode=0o700)
    if password:
        secret = folder.parent / "password"
        secret.write_text(f"{password}\n")
        certutil(folder, "-N", "-f", str(secret))
    else:
        certutil(folder, "-N", "--empty-password")
    return folder


def entries(database: Path) -> dict[str, str]:
    """Nickname → flags."""
    lines = [line.rsplit(maxsplit=1) for line in certutil(database, "-L").splitlines()[4:] if line.strip()]
    return {name.strip(): flags for name, flags in lines}


class TestChrome:
    def test_a_missing_database_is_made_and_trusts_the_authority_for_servers_only(
        self, user: User, root: x509.Certificate
    ) -> None:
        store = chrome_store(user.tools(), user.home / "public")
        assert store.state(root).state is TrustState.UNTRUSTED
        assert not (user.home / ".pki").exists()

        outcome = store.add(root)

        assert outcome.done, outcome
        assert outcome.message == "Chrome trusts it now."
        database = user.home / ".pki/nssdb"
        assert database.stat().st_mode & 0o777 == 0o700
        assert entries(database) == {nickname(root): "C,,"}
        assert store.state(root).trusted

    def test_adding_it_again_says_that_nothing_was_to_be_done(self, user: User, root: x509.Certificate) -> None:
        store = chrome_store(user.tools(), user.home / "public")
        store.add(root)
        assert store.add(root).message == "Chrome trusted it already."

    def test_what_was_removed_is_trusted_no_longer(self, user: User, root: x509.Certificate) -> None:
        store = chrome_store(user.tools(), user.home / "public")
        store.add(root)
        outcome = store.remove(root)
        assert (outcome.done, outcome.message) == (True, "Chrome trusts it no longer.")
        assert entries(user.home / ".pki/nssdb") == {}
        assert store.state(root).state is TrustState.UNTRUSTED
        assert store.remove(root).message == "Chrome did not trust it."

    def test_a_certificate_of_the_same_nickname_is_not_taken_for_it(self, user: User, root: x509.Certificate) -> None:
        database = make_database(user.home / ".pki/nssdb")
        certutil(database, "-A", "-n", nickname(root), "-t", "C,,", given=pem_of(make_root("Somebody else")))
        store = chrome_store(user.tools(), user.home / "public")
        assert store.state(root).state is TrustState.UNTRUSTED
        assert store.remove(root).message == "Chrome did not trust it."
        assert entries(database) == {nickname(root): "C,,"}

    def test_it_is_found_and_removed_under_a_name_that_a_browser_gave_it(
        self, user: User, root: x509.Certificate
    ) -> None:
        database = make_database(user.home / ".pki/nssdb")
        certutil(database, "-A", "-n", "org-wsgui", "-t", "CT,C,C", given=pem_of(root))
        store = chrome_store(user.tools(), user.home / "public")
        assert store.state(root).trusted
        assert store.remove(root).done
        assert entries(database) == {}

    def test_one_that_is_there_without_trust_is_given_it(self, user: User, root: x509.Certificate) -> None:
        database = make_database(user.home / ".pki/nssdb")
        certutil(database, "-A", "-n", "there before", "-t", ",,", given=pem_of(root))
        store = chrome_store(user.tools(), user.home / "public")
        assert store.state(root).state is TrustState.UNTRUSTED
        assert store.add(root).done
        assert entries(database) == {"there before": "C,,"}

    def test_others_of_the_same_subject_stay_as_they_were_when_it_is_removed(self, user: User) -> None:
        database = make_database(user.home / ".pki/nssdb")
        ours, older, newer = (make_root("Same", days=days) for days in (100, 50, 150))
        store = chrome_store(user.tools(), user.home / "public")
        certutil(database, "-A", "-n", "older", "-t", "C,,", given=pem_of(older))
        assert store.add(ours).done
        certutil(database, "-A", "-n", "newer", "-t", "c,,", given=pem_of(newer))
        assert store.remove(ours).done
        assert store.state(ours).state is TrustState.UNTRUSTED
        assert sorted(entries(database).values()) == ["C,,", "c,,"]
        for kept in (older, newer):
            assert pem_of(kept).decode() in certutil(database, "-L", "-n", "older", "-a").replace("\r", "")
        assert store.state(older).trusted
        assert store.state(newer).state is TrustState.UNTRUSTED

    def test_a_database_in_the_data_folder_is_used_where_chromium_has_made_one(
        self, user: User, root: x509.Certificate
    ) -> None:
        database = make_database(user.home / ".local/share/pki/nssdb")
        assert chrome_store(user.tools(), user.home / "public").add(root).done
        assert nickname(root) in entries(database)
        assert not (user.home / ".pki").exists()

    def test_snap_s_and_flatpak_s_databases_are_used_too(self, user: User, root: x509.Certificate) -> None:
        folders = ["snap/chromium/7/.pki/nssdb", ".var/app/org.chromium.Chromium/.pki/nssdb", ".pki/nssdb"]
        databases = [make_database(user.home / folder) for folder in folders]
        (user.home / "snap/chromium/current").symlink_to("7")
        outcome = chrome_store(user.tools(), user.home / "public").add(root)
        assert outcome.message == "Chrome trusts it now, in 3 databases."
        assert all(nickname(root) in entries(database) for database in databases)

    def test_a_database_with_a_password_is_left_as_it_was_and_the_command_is_said(
        self, user: User, root: x509.Certificate
    ) -> None:
        database = make_database(user.home / ".pki/nssdb", password="secret")
        store = chrome_store(user.tools(), user.home / "the public files")
        outcome = store.add(root)
        assert not outcome.done
        assert outcome.message.startswith("~/.pki/nssdb: It is protected by a password")
        assert entries(database) == {}

        # The very command, with the password that it would ask for.
        words = [*shlex.split(outcome.command), "-f", str(database.parent / "password")]
        assert words[:2] == ["certutil", "-A"]
        subprocess.run(words, check=True)
        assert store.state(root).trusted

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
    def test_one_that_may_not_be_written_is_said(self, user: User, root: x509.Certificate) -> None:
        database = make_database(user.home / ".pki/nssdb")
        try:
            for path in (*database.iterdir(), database):
                path.chmod(0o500 if path.is_dir() else 0o400)
            self._refused_as_read_only(user, root)
        finally:
            database.chmod(0o700)

    def test_a_read_only_database_is_said_with_a_command(
        self, user: User, root: x509.Certificate, tmp_path: Path
    ) -> None:
        make_database(user.home / ".pki/nssdb")
        real = shutil.which("certutil")
        user.make_program(
            "certutil",
            "if arguments[0] == '-A':\n    sys.exit('certutil: could not add: SEC_ERROR_READ_ONLY: read-only')\n"
            f"sys.exit(subprocess.run([{real!r}, *arguments]).returncode)",
        )
        self._refused_as_read_only(user, root)

    def _refused_as_read_only(self, user: User, root: x509.Certificate) -> None:
        outcome = chrome_store(user.tools(), user.home / "public").add(root)
        assert not outcome.done
        assert "~/.pki/nssdb: It cannot be written to." in outcome.message
        assert outcome.command.startswith(f"certutil -A -d sql:{user.home}/.pki/nssdb -n ")

    def test_a_damaged_database_is_said(self, user: User, root: x509.Certificate) -> None:
        folder = user.home / ".pki/nssdb"
        folder.mkdir(parents=True)
        (folder / "cert9.db").write_text("junk")
        store = chrome_store(user.tools(), user.home / "public")
        trust = store.state(root)
        assert trust.state is TrustState.UNKNOWN
        assert "~/.pki/nssdb: It is damaged" in trust.message
        assert not store.add(root).done

    def test_without_certutil_it_says_what_installs_it_and_what_to_run_then(
        self, user: User, root: x509.Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nss, "install_command", lambda _: "sudo apt install libnss3-tools")
        make_database(user.home / ".pki/nssdb")
        store = chrome_store(user.tools(system=False), user.home / "public")
        assert store.state(root).state is TrustState.UNKNOWN
        outcome = store.add(root)
        assert not outcome.done
        assert outcome.command == "sudo apt install libnss3-tools\nwsgui certificate trust"
        assert store.remove(root).command.endswith("\nwsgui certificate untrust")

    def test_where_no_program_uses_nss_there_is_no_such_store(self, user: User, root: x509.Certificate) -> None:
        store = chrome_store(user.tools(system=False), user.home / "public")
        assert store.state(root).state is TrustState.ABSENT
        assert store.add(root).done
        assert not (user.home / ".pki").exists()

    def test_nothing_but_the_public_certificate_is_given_to_certutil(self, user: User, root: x509.Certificate) -> None:
        make_database(user.home / ".pki/nssdb")
        given = user.home / "given"
        user.make_program(
            "certutil",
            f"open({str(given)!r}, 'a').write(given)\nopen({str(given)!r}, 'a').write(str(dict(os.environ)))",
        )
        chrome_store(user.tools(WSGUI_SECRET="hush", LD_PRELOAD="x"), user.home / "public").remove(root)
        assert "hush" not in given.read_text()
        assert "LD_PRELOAD" not in given.read_text()


class TestFirefox:
    def test_every_profile_trusts_it_wherever_it_lies(self, user: User, root: x509.Certificate) -> None:
        elsewhere = user.home / "elsewhere/profile"
        databases = [
            make_database(elsewhere),
            *(
                make_database(user.home / folder / "abc.default")
                for folder in (
                    ".mozilla/firefox",
                    ".config/mozilla/firefox",
                    "snap/firefox/common/.mozilla/firefox",
                    ".var/app/org.mozilla.firefox/.mozilla/firefox",
                )
            ),
        ]
        (user.home / ".mozilla/firefox/profiles.ini").write_text(
            f"[Profile0]\nName=x\nIsRelative=0\nPath={elsewhere}\n[Profile1]\nName=y\nIsRelative=1\nPath=abc.default\n"
        )
        store = firefox_store(user.tools(), user.home / "public")
        assert store.add(root).message == "Firefox trusts it now, in 5 profiles."
        assert all(entries(database) == {nickname(root): "C,,"} for database in databases)
        assert store.state(root).trusted

    def test_a_profile_that_does_not_trust_it_is_counted(self, user: User, root: x509.Certificate) -> None:
        make_database(user.home / ".mozilla/firefox/one")
        store = firefox_store(user.tools(), user.home / "public")
        store.add(root)
        make_database(user.home / ".mozilla/firefox/two")
        trust = store.state(root)
        assert (trust.state, trust.message) == (
            TrustState.UNTRUSTED,
            "Firefox does not trust it in 1 of 2 profiles.",
        )

    def test_a_running_firefox_is_to_be_restarted(self, user: User, root: x509.Certificate) -> None:
        profile = make_database(user.home / ".mozilla/firefox/one")
        (profile / "lock").symlink_to(f"127.0.1.1:+{os.getpid()}")
        os.utime(profile / "lock", (1, 1), follow_symlinks=False)
        store = firefox_store(user.tools(), user.home / "public")
        assert store.add(root).message == "Firefox trusts it now. Restart Firefox."
        assert store.state(root).message == "Firefox trusts it. Restart Firefox."

    def test_one_that_was_started_since_is_not(self, user: User, root: x509.Certificate) -> None:
        profile = make_database(user.home / ".mozilla/firefox/one")
        store = firefox_store(user.tools(), user.home / "public")
        store.add(root)
        (profile / "lock").symlink_to(f"127.0.1.1:+{os.getpid()}")
        os.utime(profile / "lock", (1e10, 1e10), follow_symlinks=False)
        assert store.state(root).message == "Firefox trusts it."

    def test_where_there_is_no_profile_there_is_nothing_to_do(self, user: User, root: x509.Certificate) -> None:
        store = firefox_store(user.tools(), user.home / "public")
        assert store.state(root).state is TrustState.ABSENT
        assert store.add(root).done
