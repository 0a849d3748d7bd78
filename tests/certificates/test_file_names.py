"""Names of certificates as file names, and back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.certificates.file_names import file_stem, name_of
from wsgui.errors import CertificateError

SAFE = frozenset(string.ascii_lowercase + string.digits + "._-")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("office.lan", "office.lan"),
        ("Office.LAN", "office.lan"),
        ("*.lab.lan", "_wildcard.lab.lan"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "_v6.--1"),
        ("FD00::0:1", "_v6.fd00--1"),
        ("con", "_con"),
        ("com1.lan", "_com1.lan"),
        ("my_box-2", "my_box-2"),
        ("x" * 200, "x" * 200),
    ],
)
def test_a_name_has_a_safe_file_name(name: str, stem: str) -> None:
    assert file_stem(name) == stem


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "a..b",
        ".hidden",
        "-x",
        "_x",
        "_wildcard.lan",
        "x.",
        "x ",
        " x",
        "a b",
        "a\0",
        "a\n",
        "büro",
        "*",
        "*.",
        "*.*.lan",
        "a*b",
        "a:b",
        "fe80::1%eth0",
        "x" * 201,
        "\u212a",  # the Kelvin sign, whose lower case is k
    ],
)
def test_what_could_lead_elsewhere_is_no_name(name: str) -> None:
    with pytest.raises(CertificateError, match="cannot be the name"):
        file_stem(name)


@given(st.text(alphabet="ab01._-*:/\\ C", max_size=12) | st.text(max_size=6))
def test_every_name_comes_back_from_its_file(name: str) -> None:
    try:
        stem = file_stem(name)
    except CertificateError:
        return
    assert set(stem) <= SAFE
    back = name_of(stem)
    assert back is not None
    assert file_stem(back) == stem


@pytest.mark.parametrize("stem", ["", "Office", "_", "__x", "_office", "_v6.x", "_wildcard.", "a b", "..", "_v6.0-0-1"])
def test_other_files_are_no_certificates(stem: str) -> None:
    assert name_of(stem) is None
