"""A tunnel's settings while they are changed: what counts as a change, what is wrong, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gui import samples
from tests.gui.profiles import OFFICE, stored
from wsgui.gui.models.disconnects import Disconnects
from wsgui.gui.models.settings_fields import ACCESS, FIELDS, SECURITY, Kind
from wsgui.gui.models.settings_form import Applied, Edited, SettingsForm, summary

FILES = OFFICE.replace('certificate = "lab-pc.local"', 'certificate_file = "office.pem"')
PROGRAM = (
    'name = "Shell"\nlisten = "*:7001"\n[access]\nbasic = "keyring:shell"\n[command]\nrun = ["sh"]\nmode = "{0}"\n'
)


@pytest.fixture
def form() -> SettingsForm:
    return SettingsForm(stored(OFFICE))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("tls.certificate", Kind.CERTIFICATES),
        ("tls.certificate_file", Kind.PATH),
        ("tls.client_authority", Kind.PATH),
        ("tls.key_password", Kind.SECRET),
        ("access.basic", Kind.SECRET),
        ("tls.only", Kind.CHOICE),
        ("tls.minimum", Kind.CHOICE),
        ("tls.ciphers", Kind.LINE),
        ("web.require_access", Kind.SWITCH),
        ("access.origins", Kind.LINES),
        ("access.client_names", Kind.OPTIONAL_LINES),
    ],
)
def test_what_a_field_is_edited_with_follows_from_its_type(path: str, kind: Kind) -> None:
    assert FIELDS[path].kind is kind


def test_every_field_has_a_name_and_says_what_it_means() -> None:
    for field in FIELDS.values():
        assert field.name
        assert field.description


def test_a_choice_has_the_values_that_the_model_takes() -> None:
    for path in ("tls.minimum", "tls.only"):
        for option in FIELDS[path].choices:
            form = SettingsForm(stored(OFFICE))
            form.edit(path, option.value, 0)
            assert not form.problems, (path, option)


def test_values_are_those_of_the_file_else_those_by_themselves(form: SettingsForm) -> None:
    assert form.value("tls.certificate") == ["lab-pc.local"]
    assert form.value("access.basic") == "keyring:office-desktop"
    assert form.value("access.origins") == ["same-host"]
    assert form.value("access.client_names") is None
    assert form.changes == {}


def test_a_path_is_shown_as_it_stands_in_the_file() -> None:
    assert SettingsForm(stored(FILES)).value("tls.certificate_file") == "office.pem"


def test_a_value_changed_back_is_no_change(form: SettingsForm) -> None:
    assert form.edit("access.hosts", ["vnc.lab"], 0)
    assert form.edit("access.hosts", [], 9)
    assert form.changes == {}


def test_the_same_value_again_changes_nothing(form: SettingsForm) -> None:
    assert not form.edit("tls.certificate", ["lab-pc.local"], 0)
    assert not form.can_undo


@pytest.mark.parametrize(("path", "value"), [("access.basic", ""), ("tls.minimum", "1.2"), ("tls.certificate", [])])
def test_what_is_so_by_itself_needs_no_line(path: str, value: Any) -> None:
    form = SettingsForm(stored(OFFICE))
    form.edit("tls.minimum", "1.3", 0)
    form.edit(path, value, 9)
    assert form.changes.get(path) is None


def test_a_list_that_is_left_out_is_another_thing_than_an_empty_one(form: SettingsForm) -> None:
    form.edit("tls.client_authority", "/ca.pem", 0)
    form.edit("access.client_names", [], 9)
    assert form.changes["access.client_names"] == []
    form.edit("access.client_names", None, 18)
    assert "access.client_names" not in form.changes


def test_problems_stand_at_their_field_in_the_models_words(form: SettingsForm) -> None:
    form.edit("access.origins", ["vnc.lab"], 0)
    assert form.problems["access.origins"].startswith('"vnc.lab" is not an origin.')
    assert form.profile is None
    assert form.mark(ACCESS) == (1, 1)
    assert form.mark(SECURITY) == (0, 0)


def test_what_fields_are_to_one_another_is_looked_at_too(form: SettingsForm) -> None:
    form.edit("tls.key_file", "office.key", 0)
    assert "keeps the key" in form.problems["tls.key_file"]


def test_a_secret_typed_for_a_reference_is_not_repeated(form: SettingsForm) -> None:
    form.edit("access.basic", "hunter2", 0)
    assert "hunter2" not in form.problems["access.basic"]
    assert "hunter2" not in repr(form.stored)


def test_a_problem_of_a_field_that_is_not_on_the_form_is_named() -> None:
    form = SettingsForm(stored(PROGRAM.format("stdio"), "shell.toml"))
    form.edit("access.basic", "", 0)
    assert form.elsewhere == ("command.mode: " + form.problems["command.mode"],)


def test_changes_are_undone_one_after_the_other(form: SettingsForm) -> None:
    form.edit("tls.minimum", "1.3", 0)
    form.edit("access.hosts", ["a"], 9)
    assert isinstance(form.undo(), Edited)
    assert form.changes == {"tls.minimum": "1.3"}
    form.undo()
    assert form.changes == {}
    assert form.undo() is None


def test_typing_is_undone_together(form: SettingsForm) -> None:
    for count in range(1, 6):
        form.edit("tls.ciphers", "ECDHE"[:count], count / 10)
    form.undo()
    assert form.value("tls.ciphers") == ""


def test_undoing_brings_back_a_change_of_before(form: SettingsForm) -> None:
    form.edit("tls.ciphers", "A", 0)
    form.edit("tls.ciphers", "B", 9)
    form.undo()
    assert form.value("tls.ciphers") == "A"


def test_what_was_applied_is_undone_with_the_text_of_before(form: SettingsForm) -> None:
    before = form.stored.data
    form.edit("tls.minimum", "1.3", 0)
    form.applied(stored(OFFICE.replace("[access]", 'minimum = "1.3"\n[access]')), form.changes)
    assert form.changes == {}
    assert form.undo() == Applied(before)
    form.restored(stored(OFFICE))
    assert form.value("tls.minimum") == "1.2"
    assert form.undo() is None


def test_what_is_changed_while_it_is_written_stays_changed(form: SettingsForm) -> None:
    form.edit("tls.minimum", "1.3", 0)
    written = form.changes
    form.edit("access.hosts", ["a"], 9)
    form.applied(stored(OFFICE.replace("[access]", 'minimum = "1.3"\n[access]')), written)
    assert form.changes == {"access.hosts": ["a"]}


def test_reverting_drops_all_changes(form: SettingsForm) -> None:
    form.edit("tls.minimum", "1.3", 0)
    form.revert()
    assert form.changes == {}
    assert form.undo() is None


def test_a_file_changed_meanwhile_is_followed(form: SettingsForm) -> None:
    form.follow(stored(OFFICE.replace("lab-pc.local", "office.local")))
    assert form.value("tls.certificate") == ["office.local"]
    assert not form.moved


def test_changes_are_kept_upon_a_file_changed_meanwhile(form: SettingsForm) -> None:
    form.edit("access.hosts", ["vnc.lab"], 0)
    form.follow(stored(OFFICE.replace("lab-pc.local", "office.local")))
    assert form.moved
    assert form.overtaken == ()
    assert form.changes == {"access.hosts": ["vnc.lab"]}
    assert form.profile is not None
    assert form.profile.tls.certificate == ("office.local",)


def test_a_change_of_what_another_changed_too_is_told(form: SettingsForm) -> None:
    form.edit("tls.certificate", ["printer.lan"], 0)
    form.follow(stored(OFFICE.replace("lab-pc.local", "office.local")))
    assert form.overtaken == ("tls.certificate",)


def test_a_change_that_the_other_made_too_is_none_any_more(form: SettingsForm) -> None:
    form.edit("tls.certificate", ["printer.lan"], 0)
    form.follow(stored(OFFICE.replace("lab-pc.local", "printer.lan")))
    assert form.changes == {}
    assert not form.moved


def test_what_another_has_written_since_is_not_undone(form: SettingsForm) -> None:
    form.edit("tls.minimum", "1.3", 0)
    form.applied(stored(OFFICE.replace("[access]", 'minimum = "1.3"\n[access]')), form.changes)
    form.follow(stored(OFFICE.replace("lab-pc.local", "office.local")))
    assert not form.can_undo


def test_nobody_is_disconnected_by_what_is_no_longer_asked(form: SettingsForm) -> None:
    form.edit("tls.certificate", [], 0)
    form.edit("access.basic", "", 9)
    assert form.profile is not None
    assert form.disconnects([samples.connection(1, identity="lee")]) == Disconnects()


def test_clients_of_a_program_that_has_to_start_anew_are_disconnected() -> None:
    # The password's variable is kept from the program: another one means another environment.
    form = SettingsForm(stored(PROGRAM.format("rebind"), "shell.toml"))
    form.edit("access.basic", "env:OTHER", 0)
    assert form.profile is not None, form.problems
    assert form.disconnects([samples.connection(1)]) == Disconnects(certain=1)


@pytest.mark.parametrize(
    ("text", "security", "access"),
    [
        (OFFICE, "lab-pc.local, only encrypted", "Asks for password"),
        (OFFICE.replace('"*:6080"', '"127.0.0.1:6080"'), "lab-pc.local", "Asks for password"),
        ('name = "A"\ntarget = "demo:"\n', "No certificate", "No password"),
    ],
)
def test_a_section_is_summed_up_in_a_line(text: str, security: str, access: str) -> None:
    profile = stored(text).profile
    assert profile is not None
    assert summary(SECURITY, profile) == security
    assert summary(ACCESS, profile) == access
