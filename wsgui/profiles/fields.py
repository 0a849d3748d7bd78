"""The kinds of values a profile's fields hold: each parses what people write and says what would be right."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, NoReturn

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, Strict, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from wsgui.errors import AddressError
from wsgui.profiles import formats
from wsgui.profiles.addresses import ListenAddress, TargetAddress, parse_listen, parse_target

MAX_NAME: Final = 64
"""Characters of a profile's or group's name."""
MAX_SECONDS: Final = 7 * 86400
MAX_COUNT: Final = 1_000_000
FOLDER: Final = "folder"
"""The validation context's key for the folder that relative paths count from: the profile file's own."""
WEB_KEYWORDS: Final = frozenset({"", "demo", "vnc", "terminal", "novnc"})
"""Values of `[web] root` that name something built in; any other is a folder."""


def refuse(message: str, hint: str) -> NoReturn:
    """Fail a pydantic validator with a sentence and a remedy; neither may hold a secret."""
    raise PydanticCustomError("wsgui", "{message}", {"message": message, "hint": hint})


def _line(value: object, example: str) -> str:
    if not isinstance(value, str):
        refuse("It must be text in quotes.", f"Write {example}.")
    if formats.has_hidden_characters(value):
        refuse("The text has invisible characters in it.", f"Write {example}.")
    return value


def _name(value: object) -> str:
    name = unicodedata.normalize("NFC", _line(value, 'a name such as "Office desktop"').strip())
    if not 1 <= len(name) <= MAX_NAME:
        why = f"The name has {len(name)} characters." if name else "The name is empty."
        refuse(why, f"Choose one of 1 to {MAX_NAME} characters.")
    if name.startswith("-"):
        refuse("The name begins like an option of the command line.", "Choose a name that does not begin with -.")
    if "/" in name or "\\" in name or name.casefold().endswith(".toml"):
        refuse("The name looks like a file's.", "Choose a name without / and \\ that does not end in .toml.")
    return name


def _group(value: object) -> str:
    group = unicodedata.normalize("NFC", _line(value, 'a group such as "Servers", or ""').strip())
    if len(group) > MAX_NAME:
        refuse(f"The group has {len(group)} characters.", f"Choose one of at most {MAX_NAME}.")
    return group


def _one_or_several(value: object) -> object:
    """Take one text for a list of one."""
    return (value,) if isinstance(value, str) else value


def _address_text(value: object, example: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, ListenAddress | TargetAddress):
        return str(value)
    if not isinstance(value, str):
        refuse("It must be an address in quotes.", f'Write "{example}".')
    return value


def _listen(value: object) -> ListenAddress:
    try:
        return parse_listen(_address_text(value, "127.0.0.1:6080"))
    except AddressError as error:
        refuse(error.message, error.hint)


def _target(value: object) -> TargetAddress:
    try:
        return parse_target(_address_text(value, "office:5901"))
    except AddressError as error:
        refuse(error.message, error.hint)


def _path(value: object, info: ValidationInfo) -> str:
    """An absolute path where the context says what a relative one counts from; nothing is opened or looked up."""
    if isinstance(value, Path):
        value = str(value)
    text = _line(value, 'a path such as "/etc/ssl/office.pem"')
    if not text or text.startswith("unbound:"):
        return text
    folder = (info.context or {}).get(FOLDER)
    if folder is None:
        return text
    if text == "~" or text.startswith("~/"):
        return str(Path.home() / text[2:])
    return str(Path(folder) / text)


def _web_root(value: object, info: ValidationInfo) -> str:
    return value if isinstance(value, str) and value in WEB_KEYWORDS else _path(value, info)


def _access_path(value: object, info: ValidationInfo) -> str | None:
    return _asked(None if value is None else _path(value, info))


def _reference(value: object) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or not formats.is_reference(value):
        # The value itself is not repeated: it may be the secret.
        refuse(
            "It must be a reference to a secret, not the secret itself.",
            'Write "keyring:NAME", "env:VARIABLE" or "file:/PATH".',
        )
    return value


def _access_reference(value: object) -> str | None:
    return _asked(None if value is None else _reference(value))


def _asked(value: str | None) -> str | None:
    if value == "":
        refuse("It is empty, which would let nobody in.", "Fill it in, or remove the line if it is not to be asked.")
    return value


def _import_path(value: object) -> str:
    text = _line(value, '"package.module.Class"')
    if text and not formats.is_import_path(text):
        refuse("It is not the path of a class.", "Write package.module.Class.")
    return text


def _access_plugin(value: object) -> str | None:
    return _asked(None if value is None else _import_path(value))


def _size(value: object) -> int:
    if isinstance(value, int | str) and not isinstance(value, bool):
        size = formats.parse_size(value)
        if size is not None:
            return size
    refuse("It is not a size.", f'Write a number and a unit ({", ".join(formats.SIZE_UNITS)}), such as "256 MB".')


def _format(parse: Callable[[str], str]) -> PlainValidator:
    def validate(value: object) -> str:
        try:
            return parse(_line(value, "text in quotes").strip())
        except formats.FormatError as error:
            refuse(error.message, error.hint)

    return PlainValidator(validate)


def _schema(description: str, *, pattern: str | None = None, example: str | None = None) -> WithJsonSchema:
    schema: dict[str, object] = {"type": "string", "description": description}
    if pattern:
        schema["pattern"] = pattern
    if example:
        schema["examples"] = [example]
    return WithJsonSchema(schema)


_PRINT = PlainSerializer(str, return_type=str)
_NULLABLE_TEXT: Final = WithJsonSchema({"type": ["string", "null"]})

Name = Annotated[
    str, PlainValidator(_name), _schema("1 to 64 printable characters", pattern="^[^-/\\\\][^/\\\\]{0,63}$")
]
Group = Annotated[str, PlainValidator(_group), _schema("at most 64 printable characters")]
Listen = Annotated[
    ListenAddress,
    PlainValidator(_listen),
    _PRINT,
    WithJsonSchema(
        {"type": ["string", "integer"], "examples": ["127.0.0.1:6080", "*:443", "unix:/run/x.sock", "fd:3"]}
    ),
]
Target = Annotated[
    TargetAddress,
    PlainValidator(_target),
    _PRINT,
    WithJsonSchema(
        {"type": ["string", "integer"], "examples": ["office:5901", "tls://office:5901", "unix:/run/x", "demo:"]}
    ),
]
Line = Annotated[str, PlainValidator(lambda value: _line(value, "text in quotes")), WithJsonSchema({"type": "string"})]
PathText = Annotated[str, PlainValidator(_path), _schema("path; a relative one counts from the profile's folder")]
AccessPath = Annotated[str | None, PlainValidator(_access_path), _NULLABLE_TEXT]
WebRoot = Annotated[str, PlainValidator(_web_root), _schema("keyword or folder", example="demo")]
Reference = Annotated[str, PlainValidator(_reference), _schema("keyring:NAME, env:VARIABLE or file:/PATH")]
AccessReference = Annotated[str | None, PlainValidator(_access_reference), _NULLABLE_TEXT]
ImportPath = Annotated[str, PlainValidator(_import_path), _schema("package.module.Class")]
AccessPlugin = Annotated[str | None, PlainValidator(_access_plugin), _NULLABLE_TEXT]
Size = Annotated[
    int,
    PlainValidator(_size),
    PlainSerializer(formats.print_size, return_type=str),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["256 MB"]}),
]
Origin = Annotated[str, _format(formats.canonical_origin), _schema("same-host, * or scheme://host[:port]")]
Frame = Annotated[str, _format(formats.canonical_frame), _schema("scheme://host[:port]")]
AllowedHost = Annotated[str, _format(formats.canonical_allowed_host), _schema("host name, IP address or *")]
CertificateName = Annotated[
    str, _format(formats.canonical_certificate_name), _schema("host name, *.domain or IP address")
]
CertificateNames = Annotated[
    tuple[CertificateName, ...],
    BeforeValidator(_one_or_several),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Network = Annotated[str, _format(formats.canonical_network), _schema("IP network", example="10.0.0.0/8")]
NetworkPorts = Annotated[
    str, _format(formats.canonical_network_ports), _schema("network:ports", example="10.0.0.0/8:5900-5999")
]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=MAX_COUNT)]
Positive = Annotated[int, Strict(), Field(ge=1, le=MAX_COUNT)]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
Seconds = Annotated[float, Strict(), Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
