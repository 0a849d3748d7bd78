"""Which secrets a profile refers to."""

from __future__ import annotations

import pytest

from wsgui.profiles.model import Profile
from wsgui.profiles.references import keyring_names, references
from wsgui.profiles.sharing import REFERENCES


def with_field(field: str, value: str) -> Profile:
    section, _, key = field.partition(".")
    plain = Profile.model_validate({"name": "x", "target": "a:1"})
    return plain.model_copy(update={section: getattr(plain, section).model_copy(update={key: value})})


@pytest.mark.parametrize("field", REFERENCES)
def test_each_field_that_refers_to_a_secret_counts(field: str) -> None:
    given = with_field(field, "keyring:office")
    assert list(references(given)) == [(field, "keyring:office")]
    assert keyring_names(given) == {"office"}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("jwt:keyring:signing", "keyring:signing"),
        (" JWT:env:KEY", "env:KEY"),
        ("jwt:/etc/key.pem", None),
        ("file:/keyring:x", None),
        ("", None),
    ],
)
def test_the_key_of_a_token_source_counts(source: str, found: str | None) -> None:
    given = with_field("tokens.source", source)
    assert list(references(given)) == ([("tokens.source", found)] if found else [])


def test_other_places_are_no_names_in_the_keyring() -> None:
    assert keyring_names(with_field("access.basic", "env:OFFICE")) == frozenset()
    assert list(references(Profile.model_validate({"name": "keyring:x", "target": "a:1"}))) == []
