"""The `wsgui` command: tray app without arguments, a headless process with profiles, subcommands for the rest."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import wsgui
from wsgui.cli.parser import Parser, complain, seconds
from wsgui.errors import EXIT_FAILED, UsageError, WsguiError

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
DEFAULT_GRACE_SECONDS: Final = 10.0
BROKEN_QT: Final = ("6.12.0", (3, 11))
"""Each killTimer drops a reference to None there, until the process aborts."""
WORKING_QT: Final = "6.11.3"
_QT_DISTRIBUTIONS: Final = ("PySide6-Essentials", "PySide6", "PySide6_Essentials")


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: `module`.`function` takes the arguments behind it and returns the exit code."""

    module: str
    function: str
    help: str


# Imported only when asked for: none of them may slow down, or be needed by, another.
COMMANDS: Final[Mapping[str, Command]] = {
    "profile": Command("wsgui.cli.profile", "main", "list, show, new, check, schema, import, export, remove profiles"),
    "certificate": Command(
        "wsgui.cli.certificate", "main", "make and trust, renew, import, export, remove certificates"
    ),
    "secret": Command("wsgui.cli.secret", "main", "set, list, remove secrets in the keyring"),
    "status": Command("wsgui.cli.control", "status", "what the running processes do"),
    "start": Command("wsgui.cli.control", "start", "switch a tunnel of a running process on"),
    "stop": Command("wsgui.cli.control", "stop", "switch a tunnel of a running process off"),
    "websockify": Command("wsgui.cli.websockify", "main", "websockify's command line (also by a link of that name)"),
    "doctor": Command("wsgui.cli.doctor", "main", "what everything rests on here, what is wrong, and what to do"),
    "reload": Command("wsgui.cli.control", "reload", "have running processes read their profiles again"),
}

EXAMPLES: Final = """\
examples:
  wsgui                                     the tray app
  wsgui --demo                              try it: a demo page, without a window
  wsgui --profile Office                    run the profile "Office" until Ctrl+C or SIGTERM
  wsgui --profile ./lab.toml --log-format json
  wsgui status                              tunnels of all running processes
  wsgui stop Office --grace 30              let its clients go on for up to 30 seconds

signals of a headless process: the first SIGTERM or Ctrl+C lets clients finish (--grace), the second ends at once,
SIGHUP reads the profiles again without cutting connections that need not be cut.
exit codes: 0 ended as asked, 1 a tunnel could not start or a request was not carried out, 2 usage or profile error.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run wsgui with `arguments` (default: the process's own) and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and Path(sys.argv[0]).stem.lower() == "websockify":
        given.insert(0, "websockify")  # started through a link of that name
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr has it: not every locale has every name's letters
    try:
        if given and not given[0].startswith("-"):
            code = _command(given[0])(given[1:])
            sys.stdout.flush()  # Here, where a reader that has gone is no fault.
            return code
        options = build_parser().parse_args(given)
        if options.profile or options.demo:
            if options.minimized:
                raise UsageError("--minimized goes with the tray app.", "Leave out --profile and --demo, or this.")
            return _headless(options)
        for option in ("listen", "wait", "grace", "name"):
            value = getattr(options, option)
            if value is not None and value is not False:  # 0 seconds of grace is something that was asked for.
                raise UsageError(f"--{option} goes with --profile or --demo.", "Add the one you mean.")
        return _tray(options)
    except WsguiError as error:
        return complain(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output (`wsgui status | head`) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def build_parser() -> Parser:
    """The parser of everything that is no subcommand."""
    width = max(len(name) for name in COMMANDS)
    commands = "\n".join(f"  {name:<{width}}  {command.help}" for name, command in COMMANDS.items())
    parser = Parser(
        prog="wsgui",
        usage="wsgui [options]\n       wsgui --profile NAME_OR_FILE [--profile …] [options]\n       wsgui COMMAND …",
        description=(
            "WebSocket tunnels to VNC, SSH, telnet and any TCP service.\n"
            "Without arguments: the tray app. With --profile or --demo: headless, in the foreground.\n\n"
            f"commands (each has its own --help):\n{commands}"
        ),
        epilog=EXAMPLES,
        add_help=False,
    )
    headless = parser.add_argument_group("headless")
    headless.add_argument(
        "--profile", action="append", metavar="NAME_OR_FILE", help='run this profile ("Demo" is built in); repeatable'
    )
    headless.add_argument("--demo", action="store_true", help="run the built-in demo, the same as --profile Demo")
    headless.add_argument(
        "--listen", metavar="ADDRESS", help="listen here instead of where the profile says: 127.0.0.1:6080, *:443, fd:3"
    )
    headless.add_argument("--wait", action="store_true", help="wait for a port that is taken, instead of giving up")
    headless.add_argument(
        "--grace",
        type=seconds,
        metavar="SECONDS",
        help=f"how long clients may go on after the first SIGTERM (default {DEFAULT_GRACE_SECONDS:g})",
    )
    headless.add_argument(
        "--name", metavar="PROCESS", help="what this process is called for --to (default: its first profile's name)"
    )
    tray = parser.add_argument_group("tray app")
    tray.add_argument("--minimized", action="store_true", help="start in the tray, without the window")
    log = parser.add_argument_group("log (on stderr)")
    log.add_argument("--log-format", choices=("text", "json"), default="text", help="default text")
    log.add_argument("--log-level", choices=LOG_LEVELS, default="info", help="the least that is written; default info")
    other = parser.add_argument_group("other")
    other.add_argument("-h", "--help", action="help", help="show this and end")
    other.add_argument("--version", action="version", version=f"wsgui {wsgui.__version__}", help="show it and end")
    return parser


def check_qt() -> None:
    """See to it that there is a PySide6 that works, without importing it.

    Raises:
        WsguiError: There is none, or one that would crash; the hint names what to install.
    """
    from importlib import metadata  # it takes longer than all the rest of this module, which is part of each start

    broken, python = BROKEN_QT
    remedy = f'Install it with: pip install "PySide6-Essentials=={WORKING_QT}" qasync'
    for module, name in (("PySide6", "PySide6"), ("qasync", "qasync")):
        if importlib.util.find_spec(module) is None:
            raise WsguiError(
                f"The tray app needs {name}, which is not installed.",
                f"{remedy} — or run without a window: wsgui --profile NAME.",
            )
    for distribution in _QT_DISTRIBUTIONS:
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
        if version == broken and sys.version_info[:2] == python:
            raise WsguiError(
                f"PySide6 {broken} on Python {python[0]}.{python[1]} aborts the program after a few thousand timers.",
                f'Install another one with: pip install "PySide6-Essentials=={WORKING_QT}"',
            )


def check_display(environment: Mapping[str, str], platform: str = sys.platform) -> None:
    """Raise WsguiError when there is no display that a window could be on."""
    if platform in ("win32", "darwin"):
        return
    if not any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        raise WsguiError(
            "There is no display for the tray app.",
            "Run without a window: wsgui --demo to try it, or wsgui --profile NAME.",
        )


def _command(name: str) -> Callable[[Sequence[str]], int]:
    command = COMMANDS.get(name)
    if command is None:
        raise _no_such_command(name)
    return cast(Callable[[Sequence[str]], int], getattr(importlib.import_module(command.module), command.function))


def _no_such_command(name: str) -> UsageError:
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"Did you mean: wsgui {near[0]}?" if near else f"The commands are {', '.join(COMMANDS)}."
    return UsageError(f'"{name}" is no command of wsgui.', hint)


def _headless(options: Namespace) -> int:
    from wsgui.cli.headless import Options, run

    if options.listen == "":  # A script's variable that was never set, say: no reason to listen somewhere else.
        raise UsageError("--listen is empty.", "Write an address, such as 127.0.0.1:6080, or leave --listen out.")
    if options.listen and len(options.profile or ()) + options.demo > 1:
        raise UsageError("--listen goes with a single profile.", "Write the addresses into the profiles instead.")
    grace = DEFAULT_GRACE_SECONDS if options.grace is None else options.grace
    return run(
        Options(
            profiles=tuple(options.profile or ()),
            demo=options.demo,
            listen=options.listen or "",
            wait=options.wait,
            grace_seconds=grace,
            log_format=options.log_format,
            log_level=options.log_level,
            name=options.name or "",
        )
    )


def _tray(options: Namespace) -> int:
    check_qt()
    check_display(os.environ)
    from wsgui.gui.start import run

    return run(minimized=options.minimized, log_format=options.log_format, log_level=options.log_level)
