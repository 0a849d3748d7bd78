"""`wsgui secret …`: put secrets into the keyring, list their names, remove them; never show one."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wsgui.app.paths import Paths, paths
from wsgui.app.secret_names import SecretIndex
from wsgui.certificates.passphrases import OWN_ENTRIES
from wsgui.cli.asking import from_here, somebody_has_a_screen, somebody_is_there, typed
from wsgui.cli.parser import Parser, complain
from wsgui.cli.profile_lookup import print_json
from wsgui.cli.tables import table
from wsgui.display import display
from wsgui.errors import EXIT_OK, SecretError, UsageError, WsguiError
from wsgui.profiles import keyring_access
from wsgui.profiles.keyring_access import MAX_BYTES, KeyringError
from wsgui.profiles.references import keyring_names
from wsgui.profiles.secrets import resolve
from wsgui.profiles.store import ProfileStore

_KEPT, _MISSING, _UNKNOWN = "kept", "missing", "not known"
_EPILOG: Final = """\
A profile refers to a secret by its name, as in: [access] basic = "keyring:office"
Elsewhere than in the keyring it may be in a variable or a file: "env:VARIABLE", "file:/PATH".
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A secret by its name: `state` is one of kept, missing, not known."""

    name: str
    state: str
    used_by: tuple[str, ...]


def main(arguments: Sequence[str]) -> int:
    """Carry out ``wsgui secret ARGUMENTS`` and return the exit code; raises WsguiError for what cannot be done."""
    options = build_parser().parse_args(arguments)
    keyring_access.allow_prompts(somebody_has_a_screen())
    return int(options.run(options, paths()))


def build_parser() -> Parser:
    """The parser of ``wsgui secret``."""
    parser = Parser(
        prog="wsgui secret", description="Secrets in the keyring, for profiles to refer to.", epilog=_EPILOG
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    setting = commands.add_parser(
        "set",
        help="store one, in the place of what had its name",
        description="Store a secret. It is asked for twice on a terminal, and read from standard input otherwise.",
        epilog="examples:\n"
        "  wsgui secret set office\n"
        "  wsgui secret set office --from file:password.txt\n"
        "  wsgui secret set office < password.txt\n",
    )
    setting.add_argument("name", metavar="NAME", help='what profiles call it: basic = "keyring:NAME"')
    setting.add_argument(
        "--from", dest="source", metavar="REFERENCE", help="where it is now: env:VARIABLE or file:PATH"
    )
    setting.set_defaults(run=_set)

    listing = commands.add_parser(
        "list",
        help="names, and who uses them; those that are missing",
        description="The names of all secrets that wsgui has stored or that profiles need, and who uses them.",
    )
    listing.add_argument("--json", action="store_true", help="for programs")
    listing.set_defaults(run=_list)

    remove = commands.add_parser(
        "remove", help="remove one from the keyring", description="Remove a secret from the keyring."
    )
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", action="store_true", help="also when a profile uses it")
    remove.set_defaults(run=_remove)
    return parser


def _set(options: argparse.Namespace, folders: Paths) -> int:
    name = _plain_name(options.name)
    if name.startswith(OWN_ENTRIES):
        raise UsageError(
            f'Names that begin with "{name.partition("/")[0]}/" are kept for certificates.',
            "Choose another name; a certificate's passphrase is moved by wsgui certificate.",
        )
    if not name.strip():
        raise UsageError("The secret has no name.", "Name it, such as: wsgui secret set office")
    SecretIndex(folders).set(name, _value(name, options.source))
    print(f'Stored. Profiles refer to it as "keyring:{display(name)}".')
    return EXIT_OK


def _plain_name(name: str) -> str:
    return name.removeprefix("keyring:")


def _value(name: str, source: str | None) -> str:
    if source is not None:
        if source.partition(":")[0] not in ("env", "file"):
            raise UsageError(
                "That is no place to take a secret from.", "Write --from env:VARIABLE or --from file:PATH."
            )
        return resolve(from_here(source))
    return _typed(name) if somebody_is_there() else _piped()


def _typed(name: str) -> str:
    value = typed(f'Secret for "{display(name)}": ')
    if value and typed("The same again: ") != value:
        raise SecretError("The two are not the same; nothing was stored.", "Try again.")
    if not value:
        raise SecretError("No secret was given; nothing was stored.", "Try again.")
    return value


def _piped() -> str:
    data = sys.stdin.buffer.read(MAX_BYTES + 2)
    if data.endswith(b"\n"):
        data = data[:-1].removesuffix(b"\r")
    try:
        value = data.decode()
    except UnicodeDecodeError:
        raise SecretError(
            "Standard input is not UTF-8 text.", 'Keep it in a file, and refer to it by "file:/PATH".'
        ) from None
    if not value:
        raise SecretError("Standard input was empty; nothing was stored.", "Write the secret to it.")
    return value


def _list(options: argparse.Namespace, folders: Paths) -> int:
    problems: list[WsguiError] = []
    loaded = ProfileStore(folders.profiles).load()
    problems += loaded.problems
    used: dict[str, list[str]] = {}
    for profile in loaded.profiles:
        for name in keyring_names(profile):
            used.setdefault(name, []).append(profile.name)
    stored: tuple[str, ...] = ()
    try:
        stored = SecretIndex(folders).names()
    except WsguiError as error:
        problems.append(error)
    own = _own_entries(folders, problems)
    finding = keyring_access.state()
    reason = SecretError(finding.message, finding.hint) if finding.message else None
    rows = [_row(name, used.get(name, []), reason) for name in sorted({*stored, *used})]
    own_rows = [_row(name, users, reason) for name, users in sorted(own.items())]
    if options.json:
        print_json(
            {
                "keyring": finding.state.value,
                "secrets": [_as_values(row) for row in rows],
                "certificates": [_as_values(row) for row in own_rows],
                "problems": [str(problem) for problem in (*problems, *([reason] if reason else ()))],
            }
        )
    else:
        _print(rows, own_rows)
        for problem in (*problems, *([reason] if reason else ())):
            complain(problem)
    return EXIT_OK


def _own_entries(folders: Paths, problems: list[WsguiError]) -> dict[str, list[str]]:
    """The entries of certificates and authorities in the keyring, with what uses each."""
    if not folders.certificates.exists():
        return {}
    from wsgui.certificates.vault import Vault  # it takes a while to load

    vault = Vault(folders.certificates)
    own: dict[str, list[str]] = {}
    references = [(f"authority {stored.authority.id}", stored.passphrase) for stored in vault.authorities()]
    problems += vault.broken_authorities()
    for name in vault.names():
        try:
            references.append((f"certificate {name}", vault.read(name).passphrase))
        except WsguiError as error:
            problems.append(error)
    for user, reference in references:
        if reference.startswith("keyring:"):
            own.setdefault(reference.removeprefix("keyring:"), []).append(user)
    return own


def _row(name: str, users: Sequence[str], unknown: SecretError | None) -> Row:
    if unknown is not None:
        return Row(name, _UNKNOWN, tuple(users))
    try:
        return Row(name, _KEPT if keyring_access.get(name) else _MISSING, tuple(users))
    except KeyringError:
        return Row(name, _UNKNOWN, tuple(users))


def _as_values(row: Row) -> dict[str, object]:
    return {"name": row.name, "state": row.state, "used_by": list(row.used_by)}


def _print(rows: Sequence[Row], own_rows: Sequence[Row]) -> None:
    if not rows:
        print("There is no secret yet. Store one with: wsgui secret set NAME")
    for title, some in (("SECRET", rows), ("OF A CERTIFICATE", own_rows)):
        if not some:
            continue
        if title != "SECRET":
            print()
        cells = [(display(row.name), row.state, display(", ".join(row.used_by) or "-", limit=500)) for row in some]
        for line in table((title, "KEYRING", "USED BY"), cells, to_the_right=frozenset()):
            print(line)


def _remove(options: argparse.Namespace, folders: Paths) -> int:
    name = _plain_name(options.name)
    shown = display(name)
    if name.startswith(OWN_ENTRIES):
        users = _own_entries(folders, []).get(name, [])
        if users or not options.yes:
            kind, _, owner = users[0].partition(" ") if users else ("", "", "")
            option = "--authority " if kind == "authority" else ""
            raise UsageError(
                f'"{shown}" opens the key of {display(users[0] if users else "a certificate or its authority")}.',
                f"Remove that: wsgui certificate remove {option}{shlex.quote(display(owner))}"
                if users
                else "If there is no such any more, add --yes.",
            )
    users = [p.name for p in ProfileStore(folders.profiles).load().profiles if name in keyring_names(p)]
    if users and not options.yes:
        raise UsageError(
            f'"{shown}" is used by {display(", ".join(users), limit=300)}.',
            "Change the profile first, or add --yes.",
        )
    if not SecretIndex(folders).remove(name):
        raise SecretError(f'The keyring has no secret "{shown}".', "See what there is: wsgui secret list.")
    print(f'"{shown}" was removed from the keyring.')
    return EXIT_OK
