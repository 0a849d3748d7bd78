"""`wsgui certificate …`: made, listed, shown, renewed, moved, removed."""

from __future__ import annotations

import pytest

from tests.support.certificate_shell import WHERE, CertificateShell
from wsgui.certificates.trust.store import Outcome


def test_without_certificates_it_says_how_to_make_one(certificate: CertificateShell) -> None:
    assert "wsgui certificate create" in certificate("list")


def test_create_says_what_was_made_who_must_trust_it_and_what_comes_next(certificate: CertificateShell) -> None:
    out = certificate("create", "office.lan", "192.168.1.20", "--passphrase", WHERE)
    assert out.startswith("office.lan: made, for office.lan and 192.168.1.20, valid until ")
    assert "Each device has to trust it" in out
    assert "wsgui certificate trust" in out
    assert "wsgui certificate export --authority" in out
    assert "environment variable TEST_PASSPHRASE" in out
    assert 'certificate = "office.lan"' in out


def test_a_second_one_needs_nothing_to_be_trusted(certificate: CertificateShell) -> None:
    certificate("create", "office.lan", "--passphrase", WHERE)
    out = certificate("create", "lab.lan", "--passphrase", WHERE)
    assert "A new authority" not in out
    assert "Devices that trust" in out


def test_a_new_authority_has_to_be_trusted_again(certificate: CertificateShell) -> None:
    certificate("create", "office.lan", "--passphrase", WHERE)
    out = certificate("create", "vnc.example.com", "--passphrase", WHERE)
    assert "Devices that trust the earlier one have to trust this one too" in out


def test_create_without_names_is_for_this_computer(certificate: CertificateShell) -> None:
    made = certificate.json("create", "--passphrase", WHERE, "--name", "mine")
    assert {"localhost", "127.0.0.1", "::1"} <= set(made["names"])
    assert made["name"] == "mine"
    assert made["new_authority"] is True


def test_a_self_signed_one_says_that_browsers_ask(certificate: CertificateShell) -> None:
    assert "browsers ask each time" in certificate("create", "a.lan", "--self-signed", "--passphrase", WHERE)


def test_a_name_that_is_none_is_an_error_that_names_it(certificate: CertificateShell) -> None:
    certificate("create", "no name", "--passphrase", WHERE, code=1)
    assert '"no name"' in certificate.err


def test_a_passphrase_typed_in_place_of_where_it_is_is_refused_and_not_shown(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--passphrase", "hunter2", code=2)
    assert "env:VARIABLE" in certificate.err
    assert "hunter2" not in certificate.err
    certificate("passphrase", "a.lan", "hunter2", code=2)
    assert "hunter2" not in certificate.err


def test_a_passphrase_can_be_typed(certificate: CertificateShell) -> None:
    out = certificate(
        "create", "a.lan", "--self-signed", "--passphrase", "ask", answers="", passwords=("sesame-1",) * 2
    )
    assert "is kept nowhere" in out
    assert len(certificate.asked) == 2
    certificate("export", "a.lan", "--pkcs12", "a.p12", "--password", WHERE, answers="", passwords=("sesame-1",))


def test_nobody_can_type_a_passphrase_without_a_terminal(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--passphrase", "ask", code=1)
    assert "nobody" in certificate.err


def test_list_shows_names_ends_users_and_where_it_is_trusted(certificate: CertificateShell) -> None:
    certificate("create", "office.lan", "lab.lan", "--passphrase", WHERE)
    certificate.profile("Office", "office.lan")
    certificate("trust", "--store", "system")
    heading, row, *rest = certificate("list").splitlines()
    assert heading.split() == ["NAME", "FOR", "ENDS", "USED", "BY", "TRUSTED", "BY"]
    assert row.startswith("office.lan  office.lan, lab.lan  20")
    assert "Office" in row
    assert row.endswith("System")
    assert "  Chrome and others: Chrome and others does not trust it." in rest


def test_list_for_programs_has_all_of_it(certificate: CertificateShell) -> None:
    certificate("create", "office.lan", "--passphrase", WHERE)
    certificate.profile("Office", "office.lan")
    told = certificate.json("list")
    (row,) = told["certificates"]
    (authority,) = told["authorities"]
    assert row["used_by"] == ["Office"]
    assert row["trusted_by"] == []
    assert row["authority"] == authority["id"]
    assert authority["signed"] == ["office.lan"]
    assert [state["state"] for state in told["stores"]] == ["untrusted", "untrusted"]
    assert told["broken"] == []


def test_a_broken_one_is_told_beside_the_others(certificate: CertificateShell) -> None:
    certificate("create", "office.lan", "--passphrase", WHERE)
    certificate("create", "lab.lan", "--passphrase", WHERE)
    (certificate.folder / "data" / "certificates" / "lab.lan.pem").write_text("rubbish")
    assert "office.lan" in certificate("list", code=1)
    assert "lab.lan.pem" in certificate.err


def test_show_says_all_there_is_to_know(certificate: CertificateShell) -> None:
    certificate("create", "office.lan", "10.0.0.1", "--passphrase", WHERE)
    told = certificate.json("list")["certificates"][0]
    out = certificate("show", "office.lan")
    for fact in ("office.lan, 10.0.0.1", told["fingerprint"], told["serial"], "ECDSA P-256", WHERE, "no profile"):
        assert fact in out
    assert out.count("signed by wsgui local") == 2


def test_what_is_not_there_is_said(certificate: CertificateShell) -> None:
    certificate("show", "a.lan", code=1)
    assert 'no certificate "a.lan"' in certificate.err


def test_renew_keeps_the_names_and_changes_the_key(certificate: CertificateShell) -> None:
    before = certificate.json("create", "office.lan", "--passphrase", WHERE)
    assert "office.lan: renewed" in certificate("renew", "office.lan")
    after = certificate.json("show", "office.lan")
    assert after["names"] == before["names"]
    assert after["fingerprint"] != before["fingerprint"]


def test_renew_all_renews_what_was_made_here(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--passphrase", WHERE)
    certificate("create", "b.lan", "--self-signed", "--passphrase", WHERE)
    certificate("export", "a.lan", "--pkcs12", "a.p12", "--password", WHERE)
    certificate("import", "a.p12", "--name", "c.lan", "--password", WHERE, "--passphrase", WHERE)
    out = certificate("renew", "--all")
    assert "a.lan: renewed" in out
    assert "b.lan: renewed" in out
    assert "c.lan" not in out


def test_one_that_cannot_be_renewed_keeps_no_other_from_it(certificate: CertificateShell) -> None:
    certificate("create", "b.lan", "--passphrase", WHERE)
    assert "b.lan: renewed" in certificate("renew", "a.lan", "b.lan", code=1)


@pytest.mark.parametrize("arguments", [["renew"], ["renew", "--all", "a.lan"]])
def test_renew_wants_names_or_all(certificate: CertificateShell, arguments: list[str]) -> None:
    certificate(*arguments, code=2)
    assert "--all" in certificate.err


def test_the_passphrase_can_be_moved(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--self-signed", "--passphrase", WHERE)
    file = certificate.folder / "passphrase"
    file.write_text("another passphrase\n")
    file.chmod(0o600)
    assert str(file) in certificate("passphrase", "a.lan", f"file:{file}")
    certificate("export", "a.lan", "--pkcs12", "a.p12", "--password", WHERE)


def test_what_a_profile_uses_is_not_removed_without_force(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--self-signed", "--passphrase", WHERE)
    certificate.profile("Office", "a.lan")
    certificate("remove", "a.lan", code=1)
    assert '"Office"' in certificate.err
    assert "Office used it" in certificate("remove", "a.lan", "--force")
    assert "no certificate yet" in certificate("list")


def test_each_command_explains_itself(certificate: CertificateShell) -> None:
    assert "examples:" in certificate("--help")
    for command in ("create", "list", "show", "renew", "import", "export", "passphrase", "remove", "trust", "untrust"):
        assert command in certificate(command, "--help")


def test_the_passphrase_of_an_authority_is_shown_and_can_be_moved(
    certificate: CertificateShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate("create", "a.lan", "--passphrase", WHERE)
    (authority,) = certificate.json("list")["authorities"]
    assert authority["passphrase"] == WHERE
    monkeypatch.setenv("OTHER", "another horse")
    certificate("passphrase", "--authority", authority["id"][:6], "env:OTHER")
    monkeypatch.delenv("TEST_PASSPHRASE")
    certificate("create", "b.lan", "--passphrase", "env:OTHER")
    assert "environment variable OTHER" in certificate("list").partition("authority ")[2]
    (moved,) = certificate.json("list")["authorities"]
    assert (moved["id"], moved["created"]) == (authority["id"], authority["created"])


def test_whoever_makes_an_authority_is_told_that_its_passphrase_is_there_too(certificate: CertificateShell) -> None:
    assert "So is the authority's." in certificate("create", "a.lan", "--passphrase", WHERE)
    assert "So is the authority's." not in certificate("create", "b.lan", "--passphrase", WHERE)


def test_an_authority_goes_when_nothing_needs_it_and_nobody_trusts_it_any_more(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--passphrase", WHERE)
    certificate("create", "b.lan", "--passphrase", WHERE, "--new-authority")
    certificate("trust")
    old = certificate.json("show", "a.lan")["authority"]
    certificate("remove", "--authority", old, code=1)
    assert "signed a.lan" in certificate.err
    certificate("remove", "a.lan")
    certificate("remove", "--authority", old, "--force", code=2)
    assert old in certificate("remove", "--authority", old)
    assert [each["id"] for each in certificate.json("list")["authorities"]] == [
        certificate.json("show", "b.lan")["authority"]
    ]
    assert [len(store.trusted) for store in certificate.stores] == [1, 1]


def test_an_authority_that_a_store_keeps_is_kept(
    certificate: CertificateShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate("create", "a.lan", "--passphrase", WHERE)
    certificate("trust")
    identity = certificate.json("show", "a.lan")["authority"]
    certificate("remove", "a.lan")
    refused = Outcome("System", False, "Your rights do not do.", "sudo rm the.crt")
    monkeypatch.setattr(certificate.stores[0], "remove", lambda _: refused)
    certificate("remove", "--authority", identity, code=1)
    assert "may still be trusted" in certificate.err
    assert "Run this first: sudo rm the.crt" in certificate.err
    assert len(certificate.json("list")["authorities"]) == 1


def test_a_certificate_cannot_be_called_anything(certificate: CertificateShell) -> None:
    certificate("create", "a.lan", "--name", "Upper Case", "--passphrase", WHERE, code=1)
    assert '"Upper Case" cannot be what a certificate is called.' in certificate.err
    for command in ("show", "renew", "remove"):
        certificate(command, "Upper Case", code=1)
        assert 'There is no certificate "Upper Case".' in certificate.err


def test_of_many_names_some_are_said(certificate: CertificateShell) -> None:
    first = certificate("create", *(f"h{n}.lan" for n in range(200)), "--passphrase", WHERE).splitlines()[0]
    assert "h10.lan and 189 more" in first
    assert len(certificate.json("show", "h0.lan")["names"]) == 200
