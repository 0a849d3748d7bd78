"""The family of errors: one sentence wrong, one sentence remedy, and the exit code that goes with it."""

from __future__ import annotations

import pickle

import pytest

from wsgui import errors
from wsgui.errors import (
    EXIT_FAILED,
    EXIT_USAGE,
    AddressError,
    CertificateError,
    ControlError,
    FieldError,
    ProfileError,
    SecretError,
    TargetError,
    TunnelError,
    UsageError,
    WsguiError,
)


def test_the_text_is_what_is_wrong_and_what_to_do() -> None:
    error = WsguiError("Port 80 is taken.", "Use 8080.", field="listen")
    assert (error.message, error.hint, error.field) == ("Port 80 is taken.", "Use 8080.", "listen")
    assert str(error) == "Port 80 is taken. Use 8080."


def test_without_a_remedy_nothing_hangs_over() -> None:
    assert str(WsguiError("It is over.")) == "It is over."


def test_every_error_of_the_module_is_of_the_family() -> None:
    found = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert len(found) >= 10
    assert all(issubclass(kind, WsguiError) for kind in found)


@pytest.mark.parametrize("kind", [UsageError, AddressError, FieldError])
def test_what_is_written_wrongly_ends_with_2(kind: type[WsguiError]) -> None:
    assert kind("x").exit_code == EXIT_USAGE


@pytest.mark.parametrize("kind", [SecretError, CertificateError, TunnelError, TargetError, ControlError])
def test_what_cannot_be_done_ends_with_1(kind: type[WsguiError]) -> None:
    assert kind("x").exit_code == EXIT_FAILED


def test_a_profile_tells_all_its_problems_each_with_file_line_and_field() -> None:
    error = ProfileError(
        "/home/a/office.toml",
        [
            FieldError("It is too high.", "Use less.", field="limits.connections", line=7),
            WsguiError("There is none.", field="target"),
            WsguiError("It is not TOML."),
        ],
    )
    assert str(error).splitlines() == [
        "/home/a/office.toml:7: limits.connections: It is too high. Use less.",
        "/home/a/office.toml: target: There is none.",
        "/home/a/office.toml: It is not TOML.",
    ]
    assert error.exit_code == EXIT_USAGE


def test_a_profile_s_first_problem_stands_for_it() -> None:
    error = ProfileError("office", [WsguiError("A.", "B.", field="c"), WsguiError("D.")])
    assert (error.message, error.hint, error.field) == ("office: A.", "B.", "c")


def test_a_profile_error_without_problems_still_says_something() -> None:
    assert ProfileError("office", []).message == "office: The profile is not valid."


@pytest.mark.parametrize("error", [TunnelError("A.", "B.", field="c"), FieldError("A.", "B.", field="c", line=3)])
def test_errors_can_be_copied_to_another_process(error: WsguiError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_a_profile_error_can_be_copied_to_another_process() -> None:
    again = pickle.loads(pickle.dumps(ProfileError("office", [WsguiError("A.", "B.", field="c")])))
    assert (again.source, str(again)) == ("office", "office: c: A. B.")
