"""Certificates from a name to a trusted authority: made, renewed, taken in, given out, removed."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from tests.support.trust_stores import MemoryStore
from wsgui.app.certificate_listing import RENEWED_BEFORE_END
from wsgui.app.certificates import Certificates
from wsgui.app.paths import Paths
from wsgui.errors import CertificateError, SecretError
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile

PASSPHRASE = "correct horse battery"
WHERE = "env:TEST_PASSPHRASE"
ELSEWHERE = "env:TEST_OTHER_PASSPHRASE"


class House:
    """One user's certificates, with profiles and trust stores that a test can change."""

    def __init__(self, folders: Paths) -> None:
        self.profiles: list[Profile] = []
        self.stores = [MemoryStore("One"), MemoryStore("Two")]
        self.folders = folders
        self.certificates = Certificates(folders, lambda: self.profiles, stores=self.stores)

    def use(self, profile: str, certificate: str) -> None:
        settings = {"name": profile, "target": "127.0.0.1:5901", "tls": {"certificate": [certificate]}}
        self.profiles.append(build_profile(settings, "test"))


@pytest.fixture
def house(folders: Paths, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("TEST_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("TEST_OTHER_PASSPHRASE", PASSPHRASE + "!")
    return House(folders)


@pytest.fixture
def certificates(house: House) -> Certificates:
    return house.certificates


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


def test_the_first_certificate_makes_an_authority_that_nobody_trusts_yet(certificates: Certificates) -> None:
    created = certificates.create(["office.lan", "192.168.1.20"], passphrase=WHERE)
    assert created.managed.name == "office.lan"
    assert created.managed.description.names == ("office.lan", "192.168.1.20")
    assert created.new_authority
    assert not created.trusts_again
    assert created.authority is not None
    assert created.managed.authority == created.authority.id


def test_a_second_one_is_signed_by_the_same_authority(certificates: Certificates) -> None:
    first = certificates.create(["office.lan"], passphrase=WHERE)
    second = certificates.create(["lab.lan"], passphrase=WHERE)
    assert second.managed.authority == first.managed.authority
    assert not second.new_authority


def test_a_name_outside_its_constraints_makes_a_new_authority_to_be_trusted_again(certificates: Certificates) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    created = certificates.create(["vnc.example.com"], passphrase=WHERE)
    assert created.new_authority
    assert created.trusts_again
    assert created.authority is not None
    assert created.authority.covers("office.lan")


def test_a_later_authority_may_sign_for_all_that_an_earlier_one_could(certificates: Certificates) -> None:
    certificates.create(["one.example.com", "198.51.100.7"], passphrase=WHERE)
    created = certificates.create(["two.example.org"], passphrase=WHERE)
    assert created.authority is not None
    assert created.authority.covers("one.example.com")
    assert created.authority.covers("198.51.100.7")


def test_a_new_authority_can_be_asked_for(certificates: Certificates) -> None:
    first = certificates.create(["office.lan"], passphrase=WHERE)
    second = certificates.create(["lab.lan"], passphrase=WHERE, new_authority=True)
    assert second.new_authority
    assert second.managed.authority != first.managed.authority


def test_a_self_signed_one_needs_no_authority(certificates: Certificates) -> None:
    created = certificates.create(["office.lan"], self_signed=True, passphrase=WHERE)
    assert created.managed.kind == "self-signed"
    assert created.authority is None
    assert certificates.listing().authorities == ()


def test_without_names_it_is_for_this_computer(certificates: Certificates) -> None:
    created = certificates.create(passphrase=WHERE)
    assert created.managed.description.names == certificates.default_names()
    assert {"localhost", "127.0.0.1", "::1"} <= set(created.managed.description.names)


def test_names_are_spelled_as_certificates_have_them_and_each_once(certificates: Certificates) -> None:
    created = certificates.create(["Büro.LAN", "büro.lan", "[::1]"], name="Büro.lan", passphrase=WHERE)
    assert created.managed.name == "xn--bro-hoa.lan"
    assert created.managed.description.names == ("xn--bro-hoa.lan", "::1")


def test_a_name_that_is_no_host_name_is_refused_and_nothing_written(certificates: Certificates, folders: Paths) -> None:
    with pytest.raises(CertificateError, match="b_d name"):
        certificates.create(["office.lan", "b_d name"], passphrase=WHERE)
    assert not folders.certificates.exists()


def test_a_name_that_is_taken_is_refused_and_the_one_there_left_alone(
    certificates: Certificates, folders: Paths
) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    before = files(folders.certificates)
    with pytest.raises(CertificateError, match=r'"office\.lan" already'):
        certificates.create(["OFFICE.lan"], passphrase=WHERE)
    assert files(folders.certificates) == before


def test_an_authority_whose_first_certificate_cannot_be_kept_is_not_kept_either(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SecretError("No.")

    monkeypatch.setattr(certificates.vault, "save", refuse)
    with pytest.raises(SecretError):
        certificates.create(["office.lan"], passphrase=WHERE)
    assert certificates.vault.authorities() == ()


def test_no_file_holds_the_passphrase_or_an_open_key(certificates: Certificates, folders: Paths) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    for name, data in files(folders.certificates).items():
        assert PASSPHRASE.encode() not in data, name
        assert b"BEGIN PRIVATE KEY" not in data, name
        assert b"BEGIN EC PRIVATE KEY" not in data, name
        assert stat.S_IMODE((folders.certificates / name).stat().st_mode) == 0o600, name


def test_an_authority_that_cannot_be_opened_is_told_from_a_passphrase_that_cannot_be_kept(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    monkeypatch.delenv("TEST_PASSPHRASE")
    with pytest.raises(SecretError, match="the key of this computer's authority cannot be used") as caught:
        certificates.create(["lab.lan"], passphrase=ELSEWHERE)
    assert "--new-authority" in caught.value.hint


def test_a_renewed_one_has_the_same_names_another_key_and_its_passphrase_where_it_was(
    certificates: Certificates,
) -> None:
    before = certificates.create(["office.lan", "10.0.0.1"], passphrase=WHERE).managed
    after = certificates.renew("office.lan").managed
    assert after.description.names == before.description.names
    assert after.chain[0].public_key() != before.chain[0].public_key()
    assert after.authority == before.authority
    assert after.passphrase == WHERE


def test_a_self_signed_one_is_renewed_as_such(certificates: Certificates) -> None:
    before = certificates.create(["office.lan"], self_signed=True, passphrase=WHERE).managed
    after = certificates.renew("office.lan").managed
    assert after.kind == "self-signed"
    assert after.description.serial != before.description.serial


def test_a_renewed_one_stays_with_its_authority_though_there_is_a_newer_one(certificates: Certificates) -> None:
    before = certificates.create(["office.lan"], passphrase=WHERE).managed
    certificates.create(["lab.lan"], passphrase=WHERE, new_authority=True)
    assert certificates.renew("office.lan").managed.authority == before.authority


def test_what_is_not_there_is_said_with_what_is(certificates: Certificates) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    with pytest.raises(CertificateError, match=r'no certificate "lab\.lan"') as caught:
        certificates.renew("lab.lan")
    assert "office.lan" in caught.value.hint


def test_what_ends_within_thirty_days_is_renewed_and_nothing_else(certificates: Certificates) -> None:
    now = datetime.now(UTC)
    old = certificates.create(["old.lan"], passphrase=WHERE, now=now - timedelta(days=380)).managed
    certificates.create(["new.lan"], passphrase=WHERE)
    done = certificates.renew_due(now)
    assert [renewal.name for renewal in done] == ["old.lan"]
    assert done[0].problem is None
    assert certificates.row("old.lan").managed.description.serial != old.description.serial
    assert certificates.renew_due(now) == ()


def test_what_cannot_be_renewed_is_reported_and_keeps_no_other_from_it(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    past = now - timedelta(days=380)
    certificates.create(["one.lan"], self_signed=True, passphrase=ELSEWHERE, now=past)
    certificates.create(["two.lan"], self_signed=True, passphrase=WHERE, now=past)
    monkeypatch.delenv("TEST_OTHER_PASSPHRASE")
    failed, renewed = certificates.renew_due(now)
    assert failed.problem is not None
    assert failed.created is None
    assert renewed.created is not None


def test_a_renewal_in_the_background_makes_no_authority_that_nobody_trusts(certificates: Certificates) -> None:
    now = datetime.now(UTC)
    created = certificates.create(["office.lan"], passphrase=WHERE, now=now - timedelta(days=380))
    certificates.vault.remove_authority(created.managed.authority)
    (renewal,) = certificates.renew_due(now)
    assert isinstance(renewal.problem, CertificateError)
    assert certificates.vault.authorities() == ()
    assert certificates.renew("office.lan", now=now).new_authority


def test_an_authority_about_to_end_signs_nothing_more(certificates: Certificates) -> None:
    now = datetime.now(UTC)
    first = certificates.create(["office.lan"], passphrase=WHERE, now=now - timedelta(days=3600))
    created = certificates.renew("office.lan", now=now)
    assert created.new_authority
    assert created.managed.authority != first.managed.authority


def test_two_that_renew_at_once_renew_once(house: House) -> None:
    now = datetime.now(UTC)
    house.certificates.create(["office.lan"], passphrase=WHERE, now=now - timedelta(days=380))
    together = threading.Barrier(2)
    done: list[str] = []

    def renew() -> None:
        certificates = Certificates(house.folders, list, stores=[])
        together.wait()
        done.extend(renewal.name for renewal in certificates.renew_due(now) if renewal.created)

    threads = [threading.Thread(target=renew) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == ["office.lan"]


def test_what_was_exported_with_its_key_can_be_imported(certificates: Certificates, tmp_path: Path) -> None:
    made = certificates.create(["office.lan"], passphrase=WHERE).managed
    for form, data in (
        ("p12", certificates.export_pkcs12("office.lan", "sesame-sesame")),
        ("pem", certificates.export_pem("office.lan", password="sesame-sesame")),
    ):
        file = tmp_path / f"office.{form}"
        certificates.save_file(file, data)
        created = certificates.import_(
            [file], name=f"{form}.lan", password=lambda _: "sesame-sesame", passphrase=ELSEWHERE
        )
        assert created.managed.kind == "imported"
        assert created.managed.chain == made.chain
        assert certificates.vault.key(f"{form}.lan").public_key() == made.chain[0].public_key()


def test_an_imported_one_is_called_by_its_first_name(certificates: Certificates, tmp_path: Path) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    file = tmp_path / "office.pem"
    file.write_bytes(certificates.export_pem("office.lan", password="sesame-sesame"))
    certificates.remove("office.lan")
    assert (
        certificates.import_([file], password=lambda _: "sesame-sesame", passphrase=WHERE).managed.name == "office.lan"
    )


def test_an_imported_one_takes_anothers_place_only_when_told_so(certificates: Certificates, tmp_path: Path) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    file = tmp_path / "office.pem"
    file.write_bytes(certificates.export_pem("office.lan", password="sesame-sesame"))
    with pytest.raises(CertificateError, match="--replace"):
        certificates.import_([file], password=lambda _: "sesame-sesame", passphrase=WHERE)
    replaced = certificates.import_([file], password=lambda _: "sesame-sesame", replace=True).managed
    assert replaced.kind == "imported"
    assert replaced.passphrase == WHERE


def test_an_imported_one_cannot_be_renewed_and_says_what_to_do(certificates: Certificates, tmp_path: Path) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    file = tmp_path / "office.pem"
    file.write_bytes(certificates.export_pem("office.lan", password="sesame-sesame"))
    certificates.import_([file], name="bought.lan", password=lambda _: "sesame-sesame", passphrase=WHERE)
    with pytest.raises(CertificateError, match="imported") as caught:
        certificates.renew("bought.lan")
    assert "wsgui certificate import FILE --name bought.lan --replace" in caught.value.hint


def test_the_usual_export_has_no_key(certificates: Certificates) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    data = certificates.export_pem("office.lan")
    assert b"PRIVATE KEY" not in data
    assert len(x509.load_pem_x509_certificates(data)) == 2


def test_a_key_is_exported_under_the_given_password_only(certificates: Certificates) -> None:
    certificates.create(["office.lan"], passphrase=WHERE)
    data = certificates.export_pem("office.lan", password="sesame-sesame")
    assert load_pem_private_key(data, b"sesame-sesame")
    with pytest.raises(ValueError, match=r"password|deserialize"):  # padding may look right
        load_pem_private_key(data, PASSPHRASE.encode())
    with pytest.raises(CertificateError):
        certificates.export_pkcs12("office.lan", "")


def test_pkcs12_holds_key_and_chain(certificates: Certificates) -> None:
    made = certificates.create(["office.lan"], passphrase=WHERE).managed
    loaded = pkcs12.load_pkcs12(certificates.export_pkcs12("office.lan", "sesame-sesame"), b"sesame-sesame")
    assert loaded.key is not None
    assert loaded.cert is not None
    assert loaded.cert.certificate == made.chain[0]
    assert [each.certificate for each in loaded.additional_certs] == list(made.chain[1:])


def test_of_an_authority_only_the_root_certificate_leaves_the_house(certificates: Certificates) -> None:
    authority = certificates.create(["office.lan"], passphrase=WHERE).authority
    assert authority is not None
    assert x509.load_pem_x509_certificates(certificates.export_authority()) == [authority.root]
    assert x509.load_der_x509_certificate(certificates.export_authority(form="der")) == authority.root
    assert certificates.export_authority(identity=authority.id[:6].upper()) == certificates.export_authority()


def test_an_authority_that_is_not_there_is_said(certificates: Certificates) -> None:
    with pytest.raises(CertificateError, match="no authority on this computer"):
        certificates.export_authority()
    certificates.create(["office.lan"], passphrase=WHERE)
    with pytest.raises(CertificateError, match='no authority "zz"'):
        certificates.export_authority(identity="zz")


def test_a_moved_passphrase_opens_the_key_from_where_it_is_now(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificates.create(["office.lan"], passphrase=WHERE).managed
    assert certificates.move_passphrase("office.lan", ELSEWHERE).passphrase == ELSEWHERE
    monkeypatch.delenv("TEST_PASSPHRASE")
    assert certificates.vault.key("office.lan").public_key() == made.chain[0].public_key()


def test_what_a_profile_uses_is_not_removed(house: House) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    house.use("Office desktop", "office.lan")
    with pytest.raises(CertificateError, match='used by "Office desktop"'):
        house.certificates.remove("office.lan")
    assert house.certificates.row("office.lan").used_by == ("Office desktop",)
    assert house.certificates.remove("office.lan", force=True) == ("Office desktop",)
    assert house.certificates.vault.names() == ()


def test_a_broken_one_can_be_removed(house: House) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    house.certificates.vault.file("office.lan").write_text("rubbish")
    assert house.certificates.remove("office.lan") == ()
    assert house.certificates.vault.names() == ()


def test_trust_puts_the_root_into_each_store_and_untrust_takes_it_out(house: House) -> None:
    authority = house.certificates.create(["office.lan"], passphrase=WHERE).authority
    assert authority is not None
    assert [(outcome.store, outcome.done) for outcome in house.certificates.trust()] == [("One", True), ("Two", True)]
    assert [store.trusted for store in house.stores] == [[authority.root], [authority.root]]
    assert house.certificates.listing().trusted_in(house.certificates.row("office.lan").managed) == ("One", "Two")
    house.certificates.untrust()
    assert [store.trusted for store in house.stores] == [[], []]


def test_trust_can_be_for_some_stores_only(house: House) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    assert [outcome.store for outcome in house.certificates.trust(only=("Two",))] == ["Two"]
    assert house.stores[0].trusted == []


def test_each_authority_that_signed_something_is_trusted(house: House) -> None:
    first = house.certificates.create(["office.lan"], passphrase=WHERE).authority
    second = house.certificates.create(["vnc.example.com"], passphrase=WHERE).authority
    assert first is not None
    assert second is not None
    assert len(house.certificates.trust()) == 2
    assert house.stores[0].trusted == [second.root, first.root]


def test_an_authority_of_no_certificate_any_more_is_not_trusted_anew(house: House) -> None:
    house.certificates.create(["office.lan"], passphrase=WHERE)
    second = house.certificates.create(["vnc.example.com"], passphrase=WHERE).authority
    assert second is not None
    house.certificates.remove("office.lan")
    house.certificates.trust()
    assert house.stores[0].trusted == [second.root]


def test_a_store_that_takes_nothing_says_the_command(house: House) -> None:
    house.stores[0] = MemoryStore("One", refuses="sudo do-it")
    certificates = Certificates(house.folders, list, stores=house.stores)
    certificates.create(["office.lan"], passphrase=WHERE)
    refused, done = certificates.trust()
    assert (refused.done, refused.command) == (False, "sudo do-it")
    assert done.done


def test_without_an_authority_there_is_nothing_to_trust(house: House) -> None:
    house.certificates.create(["office.lan"], self_signed=True, passphrase=WHERE)
    with pytest.raises(CertificateError, match="nothing to trust"):
        house.certificates.trust()


def test_the_day_of_renewal_is_thirty_days_before_the_end(certificates: Certificates) -> None:
    managed = certificates.create(["office.lan"], passphrase=WHERE).managed
    assert certificates.row("office.lan").renews_on == (managed.description.not_after - RENEWED_BEFORE_END).date()
