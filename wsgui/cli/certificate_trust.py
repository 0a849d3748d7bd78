"""`wsgui certificate trust` and `untrust`: this computer's programs come to trust its authority, or no longer do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, Final

from wsgui.app.certificates import Certificates
from wsgui.certificates.trust.store import Outcome
from wsgui.display import display
from wsgui.errors import EXIT_FAILED, EXIT_OK, UsageError

_STORE_HELP: Final = "only this store; a part of its name does, such as system, chrome or firefox; repeatable"


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add ``trust`` and ``untrust`` to the commands of ``wsgui certificate``."""
    trust = commands.add_parser(
        "trust",
        help="have this computer's browsers and programs trust the authority",
        description="Put the authority's certificate into the trust stores of this computer: the databases of Chrome\n"
        "and Firefox (NSS), the system's store (which asks for rights), the keychain of macOS, Windows' store.\n"
        "What cannot be done here is said, with the command that does it. Nothing is sent to anybody.",
        epilog="exit codes: 0 at least one store trusts it now, 1 none does.",
    )
    trust.add_argument("--store", action="append", default=[], metavar="STORE", help=_STORE_HELP)
    trust.set_defaults(run=_trust)

    untrust = commands.add_parser(
        "untrust",
        help="take it out of the trust stores again",
        description="Take the certificates of this computer's authorities out of its trust stores again.",
        epilog="exit codes: 0 no store trusts it any more, 1 one could not be changed.",
    )
    untrust.add_argument("--store", action="append", default=[], metavar="STORE", help=_STORE_HELP)
    untrust.set_defaults(run=_untrust)


def _trust(options: argparse.Namespace, certificates: Certificates) -> int:
    only = _chosen(options.store, certificates.store_names)
    _print(certificates.trust(only=only))
    states = certificates.listing().stores
    return EXIT_OK if any(each.trust.trusted for each in states if not only or each.store in only) else EXIT_FAILED


def _untrust(options: argparse.Namespace, certificates: Certificates) -> int:
    outcomes = certificates.untrust(only=_chosen(options.store, certificates.store_names))
    _print(outcomes)
    return EXIT_OK if all(outcome.done for outcome in outcomes) else EXIT_FAILED


def _chosen(parts: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The stores that were meant, none = all; raises UsageError for what means none."""
    chosen: list[str] = []
    for part in parts:
        meant = [name for name in names if part and part.casefold() in name.casefold()]
        if not meant:
            raise UsageError(f'There is no trust store "{display(part)}" here.', f"There are: {', '.join(names)}.")
        chosen += meant
    return tuple(dict.fromkeys(chosen))


def _print(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        commands = outcome.command.splitlines()
        ending = f" Run: {commands[0]}" if len(commands) == 1 else " Run:" if commands else ""
        print(display(f"{outcome.store}: {outcome.message}{ending}", limit=2000))
        for command in commands if len(commands) > 1 else ():
            print(display(f"  {command}", limit=2000))
