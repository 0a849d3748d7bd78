"""The system's store: below a root folder of its own, with Debian's real tool and made-up ones of other systems."""

from __future__ import annotations

import json
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
from wsgui.certificates.trust import system
from wsgui.certificates.trust.store import TrustState, authority_id
from wsgui.certificates.trust.system import SystemStore

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's stores")

FAMILIES = {
    "fedora": (
        "etc/pki/ca-trust/source/anchors",
        "pem",
        ["update-ca-trust", "extract"],
        "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    ),
    "arch": (
        "etc/ca-certificates/trust-source/anchors",
        "crt",
        ["trust", "extract-compat"],
        "etc/ca-certificates/extracted/tls-ca-bundle.pem",
    ),
    "suse": ("etc/pki/trust/anchors", "pem", ["update-ca-certificates"], "var/lib/ca-certificates/ca-bundle.pem"),
    "debian": (
        "usr/local/share/ca-certificates",
        "crt",
        ["update-ca-certificates"],
        "etc/ssl/certs/ca-certificates.crt",
    ),
}


class Machine:
    """A root folder with one family's anchors, and the tool that takes them over into the bundle."""

    def __init__(self, user: User, family: str, *, script: str = "") -> None:
        self.user = user
        self.root = user.home.parent / "root"
        anchors, self.suffix, self.update, bundle = FAMILIES[family]
        self.anchors, self.bundle = self.root / anchors, self.root / bundle
        self.anchors.mkdir(parents=True)
        self.bundle.parent.mkdir(parents=True, exist_ok=True)
        self.bundle.write_bytes(pem_of(make_root("one of the system's own")))
        merge = (
            f"from pathlib import Path\nanchors, bundle = Path({str(self.anchors)!r}), Path({str(self.bundle)!r})\n"
            f"own = {self.bundle.read_bytes()!r}\n"
            "bundle.write_bytes(own + b''.join(path.read_bytes() for path in sorted(anchors.iterdir())))"
        )
        user.make_program(self.update[0], script or merge)
        for tool in ("sh", "cat", "chmod", "rm"):
            (user.programs / tool).symlink_to(shutil.which(tool) or tool)

    def store(self, *, is_root: bool = True, **variables: str) -> SystemStore:
        tools = self.user.tools(system=False, **variables)
        return SystemStore(tools, self.user.home / "public files", root=self.root, is_root=is_root)

    def file(self, root: x509.Certificate) -> Path:
        return self.anchors / f"wsgui-{authority_id(root)}.{self.suffix}"


@pytest.mark.parametrize("family", FAMILIES)
def test_root_adds_it_to_the_family_s_anchors_and_takes_it_out_again(
    user: User, root: x509.Certificate, family: str
) -> None:
    machine = Machine(user, family)
    store = machine.store()
    assert store.state(root).state is TrustState.UNTRUSTED

    assert store.add(root).done
    assert machine.file(root).read_bytes() == pem_of(root)
    assert machine.file(root).stat().st_mode & 0o777 == 0o644
    assert user.calls == [machine.update]
    assert store.state(root).trusted
    assert store.add(root).message == "The system trusted it already."

    assert store.remove(root).done
    assert list(machine.anchors.iterdir()) == []
    assert store.state(root).state is TrustState.UNTRUSTED
    assert store.remove(root).message == "The system did not trust it."


def test_debian_s_own_tool_takes_it_over_and_out(user: User, root: x509.Certificate) -> None:
    need("/usr/sbin/update-ca-certificates")
    machine = Machine(user, "debian")
    configuration = machine.root / "ca-certificates.conf"
    configuration.write_text("# none\n")
    (machine.anchors / "company.crt").write_bytes(pem_of(make_root("Company")))  # it writes no empty bundle
    places = {
        "certsconf": configuration,
        "certsdir": machine.root / "none",
        "localcertsdir": machine.anchors,
        "etccertsdir": machine.bundle.parent,
        "hooksdir": machine.root / "none",
    }
    options = [word for name, place in places.items() for word in (f"--{name}", str(place))]
    command = ["/usr/sbin/update-ca-certificates", *options]
    user.make_program(
        "update-ca-certificates", f"sys.exit(subprocess.run({command!r}, env={dict(os.environ)!r}).returncode)"
    )
    store = machine.store()
    assert store.add(root).done
    assert store.state(root).trusted
    assert store.remove(root).done
    assert store.state(root).state is TrustState.UNTRUSTED


def test_where_the_tool_fails_nothing_is_left_behind_and_the_command_is_said(
    user: User, root: x509.Certificate
) -> None:
    machine = Machine(user, "debian", script="sys.exit('the disk is full')")
    outcome = machine.store().add(root)
    assert (outcome.done, outcome.message) == (False, "The system could not be changed: the disk is full.")
    assert not machine.file(root).exists()
    install, update = outcome.command.split(" && ")
    file = user.home / "public files" / f"wsgui-{authority_id(root)}.crt"
    assert shlex.split(install) == ["install", "-m", "644", str(file), str(machine.file(root))]
    assert file.read_bytes() == pem_of(root)
    assert shlex.split(update) == [str(user.programs / "update-ca-certificates")]


def test_a_tool_that_does_not_take_it_over_is_not_believed(user: User, root: x509.Certificate) -> None:
    machine = Machine(user, "debian", script="pass")
    outcome = machine.store().add(root)
    assert not outcome.done
    assert outcome.message.endswith("did not take the certificate over.")


def test_one_that_waits_to_be_taken_over_is_said_with_the_command(user: User, root: x509.Certificate) -> None:
    machine = Machine(user, "debian", script="pass")
    machine.file(root).write_bytes(pem_of(root))
    trust = machine.store(is_root=False).state(root)
    assert trust.state is TrustState.UNTRUSTED
    assert trust.message.endswith(f"Run: su -c {user.programs}/update-ca-certificates")


def test_another_s_file_that_holds_it_among_others_is_left_alone(user: User, root: x509.Certificate) -> None:
    machine = Machine(user, "debian")
    both = machine.anchors / "company.crt"
    both.write_bytes(pem_of(root) + pem_of(make_root("Company")))
    machine.bundle.write_bytes(machine.bundle.read_bytes() + both.read_bytes())
    outcome = machine.store().remove(root)
    assert not outcome.done
    assert both.exists()


def test_one_that_was_put_there_under_another_name_is_removed(user: User, root: x509.Certificate) -> None:
    machine = Machine(user, "debian")
    other = machine.anchors / "by hand.crt"
    other.write_bytes(pem_of(root))
    machine.bundle.write_bytes(machine.bundle.read_bytes() + pem_of(root))
    assert machine.store().remove(root).done
    assert not other.exists()


def test_a_system_without_such_a_store_has_nothing_to_do(user: User, root: x509.Certificate, tmp_path: Path) -> None:
    store = SystemStore(user.tools(system=False), tmp_path / "public", root=tmp_path / "nothing", is_root=True)
    assert store.state(root).state is TrustState.ABSENT
    assert store.add(root).done
    assert store.remove(root).done


class TestRights:
    """Who is not root asks for rights, without a terminal on which something could wait for a password."""

    def test_sudo_is_asked_without_a_password(self, user: User, root: x509.Certificate) -> None:
        machine = Machine(user, "debian")
        # As sudo hands through what it is given; the options end where the command begins.
        user.make_program("sudo", "sys.exit(subprocess.run(arguments[2:], input=given, text=True).returncode)")
        store = machine.store(is_root=False)
        assert store.add(root).done
        assert user.calls[0][:3] == ["sudo", "-n", "--"]
        assert machine.file(root).read_bytes() == pem_of(root)
        assert store.remove(root).done

    def test_polkit_is_asked_where_there_is_a_display(self, user: User, root: x509.Certificate) -> None:
        machine = Machine(user, "debian")
        user.make_program("sudo", "print('sudo: a password is required', file=sys.stderr)", code=1)
        user.make_program("pkexec", "sys.exit(subprocess.run(arguments[1:], input=given, text=True).returncode)")
        assert machine.store(is_root=False, WAYLAND_DISPLAY="wayland-0").add(root).done
        assert [call[0] for call in user.calls] == ["sudo", "pkexec", "update-ca-certificates"]
        assert user.calls[1][1] == "--disable-internal-agent"

    def test_without_a_display_nothing_asks_and_the_command_is_said(self, user: User, root: x509.Certificate) -> None:
        machine = Machine(user, "debian")
        user.make_program("sudo", code=1)
        user.make_program("pkexec")
        outcome = machine.store(is_root=False).add(root)
        assert (outcome.done, outcome.message) == (False, "Only root may change what the system trusts.")
        assert [call[0] for call in user.calls] == ["sudo"]
        install, update = outcome.command.split(" && ")
        assert shlex.split(install)[:4] == ["sudo", "install", "-m", "644"]
        assert shlex.split(update) == ["sudo", str(user.programs / "update-ca-certificates")]

    def test_the_command_that_is_said_does_it(self, user: User, root: x509.Certificate) -> None:
        machine = Machine(user, "debian")
        command = machine.store(is_root=False).add(root).command
        assert shlex.split(command)[:2] == ["su", "-c"]
        subprocess.run(shlex.split(command)[2], shell=True, check=True)
        assert machine.store().state(root).trusted
        machine.bundle.chmod(0o644)
        command = machine.store(is_root=False).remove(root).command
        subprocess.run(shlex.split(command)[2], shell=True, check=True)
        assert machine.store().state(root).state is TrustState.UNTRUSTED

    def test_a_dialog_that_nobody_answers_is_given_up(
        self, user: User, root: x509.Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(system, "DIALOG_SECONDS", 0.5)
        machine = Machine(user, "debian")
        user.make_program("pkexec", "import signal\nsignal.pause()")
        outcome = machine.store(is_root=False, DISPLAY=":0").add(root)
        assert not outcome.done
        assert outcome.message.startswith("pkexec did not end within 0.5 seconds.")

    def test_no_terminal_is_there_to_ask_on(self, user: User, root: x509.Certificate, tmp_path: Path) -> None:
        machine = Machine(user, "debian")
        seen = tmp_path / "seen"
        user.make_program(
            "sudo",
            "try:\n    os.open('/dev/tty', os.O_RDWR)\n    terminal = True\nexcept OSError:\n    terminal = False\n"
            f"json.dump([terminal, sorted(os.environ)], open({str(seen)!r}, 'w'))",
            code=1,
        )
        machine.store(is_root=False, SSH_AUTH_SOCK="/tmp/agent", WSGUI_SECRET="hush").add(root)
        terminal, variables = json.loads(seen.read_text())
        assert terminal is False
        assert not {"SSH_AUTH_SOCK", "WSGUI_SECRET"} & set(variables)
