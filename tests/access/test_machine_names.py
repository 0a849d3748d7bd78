"""The machine's own names come from files, with search domains, and from the certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsgui.access.machine_names import own_names


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 10.0.0.1\nsearch Lab.Example.org home.arpa. # comment\ndomain other.example\n")
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.1.1 lab-pc.full.example lab-pc\n10.0.0.9 other\n")
    return resolv, hosts


def test_the_short_name_gets_each_search_domain_and_the_full_name_of_the_hosts_file(files: tuple[Path, Path]) -> None:
    resolv, hosts = files
    assert own_names(hostname="Lab-PC", resolv_conf=resolv, hosts=hosts) == {
        "lab-pc",
        "lab-pc.lab.example.org",
        "lab-pc.home.arpa",
        "lab-pc.other.example",
        "lab-pc.full.example",
    }


def test_a_full_host_name_counts_with_its_short_form(tmp_path: Path) -> None:
    none = tmp_path / "none"
    assert own_names(hostname="pc.example.net", resolv_conf=none, hosts=none) == {"pc.example.net", "pc"}


def test_the_certificates_names_are_spelled_as_browsers_do(tmp_path: Path) -> None:
    none = tmp_path / "none"
    names = own_names(["*.Lab.example", "bücher.example"], hostname="pc", resolv_conf=none, hosts=none)
    assert names == {"pc", "*.lab.example", "xn--bcher-kva.example"}


def test_the_systems_own_files_are_read_without_trouble() -> None:
    assert own_names()
