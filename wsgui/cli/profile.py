"""`wsgui profile …`: list, show, make, check, describe, import, export and remove profiles."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from wsgui.app.paths import paths
from wsgui.cli.parser import Parser, complain
from wsgui.cli.profile_lookup import print_json, profile_of, refuse_taken
from wsgui.cli.profile_sharing import add_commands, split_line
from wsgui.display import display
from wsgui.engine.program import target_name
from wsgui.errors import EXIT_OK, EXIT_USAGE, FieldError, ProfileError, UsageError, WsguiError
from wsgui.profiles.catalog import shown_path
from wsgui.profiles.editing import new_text
from wsgui.profiles.model import Profile, json_schema
from wsgui.profiles.reading import build_profile
from wsgui.profiles.store import ProfileStore

_ARGUMENTS: Final = "the arguments"


def main(arguments: Sequence[str]) -> int:
    """Carry out ``wsgui profile ARGUMENTS`` and return the exit code; raises WsguiError for what cannot be done."""
    given, line = split_line(arguments)
    options = build_parser().parse_args(given)
    options.line = line
    return int(options.run(options, ProfileStore(paths().profiles)))


def build_parser() -> Parser:
    """The parser of ``wsgui profile``."""
    parser = Parser(prog="wsgui profile", description="The profiles: one TOML file each.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    listing = commands.add_parser("list", help="names, addresses and targets; broken files too")
    listing.set_defaults(run=_list)
    _json_option(listing)

    show = commands.add_parser("show", help="print one as TOML")
    show.add_argument("name", metavar="NAME_OR_FILE")
    show.set_defaults(run=_show)
    _json_option(show)

    new = commands.add_parser("new", help="make one")
    new.add_argument("name", metavar="NAME")
    new.add_argument(
        "--target",
        metavar="ADDRESS",
        help="office:5901, tls://host:port, unix:/path, demo:; none with [targets], [tokens], [command]",
    )
    new.add_argument("--listen", metavar="ADDRESS", help="127.0.0.1:6080 (default), *:443, unix:/path, fd:3")
    new.add_argument("--group", metavar="GROUP", help="group in the list")
    new.add_argument(
        "--web", metavar="ROOT", help='"vnc", "terminal", "novnc", "demo", or a folder to serve on the same port'
    )
    new.add_argument("--certificate", metavar="FILE", help="certificate chain (PEM); the port then speaks TLS")
    new.add_argument("--key", metavar="FILE", help="private key, when the certificate's file has none")
    new.add_argument("--no-autostart", action="store_true", help="do not start it with the tray app")
    new.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="any other field: --set limits.idle_seconds=60",
    )
    new.set_defaults(run=_new)
    _json_option(new)

    check = commands.add_parser("check", help="say all that is wrong: exit code 2 if anything is")
    check.add_argument("names", nargs="*", metavar="NAME_OR_FILE", help="default: all profiles")
    check.set_defaults(run=_check)
    _json_option(check)

    schema = commands.add_parser("schema", help="print the JSON Schema, for editors")
    schema.set_defaults(run=_schema)

    add_commands(commands)

    remove = commands.add_parser("remove", help="delete one's file")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    remove.set_defaults(run=_remove)
    return parser


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _list(options: argparse.Namespace, store: ProfileStore) -> int:
    loaded = store.load()
    if options.json:
        found = [_described(profile, store) for profile in loaded.profiles]
        print_json({"profiles": found, "problems": _as_values(loaded.problems)})
    else:
        rows = [(display(p.name), display(str(p.listen)), display(target_name(p))) for p in loaded.profiles]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
        for name, listen, target in rows:
            print(f"{name:<{widths[0]}}  {listen:<{widths[1]}}  {target}".rstrip())
        for problem in loaded.problems:
            complain(problem)
        if not rows and not loaded.problems:
            print("There is no profile yet. Make one with: wsgui profile new NAME --target ADDRESS")
    return EXIT_OK


def _show(options: argparse.Namespace, store: ProfileStore) -> int:
    profile = profile_of(options.name, store)
    if options.json:
        print_json(profile.model_dump(mode="json"))
    else:
        print(new_text(profile), end="")
    return EXIT_OK


def _new(options: argparse.Namespace, store: ProfileStore) -> int:
    settings: dict[str, Any] = {"name": options.name}
    given = {"target": options.target, "listen": options.listen, "group": options.group}
    settings |= {field: value for field, value in given.items() if value is not None}
    if options.no_autostart:
        settings["autostart"] = False
    if options.web is not None:
        settings["web"] = {"root": options.web}
    tls = {"certificate_file": options.certificate, "key_file": options.key}
    if any(tls.values()):
        settings["tls"] = {field: value for field, value in tls.items() if value}
    for assignment in options.set:
        _assign(settings, assignment)
    # A path typed here counts from here.
    profile = build_profile(settings, _ARGUMENTS, folder=Path.cwd())
    refuse_taken(profile.name, store)
    return _saved(profile, store, as_json=options.json)


def _assign(settings: dict[str, Any], assignment: str) -> None:
    field, equals, text = assignment.partition("=")
    if not equals or not all(field.split(".")):
        raise UsageError(f'"{display(field)}" is no FIELD=VALUE.', "Write, say, --set limits.idle_seconds=60.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        value = text  # Text needs no quotes of its own here.
    section = settings
    *above, last = field.split(".")
    for step in above:
        inner = section.setdefault(step, {})
        if not isinstance(inner, dict):
            raise UsageError(f'There is no field "{display(field)}".', "See: wsgui profile schema.")
        section = inner
    section[last] = value


def _check(options: argparse.Namespace, store: ProfileStore) -> int:
    problems: list[ProfileError] = []
    valid: list[str] = []
    if not options.names:
        loaded = store.load()
        problems += loaded.problems
        valid += [profile.name for profile in loaded.profiles]
    code = EXIT_OK
    for name in options.names:
        try:
            valid.append(store.read(name).name)
        except ProfileError as error:
            problems.append(error)
        except WsguiError as error:
            if not options.json:
                code = complain(error)
            else:
                problems.append(ProfileError(display(name), [error]))
    if options.json:
        print_json({"valid": valid, "problems": _as_values(problems)})
    else:
        for problem in problems:
            complain(problem)
        for name in valid:
            print(f"{display(name)}: valid")
    return EXIT_USAGE if problems else code


def _schema(_options: argparse.Namespace, _store: ProfileStore) -> int:
    print_json(json_schema())
    return EXIT_OK


def _remove(options: argparse.Namespace, store: ProfileStore) -> int:
    path = store.path_of(options.name)
    if not path.exists():
        store.read(options.name)  # Says that there is none, and what there is.
    if not options.yes:
        if not sys.stdin.isatty():
            raise UsageError("Removing a profile asks first, and nobody is there to answer.", "Add --yes.")
        print(f"Remove {display(options.name)} ({shown_path(path)})? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("Nothing was removed.")
            return EXIT_OK
    print(f"{display(options.name)}: removed {shown_path(store.remove(options.name))}")
    return EXIT_OK


def _saved(profile: Profile, store: ProfileStore, *, as_json: bool) -> int:
    path = store.save(profile)
    if as_json:
        print_json(_described(profile, store))
    else:
        print(f"{display(profile.name)}: written to {shown_path(path)}")
    return EXIT_OK


def _described(profile: Profile, store: ProfileStore) -> dict[str, Any]:
    return {
        "name": profile.name,
        "group": profile.group,
        "listen": str(profile.listen),
        "target": str(profile.target) if profile.target else "",
        "autostart": profile.autostart,
        "file": str(store.path_of(profile.name)),
    }


def _as_values(problems: Sequence[ProfileError]) -> list[dict[str, Any]]:
    return [
        {
            "file": error.source,
            "line": problem.line if isinstance(problem, FieldError) else None,
            "field": problem.field,
            "message": problem.message,
            "hint": problem.hint,
        }
        for error in problems
        for problem in error.problems
    ]
