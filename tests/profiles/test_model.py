"""The model: defaults, what each field takes, and what a profile must be as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from wsgui.profiles.addresses import DemoAddress, InheritedAddress, TcpAddress
from wsgui.profiles.model import Profile, Tls, json_schema
from wsgui.profiles.section import Section


def profile(**fields: Any) -> Profile:
    return Profile.model_validate({"name": "Office", "target": "office:5901"} | fields)


def test_a_name_and_a_target_are_enough() -> None:
    made = profile()
    assert made.listen == TcpAddress("127.0.0.1", 6080)
    assert made.target == TcpAddress("office", 5901)
    assert made.settings() == {"name": "Office", "target": "office:5901"}


def test_the_defaults_are_the_safe_ones() -> None:
    made = profile()
    assert made.access.origins == ("same-host",)
    assert made.access.hosts == ()
    assert made.access.basic is None
    assert made.access.client_names is None
    assert made.access.plugin is None
    assert made.tls.client_authority is None
    assert made.tokens.allow is None
    assert made.web.root == ""
    assert made.web.frames == ()
    assert made.record.on is False
    assert made.metrics.listen is None


def test_the_limits_are_the_published_ones() -> None:
    assert profile().limits.model_dump() == {
        "connections": 1000,
        "per_address": 200,
        "handshakes_per_address": 64,
        "handshake_seconds": 10,
        "connect_seconds": 10,
        "idle_seconds": 0,
        "heartbeat_seconds": 30,
    }


def test_a_profile_takes_parsed_addresses_as_well_as_text() -> None:
    made = profile(listen=InheritedAddress(3), target=DemoAddress())
    assert made.listen == InheritedAddress(3)
    assert made.target == DemoAddress()


def test_a_bare_port_may_be_a_number() -> None:
    assert profile(listen=7000).listen == TcpAddress("127.0.0.1", 7000)


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        profile().limits.connections = 3


def test_a_profile_built_in_code_says_first_what_is_wrong() -> None:
    with pytest.raises(ValidationError, match="target: The profile has no target"):
        Profile(name="x")


def test_what_was_typed_is_not_in_an_error() -> None:
    with pytest.raises(ValidationError) as caught:
        profile(tls={"certificate_file": "/a", "key_password": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)


def test_secret_places_are_not_in_a_repr() -> None:
    assert "targets" not in repr(profile())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 65,
        "a\nb",
        "a\x1b[2J",
        "a\u202eb",
        "a\u200bb",
        "--profile",
        "a/b",
        "\\\\host\\x",
        "x.TOML",
        3,
        None,
    ],
)
def test_a_name_that_could_mislead_is_refused(name: object) -> None:
    with pytest.raises(ValidationError):
        profile(name=name)


@pytest.mark.parametrize("name", ["x", "x" * 64, "Büro 2", "办公室", "<b>&%1%s{0}", "a'\"b", "ＡＢＣ", "$(reboot)"])
def test_other_names_are_fine(name: str) -> None:
    assert profile(name=f" {name} ").name == name


def test_names_that_look_the_same_are_the_same() -> None:
    assert profile(name="Bu\u0308ro").name == "B\u00fcro"


@pytest.mark.parametrize(
    ("listen", "tls", "only"),
    [
        ("127.0.0.1:1", {}, False),
        ("*:1", {}, False),
        ("127.0.0.1:1", {"certificate_file": "/a"}, False),
        ("[::1]:1", {"certificate_file": "/a"}, False),
        ("unix:/run/x", {"certificate_file": "/a"}, False),
        ("*:1", {"certificate_file": "/a"}, True),
        ("192.168.0.1:1", {"certificate_file": "/a"}, True),
        ("fd:3", {"certificate_file": "/a"}, True),
        ("*:1", {"certificate_file": "/a", "only": False}, False),
        ("127.0.0.1:1", {"certificate_file": "/a", "only": True}, True),
    ],
)
def test_plain_connections_are_refused_off_loopback_when_there_is_a_certificate(
    listen: str, tls: dict[str, Any], only: bool
) -> None:
    assert profile(listen=listen, tls=tls).tls_only is only


def test_a_certificate_turns_tls_on() -> None:
    assert not Tls().enabled
    assert Tls(certificate_file="/a").enabled


def sections(model: type[Section]) -> list[type[Section]]:
    found = [model]
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            found += sections(field.annotation)
    return found


@pytest.mark.parametrize("section", sections(Profile), ids=lambda section: section.__name__)
def test_every_field_has_a_default_and_a_description(section: type[Section]) -> None:
    for name, field in section.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name
        if name.endswith("_seconds"):
            assert "second" in (field.description or "").lower(), name


@pytest.mark.parametrize("given", ["Office.LAN", ["office.lan"]])
def test_a_single_certificate_needs_no_brackets(given: object) -> None:
    assert Tls.model_validate({"certificate": given}).certificate == ("office.lan",)


def test_the_schema_describes_every_field_with_its_default() -> None:
    schema = json_schema()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["additionalProperties"] is False
    for part in (schema, *schema["$defs"].values()):
        for name, field in part["properties"].items():
            # What a section says of itself stands at its definition only.
            described = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field
            assert described.get("description"), name
            if part.get("title") != "TokenTarget":
                assert "default" in field, name
    assert schema["properties"]["listen"]["default"] == "127.0.0.1:6080"
    assert schema["$defs"]["Record"]["properties"]["max_file"]["default"] == "256 MB"
