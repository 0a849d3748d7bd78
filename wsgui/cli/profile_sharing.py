"""`wsgui profile import` and `export`: profiles of other people, and lines of websockify."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from wsgui.cli.profile_lookup import free_name, print_json, profile_of, refuse_taken
from wsgui.display import display
from wsgui.errors import EXIT_OK, UsageError
from wsgui.profiles.catalog import shown_path
from wsgui.profiles.disk import create_file
from wsgui.profiles.editing import new_text
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import MAX_BYTES, build_profile
from wsgui.profiles.sharing import Preview, export_text, preview
from wsgui.profiles.store import ProfileStore
from wsgui.profiles.websockify.conversion import Lost, suggested_name, to_line, to_settings
from wsgui.profiles.websockify.options import parse
from wsgui.profiles.websockify.recognise import arguments_of

WEBSOCKIFY: Final = "websockify"
STANDARD_STREAM: Final = "-"

_SEPARATOR: Final = "--"
_ARGUMENTS: Final = "the arguments"
_THE_LINE: Final = "the line"
_OTHER_NAME: Final = "Import it under another name with --as NAME, or remove that one first."


def split_line(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments of ``wsgui profile`` before ``--``, and websockify's line behind it; no line is empty.

    A single word behind it that is no name of websockify's is a file whose name may begin with a hyphen.
    """
    given = list(arguments)
    if given[:1] != ["import"] or _SEPARATOR not in given:
        return given, []
    at = given.index(_SEPARATOR)
    line = given[at + 1 :]
    return (given[:at], line) if len(line) > 1 or arguments_of(line) is not None else (given, [])


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add ``import`` and ``export`` to the commands of ``wsgui profile``."""
    import_ = commands.add_parser(
        "import",
        help="take in somebody else's, without what could do harm; or a line of websockify",
        usage="wsgui profile import [--keep FIELD …] [--as NAME] [--dry-run] [--json] FILE\n"
        "       wsgui profile import [--as NAME] [--dry-run] [--json] -- websockify ARGS …",
        description="Take in a profile's file: what could do harm arrives turned off, and is listed.\n"
        "Or make a profile of a line of websockify, which you typed and which therefore keeps commands,\n"
        "plugins and folders; its passwords are not stored, and what a profile cannot hold is listed.",
    )
    import_.add_argument("file", metavar="FILE", nargs="?", help="- is the standard input")
    import_.add_argument("--keep", nargs="+", action="extend", default=[], metavar="FIELD", help="leave these as given")
    import_.add_argument("--as", dest="name", metavar="NAME", help="under another name")
    import_.add_argument("--dry-run", action="store_true", help="only print what would arrive")
    import_.add_argument("--json", action="store_true", help="for programs")
    import_.set_defaults(run=_import)

    export = commands.add_parser("export", help="print one for somebody else: without references to secrets")
    export.add_argument("name", metavar="NAME_OR_FILE")
    export.add_argument("--as", dest="form", choices=(WEBSOCKIFY,), help="as the line that starts websockify with it")
    export.add_argument("-o", "--output", default=STANDARD_STREAM, metavar="FILE", help="default: the standard output")
    export.set_defaults(run=_export)


def _import(options: argparse.Namespace, store: ProfileStore) -> int:
    if options.line:
        return _import_line(options, store)
    if options.file is None:
        hint = "Name one, or write -- and a line of websockify. See: wsgui profile import --help"
        raise UsageError("There is no file to import.", hint)
    source, stem = ("the standard input", "") if options.file == STANDARD_STREAM else _source(options.file)
    found = preview(_read(options.file), source, default_name=stem)
    profile = found.accept(options.keep)
    if options.name:
        profile = build_profile(profile.settings() | {"name": options.name}, _ARGUMENTS)
    turned_off = _turned_off(found, options.keep)
    if not _arrived(profile, options, store, {"turned_off": turned_off}):
        for each in turned_off:
            print(f"turned off: {each['field']} = {each['value']}. {each['reason']}", file=sys.stderr)
        if turned_off:
            print("Keep what you trust with: --keep FIELD …", file=sys.stderr)
    return EXIT_OK


def _import_line(options: argparse.Namespace, store: ProfileStore) -> int:
    if options.file is not None or options.keep:
        what = "A file" if options.file is not None else "--keep"
        raise UsageError(f"{what} and a line of websockify do not go together.", "A line is kept as it was typed.")
    arguments = arguments_of(options.line)
    line = parse(options.line if arguments is None else arguments)
    name = options.name or free_name(suggested_name(line), store)
    converted = to_settings(line, name=name, folder=str(Path.cwd()))
    profile = build_profile(converted.settings, _THE_LINE)
    told = {
        "lost": [asdict(each) for each in converted.lost],
        "secrets": [asdict(each) for each in converted.secrets],
    }
    if not _arrived(profile, options, store, told):
        _tell(converted.lost)
        for each in converted.secrets:
            print(f"not stored: the secret of {each.field}. {display(each.remedy, limit=500)}", file=sys.stderr)
    return EXIT_OK


def _arrived(profile: Profile, options: argparse.Namespace, store: ProfileStore, told: dict[str, Any]) -> bool:
    """Save or show `profile`; returns whether `told`, what is to be said about it, has been said to a program."""
    if options.dry_run:
        if options.json:
            print_json({"profile": profile.model_dump(mode="json")} | told)
        else:
            print(new_text(profile), end="")
        return bool(options.json)
    refuse_taken(profile.name, store, _OTHER_NAME)
    path = store.save(profile)
    if options.json:
        print_json({"name": profile.name, "file": str(path)} | told)
    else:
        print(f"{display(profile.name)}: imported into {shown_path(path)}")
    return bool(options.json)


def _turned_off(found: Preview, keep: Sequence[str]) -> list[dict[str, str]]:
    return [asdict(each) for each in found.turned_off if each.field not in keep]


def _export(options: argparse.Namespace, store: ProfileStore) -> int:
    profile = profile_of(options.name, store)
    lost: Sequence[Lost] = ()
    if options.form == WEBSOCKIFY:
        line = to_line(profile)
        text, lost = shlex.join((WEBSOCKIFY, *line.argv)) + "\n", line.lost
    else:
        text = export_text(profile)
    if options.output == STANDARD_STREAM:
        print(text, end="", flush=True)
    else:
        path = Path(options.output)
        try:
            create_file(path, text.encode())
        except FileExistsError:
            raise UsageError(f"There is a file {shown_path(path)} already.", "Choose another name.") from None
    _tell(lost)
    return EXIT_OK


def _tell(lost: Sequence[Lost]) -> None:
    for each in lost:
        print(f"not the same: {display(each.option)}: {display(each.reason, limit=500)}", file=sys.stderr)


def _source(file: str) -> tuple[str, str]:
    path = Path(file)
    return shown_path(path), path.stem


def _read(file: str) -> bytes:
    if file == STANDARD_STREAM:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with open(file, "rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(f"{display(file)} cannot be read: {why}.", "Check the path.") from None
