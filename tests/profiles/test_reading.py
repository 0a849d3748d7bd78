"""Reading: all problems of a file at once, with field, line and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from wsgui.errors import FieldError, ProfileError
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile, read_profile

GOOD = 'name = "Office"\ntarget = "office:5901"\n'


def problems(text: str | bytes) -> list[tuple[str, int | None, str, str]]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ProfileError) as caught:
        read_profile(data, "office.toml", default_name="office")
    found = []
    for problem in caught.value.problems:
        assert isinstance(problem, FieldError)
        assert problem.hint, problem.message
        found.append((problem.field, problem.line, problem.message, problem.hint))
    return found


def test_all_problems_of_a_file_are_reported_together() -> None:
    found = problems(
        """
target = "office"
lisen = "x"
[limits]
connections = "many"
idle_second = 3
idle_seconds = -1
[record]
on = true
[access]
origins = ["null", "vnc.lab"]
basic = ""
[tls]
key_file = "key.pem"
minimum = "1.0"
"""
    )
    assert [(field, line) for field, line, _, _ in found] == [
        ("target", 2),
        ("lisen", 3),
        ("limits.connections", 5),
        ("limits.idle_second", 6),
        ("limits.idle_seconds", 7),
        ("record.on", 9),
        ("access.origins", 11),
        ("access.origins", 11),
        ("access.basic", 12),
        ("tls.key_file", 14),
        ("tls.minimum", 15),
    ]


def test_the_error_prints_file_line_field_sentence_and_remedy() -> None:
    with pytest.raises(ProfileError) as caught:
        read_profile(GOOD.encode() + b"[record]\non = true\n", "office.toml")
    assert str(caught.value) == (
        "office.toml:4: record.on: Recording is not built yet in this version. "
        "Remove [record] on, or wait for the version that has it."
    )
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('lisen = "127.0.0.1:1"', 'Did you mean "listen"?'),
        ("Autostart = true", 'Did you mean "autostart"?'),
        ("[limit]", 'Did you mean "limits"?'),
        ("[tls]\nonyl = true", 'Did you mean "only"?'),
        ("idle_seconds = 3", "It belongs into [limits]."),
        ("[web]\nautostart = true", "It belongs to the top, before any [section]."),
        ("[web]\nzzz = true", "Known are: root, listing, require_access, frames."),
    ],
)
def test_an_unknown_field_is_refused_with_the_one_that_was_meant(text: str, hint: str) -> None:
    [(_, line, message, given_hint)] = problems(GOOD + text)
    assert line == 2 + text.count("\n") + 1
    assert message.startswith("There is no field")
    assert given_hint == hint


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        ("autostart = 1", "autostart", "It must be true or false."),
        ('autostart = "yes"', "autostart", "It must be true or false."),
        ("listen = 1.5", "listen", "It must be an address in quotes."),
        ("listen = true", "listen", "It must be an address in quotes."),
        ("listen = 99999", "listen", "a port is a number from 0 to 65535"),
        ('listen = "127.0.0.1:6080x"', "listen", '"127.0.0.1:6080x" is not an address'),
        ("group = 3", "group", "It must be text in quotes."),
        ("tls = 3", "tls", "It must be a section."),
        ("targets = []", "targets", "It must be a section."),
        ("[limits]\nconnections = -1", "limits.connections", "out of range"),
        ("[limits]\nconnections = 1.5", "limits.connections", "It must be a whole number."),
        ("[limits]\nconnections = true", "limits.connections", "It must be a whole number."),
        ("[limits]\nidle_seconds = nan", "limits.idle_seconds", "It must be a number."),
        ("[limits]\nidle_seconds = inf", "limits.idle_seconds", "It must be a number."),
        ("[limits]\nidle_seconds = 1e12", "limits.idle_seconds", "out of range"),
        ("[limits]\nheartbeat_seconds = 1979-05-27", "limits.heartbeat_seconds", "It must be a number."),
        ('[access]\norigins = "same-host"', "access.origins", "It must be a list."),
        ('[access]\norigins = [""]', "access.origins", "is not an origin"),
        ('[access]\nhosts = ["a:80"]', "access.hosts", "is not a host"),
        ('[tls]\nminimum = "1.1"', "tls.minimum", "none of the values that are known"),
        ('[tls]\ncertificate_file = "a\\nb"', "tls.certificate_file", "invisible characters"),
        ('[tls]\ncertificate_file = "/a"\nkey_password = "x"', "tls.key_password", "must be a reference"),
        ('[tls]\nclient_authority = ""', "tls.client_authority", "would let nobody in"),
        ('[access]\nplugin = ""', "access.plugin", "would let nobody in"),
        ('[record]\nmax_file = "256 MX"', "record.max_file", "It is not a size."),
        ('[command]\nmode = "fork"', "command.mode", "none of the values that are known"),
        ('[web]\nframes = ["*"]', "web.frames", "is not an origin"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(text: str, field: str, sentence: str) -> None:
    found = problems(GOOD + text)
    assert [each[0] for each in found] == [field]
    assert sentence in found[0][2]


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        ('[tls]\nkey_file = "k"', "tls.key_file", "There is a key without its certificate."),
        ("[tls]\nonly = true", "tls.only", "there is no certificate"),
        ('[tls]\nkey_password = "env:X"', "tls.key_password", "without a certificate"),
        ('listen = "*:5901"\n', "target", "The tunnel would connect to itself."),
    ],
)
def test_fields_must_fit_one_another(text: str, field: str, sentence: str) -> None:
    base = 'name = "x"\ntarget = "127.0.0.1:5901"\n'
    found = problems(base + text)
    assert [each[0] for each in found] == [field]
    assert sentence in found[0][2]


def test_a_wrong_field_leads_to_no_further_problem_that_follows_from_it() -> None:
    assert [each[0] for each in problems('target = "office"')] == ["target"]
    found = problems(GOOD + '[tls]\ncertificate_file = 3\nkey_file = "k"\nonly = true')
    assert [each[0] for each in found] == ["tls.certificate_file"]


@pytest.mark.parametrize(
    ("data", "sentence", "line"),
    [
        (b"a = ", "The file is not TOML", 1),
        (b'name = "x"\n\nname = "y"', "The file is not TOML", 3),
        (b"\xff\xfe", "The file is not UTF-8 text.", 1),
        (b'name = "x"\n# \xe9', "The file is not UTF-8 text.", 2),
        (b"a = " + b"[" * 100_000, "it nests too deeply", None),
        (b"#" * (1 << 21), "so it is no profile", None),
        (b"\x00", "The file is not TOML", 1),
        (b"name = '\x1b[2J'", "The file is not TOML", 1),
    ],
)
def test_a_file_that_is_no_toml_says_so(data: bytes, sentence: str, line: int | None) -> None:
    [(field, at, message, _)] = problems(data)
    assert (field, at) == ("", line)
    assert sentence in message
    assert message.isprintable()


def test_an_empty_file_lacks_a_target() -> None:
    assert [each[0] for each in problems("")] == ["target"]


def test_a_token_is_in_no_error() -> None:
    with pytest.raises(ProfileError) as caught:
        read_profile(b'target = "a:1"\n[targets]\ns3cret = "nowhere"\n', "x.toml", default_name="x")
    assert "s3cret" not in str(caught.value)
    assert caught.value.problems[0].field == "targets"


def test_a_profile_without_name_is_called_as_its_file() -> None:
    assert read_profile(b'target = "a:1"', "x.toml", default_name="Lab").name == "Lab"


def test_a_byte_order_mark_is_no_problem() -> None:
    assert read_profile(b"\xef\xbb\xbf" + GOOD.encode(), "x.toml").name == "Office"


def test_relative_paths_count_from_the_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    text = GOOD + '[tls]\ncertificate_file = "office.pem"\nkey_file = "~/key.pem"\n[web]\nroot = "demo"\n'
    read = read_profile(text.encode(), "x.toml", folder=tmp_path)
    assert read.tls.certificate_file == str(tmp_path / "office.pem")
    assert read.tls.key_file == "/home/me/key.pem"
    assert read.web.root == "demo"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*Profile.model_fields, "lisen", "a.b", ""])
SECTIONS = st.dictionaries(
    st.sampled_from(["root", "on", "only", "origins", "basic", "connections", "run", "zz"]), JSON, max_size=4
)


@given(st.dictionaries(FIELDS, JSON | SECTIONS, max_size=6))
def test_any_values_make_a_profile_or_problems_with_remedies(settings: dict[str, Any]) -> None:
    try:
        made = build_profile(settings, "x")
    except ProfileError as error:
        problems_found = error.problems
    else:
        assert build_profile(made.settings(), "x") == made
        return
    assert problems_found
    assert all(problem.message and problem.hint for problem in problems_found)


@given(st.dictionaries(FIELDS.filter(bool), SECTIONS, max_size=4))
def test_any_toml_makes_a_profile_or_problems_with_lines_inside_it(settings: dict[str, Any]) -> None:
    def without_none(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_none(item) for key, item in value.items() if item is not None}
        if isinstance(value, list):
            return [without_none(item) for item in value if item is not None]
        return value

    text = tomlkit.dumps(without_none(settings))
    try:
        read_profile(text.encode(), "x.toml", default_name="x")
    except ProfileError as error:
        lines = [problem.line for problem in error.problems if isinstance(problem, FieldError)]
        rows = text.count("\n") + 1
        assert all(line is None or 1 <= line <= rows for line in lines)
