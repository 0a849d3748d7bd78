"""Edits of a text leave what they do not touch as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgui.errors import WsguiError
from wsgui.profiles.editing import edited_text, new_text
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import read_profile

Make = Callable[..., Profile]
FOLDER = Path("/profiles")


def edit(text: str, **fields: Any) -> str:
    before = read(text)
    after = Profile.model_validate(merged(before.settings(), fields))
    return edited_text(text, before, after, folder=FOLDER, source="x.toml")


def read(text: str) -> Profile:
    return read_profile(text.encode(), "x.toml", folder=FOLDER, default_name="x")


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    return below | {
        key: below.get(key, {}) | value if isinstance(value, dict) else value for key, value in above.items()
    }


def test_a_new_text_has_the_name_and_what_is_not_default(make: Make) -> None:
    made = make(limits={"idle_seconds": 3, "connections": 1000}, tls={"certificate_file": "/a"})
    assert new_text(made) == (
        'name = "Office"\ntarget = "office:5901"\n\n[tls]\ncertificate_file = "/a"\n\n[limits]\nidle_seconds = 3\n'
    )


def test_a_new_line_goes_below_its_table_and_not_between_a_comment_and_the_next() -> None:
    text = 'target = "a:1"\n\n# about tls\n[tls]\nminimum = "1.3"\n\n# about limits\n[limits]\n'
    assert edit(text, group="Lab", tls={"ciphers": "HIGH"}, limits={"connections": 3}) == (
        'target = "a:1"\ngroup = "Lab"\n\n# about tls\n[tls]\nminimum = "1.3"\nciphers = "HIGH"\n\n'
        "# about limits\n[limits]\nconnections = 3\n"
    )


def test_an_entry_of_a_list_is_added_with_the_comments_of_the_others_kept() -> None:
    text = 'target = "a:1"\n[access]\norigins = [\n  "same-host", # ours\n  "https://b", # theirs\n]\n'
    assert edit(text, access={"origins": ["same-host", "https://b", "https://c"]}) == (
        'target = "a:1"\n[access]\norigins = [\n  "same-host", # ours\n  "https://b", # theirs\n  "https://c",\n]\n'
    )


def test_an_entry_of_a_list_is_taken_away() -> None:
    text = 'target = "a:1"\naccess.origins = ["same-host", "https://b"] # mine\n'
    assert edit(text, access={"origins": ["same-host"]}) == 'target = "a:1"\naccess.origins = ["same-host"] # mine\n'


@pytest.mark.parametrize(
    "text",
    [
        'target = "a:1"\ntls = { minimum = "1.3" } # inline\n',
        'target = "a:1"\ntls.minimum = "1.3" # dotted\n',
        '"target" = "a:1"\n[ "tls" ] # quoted\n"minimum" = "1.3"',
        "target = 'a:1'\r\n# windows\r\n[tls]\r\nminimum = '1.3'\r\n",
        'target = "a:1"\n[tls]\nminimum = "1.3"\n[limits]\nidle_seconds = 1\n# end, no line end',
    ],
)
def test_every_layout_can_be_edited(text: str) -> None:
    edited = edit(text, name="y", tls={"minimum": "1.2", "ciphers": "HIGH"}, limits={"connections": 7})
    after = read(edited)
    assert (after.name, after.tls.minimum, after.tls.ciphers) == ("y", "1.2", "HIGH")
    assert after.limits.connections == 7
    for comment in ("# inline", "# dotted", "# quoted", "# windows", "# end, no line end"):
        assert (comment in edited) is (comment in text)


def test_windows_line_ends_stay() -> None:
    edited = edit("target = 'a:1'\r\n[tls]\r\nminimum = '1.3'\r\n", group="x", limits={"connections": 7})
    assert edited.count("\n") == edited.count("\r\n")


COMMENTS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from("\"'[]=#"), max_size=12
)
VALUES = {
    "group": st.sampled_from(["", "Lab", "Büro [x] = 'y'"]),
    "autostart": st.booleans(),
    "target": st.sampled_from(["a:1", "tls://b:2", "unix:/run/x"]),
    "access.origins": st.lists(st.sampled_from(["same-host", "https://a", "https://b", "*"]), unique=True),
    "access.hosts": st.lists(st.sampled_from(["a", "b", "*"]), max_size=2),
    "tls.minimum": st.sampled_from(["1.2", "1.3"]),
    "tls.certificate_file": st.sampled_from(["", "/a", '/b"c']),
    "limits.idle_seconds": st.sampled_from([0, 1.5, 30]),
    "limits.connections": st.integers(0, 9),
}


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"name": draw(st.sampled_from(["x", "y z"])), "target": "t:1"}
    for field in draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True)):
        section, dot, key = field.partition(".")
        value = draw(VALUES[field])
        if dot:
            found.setdefault(section, {})[key] = value
        else:
            found[section] = value
    return found


@given(settings(), settings(), st.data())
def test_any_edit_reads_as_it_should_and_keeps_every_comment(
    before: dict[str, Any], after: dict[str, Any], data: st.DataObject
) -> None:
    rows = new_text(Profile.model_validate(before)).split("\n")
    comments = []
    text = ""
    for row in rows:
        comment = f"#{len(comments)}:{data.draw(COMMENTS)}"
        comments.append(comment)
        text += f"{row} {comment}\n" if data.draw(st.booleans()) else f"{comment}\n{row}\n"
    wanted = Profile.model_validate(after)
    edited = edited_text(text, read(text), wanted, folder=FOLDER, source="x.toml")
    assert read(edited) == wanted
    for comment in comments:
        assert comment in edited


def test_a_text_that_cannot_be_edited_without_harm_is_left_alone(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'target = "a:1"\n'
    other = read('target = "b:1"\n')  # not what the text says, as after a fault of the editing
    with pytest.raises(WsguiError, match="laid out in a way that the program cannot edit"):
        edited_text(text, other, other, folder=FOLDER, source="x.toml")
