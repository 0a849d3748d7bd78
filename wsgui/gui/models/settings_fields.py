"""The sections of a tunnel's Settings: which fields of a profile stand where, and what each is edited with.

A section is a list; what a field means, which values it takes and what it is by itself, the model says.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from wsgui.profiles.fields import AccessPath, AccessReference, CertificateNames, PathText, Reference
from wsgui.profiles.model import Profile
from wsgui.profiles.section import Section as Part


class Kind(enum.Enum):
    """What a field is edited with."""

    LINE = "line"
    NUMBER = "number"
    PATH = "path"
    SECRET = "secret"  # noqa: S105  # a kind of field
    SWITCH = "switch"
    CHOICE = "choice"
    LINES = "lines"
    OPTIONAL_LINES = "optional-lines"
    """A list that may be left out, which is something else than an empty one."""
    CERTIFICATES = "certificates"


def text(context_text: str) -> str:
    """A text of this module in the window's language."""
    return QCoreApplication.translate("settings", context_text)


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice: the value, what it is called, what it means."""

    value: Any
    label: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form.

    Args:
        path: Dotted, as problems name it.
        label: What a person calls it.
        placeholder: An example.
        options: Of a choice; what the model takes when there are none here.
        left_out: What an optional list that is left out means, and what one that is given.
        suffix: Of a new secret's name in the keyring, behind the tunnel's.
        empty: What a list without an entry does, where that may surprise.
        typed: How a secret is written that is stored in the keyring.
        help: Instead of the model's description, where that speaks of files only.
    """

    path: str
    label: str
    placeholder: str = ""
    options: tuple[Option, ...] = ()
    left_out: tuple[str, str] = ("", "")
    suffix: str = ""
    empty: str = ""
    typed: str = ""
    help: str = ""

    @property
    def kind(self) -> Kind:
        return _kind(self.path)

    @property
    def description(self) -> str:
        """What it means: the model's word."""
        return text(self.help) if self.help else _info(self.path)[1]

    @property
    def default(self) -> Any:
        """What it is when no line gives it, as TOML would hold it."""
        return _default(self.path)

    @property
    def name(self) -> str:
        return text(self.label)

    @property
    def how_typed(self) -> str:
        """How a secret is written, in the window's language."""
        return text(self.typed) if self.typed else ""

    @property
    def choices(self) -> tuple[Option, ...]:
        """The answers of a choice, in the window's language."""
        if self.options:
            return tuple(Option(each.value, text(each.label), text(each.meaning)) for each in self.options)
        return tuple(Option(value, str(value)) for value in get_args(_plain_type(self.path)))


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together; a titled one is folded until it says something or is opened."""

    fields: tuple[FormField, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the form."""

    key: str
    title: str
    intro: str
    groups: tuple[Group, ...]

    @property
    def fields(self) -> tuple[FormField, ...]:
        return tuple(field for group in self.groups for field in group.fields)


_N = cast("Callable[[str, str], str]", QT_TRANSLATE_NOOP)
SECURITY: Final = Section(
    "security",
    _N("settings", "Security"),
    _N("settings", "A certificate makes this tunnel speak https and wss."),
    (
        Group(
            (
                FormField(
                    "tls.certificate",
                    _N("settings", "Certificate"),
                    help=_N(
                        "settings",
                        "Kept by wsgui, which renews it. Of several, each client gets the one for the name it asks "
                        "for; the first is for all others.",
                    ),
                ),
            )
        ),
        Group(
            (
                FormField("tls.certificate_file", _N("settings", "Certificate file"), "/etc/ssl/office.pem"),
                FormField("tls.key_file", _N("settings", "Key file"), "/etc/ssl/office.key"),
                FormField("tls.key_password", _N("settings", "Passphrase of the key"), suffix="-key"),
            ),
            _N("settings", "A certificate from files"),
        ),
        Group(
            (
                FormField(
                    "tls.only",
                    _N("settings", "Plain connections"),
                    options=(
                        Option(
                            None,
                            _N("settings", "As usual"),
                            _N("settings", "Refused when there is a certificate and other computers can connect."),
                        ),
                        Option(True, _N("settings", "Refuse"), _N("settings", "Only https and wss.")),
                        Option(False, _N("settings", "Accept"), _N("settings", "http and ws too, on the same port.")),
                    ),
                    help=_N("settings", "Without encryption, others on the way can read and change everything."),
                ),
            )
        ),
        Group(
            (
                FormField(
                    "tls.minimum",
                    _N("settings", "Lowest version"),
                    options=(
                        Option("1.2", _N("settings", "TLS 1.2"), _N("settings", "All browsers of the last ten years.")),
                        Option("1.3", _N("settings", "TLS 1.3"), _N("settings", "Programs since about 2019.")),
                    ),
                ),
                FormField("tls.ciphers", _N("settings", "Ciphers"), "ECDHE+AESGCM"),
            ),
            _N("settings", "Versions and ciphers"),
        ),
        Group(
            (FormField("tls.client_authority", _N("settings", "Authority of clients"), "/etc/ssl/clients.pem"),),
            _N("settings", "Certificates of clients"),
        ),
    ),
)
ACCESS: Final = Section(
    "access",
    _N("settings", "Access"),
    _N("settings", "Who may connect. What is left out is not asked."),
    (
        Group(
            (
                FormField(
                    "access.basic",
                    _N("settings", "User and password"),
                    typed=_N("settings", "Written as user:password."),
                ),
                FormField(
                    "web.require_access",
                    _N("settings", "Ask for pages too"),
                    help=_N(
                        "settings",
                        "Off: the pages and files on this port are open to everybody; the tunnel itself is not.",
                    ),
                ),
                FormField(
                    "access.origins",
                    _N("settings", "Web pages that may connect, one a line"),
                    "https://vnc.lab",
                    empty=_N("settings", "The list is empty, so no web page may connect."),
                ),
                FormField(
                    "access.hosts", _N("settings", "Further names of this tunnel, one a line"), "vnc.example.org"
                ),
                FormField(
                    "access.client_names",
                    _N("settings", "Names in client certificates"),
                    "lee",
                    empty=_N("settings", "The list is empty, so nobody may connect."),
                    left_out=(
                        _N("settings", "Any that the authority has signed"),
                        _N("settings", "Only these, one a line"),
                    ),
                ),
            )
        ),
    ),
)
SECTIONS: Final = (SECURITY, ACCESS)
"""In the order of the list; what stands here is on the form."""
FIELDS: Final[Mapping[str, FormField]] = {field.path: field for section in SECTIONS for field in section.fields}


@cache
def _info(path: str) -> tuple[Any, str]:
    """The annotation of a field, with what its validators are, and its description."""
    model: type[Part] = Profile
    *above, last = path.split(".")
    for step in above:
        inner = model.model_fields[step].annotation
        assert isinstance(inner, type)
        assert issubclass(inner, Part)
        model = inner
    return get_type_hints(model, include_extras=True)[last], model.model_fields[last].description or ""


@cache
def _kind(path: str) -> Kind:
    hint = _info(path)[0]
    if hint == CertificateNames:
        return Kind.CERTIFICATES
    if hint in (Reference, AccessReference):
        return Kind.SECRET
    if hint in (PathText, AccessPath):
        return Kind.PATH
    bare = _plain_type(path)
    members = get_args(bare) if get_origin(bare) in (Union, types.UnionType) else (bare,)
    plain = {_bare(member) for member in members}
    if any(get_origin(member) is tuple for member in plain):
        return Kind.OPTIONAL_LINES if type(None) in plain else Kind.LINES
    if bool in plain:
        return Kind.CHOICE if type(None) in plain else Kind.SWITCH
    if any(get_origin(member) is Literal for member in plain):
        return Kind.CHOICE
    return Kind.NUMBER if plain & {int, float} else Kind.LINE


def _plain_type(path: str) -> Any:
    return _bare(_info(path)[0])


def _bare(hint: Any) -> Any:
    """The type without what it is annotated with."""
    return _bare(hint.__origin__) if hasattr(hint, "__metadata__") else hint


@cache
def _default(path: str) -> Any:
    values: Any = Profile.model_construct().model_dump(mode="json")
    for step in path.split("."):
        values = values[step]
    return values
