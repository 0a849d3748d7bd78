"""What a certificate for this computer is for."""

from __future__ import annotations

from wsgui.app.certificate_names import certificate_names, default_names


def test_the_computers_name_comes_first_and_its_own_for_itself_last() -> None:
    names = default_names("Desk-3", ["192.168.1.20", "fd00::20"])
    assert names[0] == "desk-3"
    assert names[-3:] == ("localhost", "127.0.0.1", "::1")
    assert {"192.168.1.20", "fd00::20"} <= set(names)


def test_the_name_that_phones_find_it_by_is_there() -> None:
    assert "desk-3.local" in default_names("desk-3.office.example", [])


def test_a_computer_without_a_name_of_its_own_has_no_name_on_the_network() -> None:
    assert "localhost.local" not in default_names("localhost", [])


def test_a_name_that_no_certificate_can_have_is_left_out() -> None:
    assert certificate_names(["my pc", "fe80::1%eth0", "desk"]) == ("desk",)


def test_each_name_is_there_once() -> None:
    names = default_names("desk", ["127.0.0.1", "10.0.0.1", "10.0.0.1"])
    assert len(names) == len(set(names))


def test_addresses_of_one_interface_only_are_left_out() -> None:
    names = default_names()
    assert not any(name.startswith(("fe80:", "169.254.")) for name in names)
