"""How certutil is installed, by the system's family."""

from __future__ import annotations

import pytest

from wsgui.certificates.trust.certutil import install_command


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ({"ID": "debian"}, "sudo apt install libnss3-tools"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt install libnss3-tools"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "sudo dnf install nss-tools"),
        ({"ID": "opensuse-tumbleweed", "ID_LIKE": "opensuse suse"}, "sudo zypper install mozilla-nss-tools"),
        ({"ID": "arch"}, "sudo pacman -S nss"),
        ({"ID": "alpine"}, "sudo apk add nss-tools"),
        ({"ID": "plan9"}, ""),
    ],
)
def test_the_package_is_named_as_the_system_calls_it(release: dict[str, str], command: str) -> None:
    assert install_command("linux", release) == command


def test_on_macos_it_is_homebrew_s() -> None:
    assert install_command("darwin") == "brew install nss"
