"""`wsgui certificate …`: make, list, show, renew, exchange, trust and remove certificates."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from wsgui.app.certificates import Certificates, Created
from wsgui.app.paths import paths
from wsgui.cli import certificate_exchange, certificate_trust
from wsgui.cli.asking import somebody_has_a_screen, somebody_is_there, typed
from wsgui.cli.certificate_passphrase import keeping_passphrase, place
from wsgui.cli.certificate_text import (
    created_lines,
    created_values,
    listing_lines,
    listing_values,
    row_lines,
    row_values,
    where_passphrase,
)
from wsgui.cli.parser import Parser, complain
from wsgui.cli.profile_lookup import print_json
from wsgui.display import display
from wsgui.errors import EXIT_FAILED, EXIT_OK, UsageError, WsguiError
from wsgui.profiles import keyring_access
from wsgui.profiles.store import ProfileStore

DESCRIPTION: Final = """\
Certificates, so that browsers speak https and wss with this computer's tunnels, without a warning.

The first certificate makes an authority of this computer's own, which signs for local names, private addresses and
the names asked for, and for nothing else. Devices that trust it ("wsgui certificate trust" on this one, "export
--authority" for others) accept every certificate that it signs. Keys are kept encrypted, their passphrases in the
keyring. A running wsgui renews what it uses 30 days before the end, and takes it into use without a restart.
"""
EXAMPLES: Final = """\
examples:
  wsgui certificate create                          for all names and addresses of this computer
  wsgui certificate create office.lan 192.168.1.20
  wsgui certificate trust                           browsers on this computer accept it from now on
  wsgui profile new Office --target 127.0.0.1:5901 --listen '*:6080' --set tls.certificate=office.lan
  wsgui certificate export --authority --offer Office   a phone comes to trust it by a QR code
  wsgui certificate import fullchain.pem privkey.pem --name office.lan
  wsgui certificate list

Without a keyring (a server, a container) say where a key's passphrase is: --passphrase env:VARIABLE, file:/PATH or ask.
exit codes: 0 done, 1 it could not be done, 2 the command line is wrong.
"""
_WHERE_HELP: Final = (
    "where the passphrase of the key is: keyring (made and kept there; the default), env:VARIABLE, file:/PATH, or ask "
    "(each time a process needs it)"
)


def main(arguments: Sequence[str]) -> int:
    """Carry out ``wsgui certificate ARGUMENTS`` and return the exit code; raises WsguiError for what cannot be done."""
    options = build_parser().parse_args(arguments)
    folders = paths()
    store = ProfileStore(folders.profiles)
    keyring_access.allow_prompts(somebody_has_a_screen())
    # A profile that is broken uses nothing; `wsgui profile check` speaks of it.
    certificates = Certificates(folders, lambda: store.load().profiles, ask=typed if somebody_is_there() else None)
    return int(options.run(options, certificates))


def build_parser() -> Parser:
    """The parser of ``wsgui certificate``."""
    parser = Parser(prog="wsgui certificate", description=DESCRIPTION, epilog=EXAMPLES)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser, title="commands")

    create = commands.add_parser(
        "create",
        help="make one, signed by this computer's authority",
        description="Make a key and a certificate for host names and IP addresses, valid for 397 days.\n"
        "Where no authority of this computer may sign for one of the names, a new one is made;\n"
        "each device then has to trust that one too.",
        epilog="examples:\n"
        "  wsgui certificate create\n"
        "  wsgui certificate create office.lan '*.lab.lan' 192.168.1.20 --name office\n"
        "  wsgui certificate create --passphrase file:/etc/wsgui/passphrase\n",
    )
    create.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="host names, *.DOMAIN, IP addresses (default: this computer's names and addresses, localhost, "
        "127.0.0.1 and ::1)",
    )
    create.add_argument("--name", default="", metavar="NAME", help="what it is called (default: the first name)")
    kind = create.add_mutually_exclusive_group()
    kind.add_argument("--self-signed", action="store_true", help="without an authority: browsers ask each time")
    kind.add_argument(
        "--new-authority", action="store_true", help="make a new authority, although there is one that would do"
    )
    create.add_argument("--passphrase", default="", metavar="WHERE", help=f"{_WHERE_HELP}; also a new authority's")
    create.set_defaults(run=_create)
    _json_option(create)

    listing = commands.add_parser(
        "list",
        help="names, ends, who uses them, where they are trusted",
        description="All certificates, the authorities that signed them, and where those are trusted.",
    )
    listing.add_argument("--no-stores", action="store_true", help="do not ask the trust stores, which takes a while")
    listing.set_defaults(run=_list)
    _json_option(listing)

    show = commands.add_parser(
        "show",
        help="all about one",
        description="All that is known of a certificate: names, validity, fingerprint, chain, where its passphrase is.",
    )
    show.add_argument("name", metavar="NAME")
    show.set_defaults(run=_show)
    _json_option(show)

    renew = commands.add_parser(
        "renew",
        help="a new key and certificate for the same names",
        description="Make a new key and certificate for the same names; the passphrase stays where it is. A running\n"
        "wsgui does so by itself 30 days before the end. One that was imported is renewed by whoever issued it.",
    )
    renew.add_argument("names", metavar="NAME", nargs="*")
    renew.add_argument("--all", action="store_true", help="all that were made here")
    renew.set_defaults(run=_renew)

    certificate_exchange.add_commands(commands, _WHERE_HELP)

    passphrase = commands.add_parser(
        "passphrase",
        help="move where a key's passphrase is",
        description="Encrypt a certificate's or authority's key anew, with the passphrase that is where you say.",
        epilog="examples:\n"
        "  wsgui certificate passphrase office.lan env:OFFICE_PASSPHRASE\n"
        "  wsgui certificate passphrase office.lan keyring\n"
        "  wsgui certificate passphrase --authority 813f9dbc file:/etc/wsgui/passphrase\n",
    )
    passphrase.add_argument("name", metavar="NAME", help="the certificate; with --authority the authority's ID")
    passphrase.add_argument("--authority", action="store_true", help="that of an authority's key; list shows its ID")
    passphrase.add_argument("where", metavar="WHERE", help="keyring, env:VARIABLE, file:/PATH or ask")
    passphrase.set_defaults(run=_passphrase)

    remove = commands.add_parser(
        "remove",
        help="delete one, with its key",
        description="Delete a certificate, its key, and the key's passphrase in the keyring. Or an authority that\n"
        "signed nothing that is still here; this computer's trust stores forget it too.",
    )
    remove.add_argument("name", metavar="NAME", help="the certificate; with --authority the authority's ID")
    remove.add_argument("--authority", action="store_true", help="remove an authority; list shows its ID")
    remove.add_argument("--force", action="store_true", help="also when a profile uses it, which then cannot start")
    remove.set_defaults(run=_remove)

    certificate_trust.add_commands(commands)
    return parser


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _create(options: argparse.Namespace, certificates: Certificates) -> int:
    def make(passphrase: str) -> Created:
        return certificates.create(
            options.names,
            name=options.name,
            self_signed=options.self_signed,
            passphrase=passphrase,
            new_authority=options.new_authority,
        )

    created = keeping_passphrase(place(options.passphrase), make)
    if options.json:
        print_json(created_values(created))
    else:
        _print(created_lines(created, "made"))
    return EXIT_OK


def _list(options: argparse.Namespace, certificates: Certificates) -> int:
    listing = certificates.listing(stores=not options.no_stores)
    if options.json:
        print_json(listing_values(listing))
    else:
        _print(listing_lines(listing))
    for broken in listing.broken:
        complain(broken.problem)
    return EXIT_FAILED if listing.broken else EXIT_OK


def _show(options: argparse.Namespace, certificates: Certificates) -> int:
    row = certificates.row(options.name)
    listing = certificates.listing()
    if options.json:
        print_json(row_values(row, listing))
    else:
        _print(row_lines(row, listing))
    return EXIT_OK


def _renew(options: argparse.Namespace, certificates: Certificates) -> int:
    if options.all == bool(options.names):
        raise UsageError("Say which to renew.", "Name one or more, or write --all.")
    names = options.names
    if options.all:
        rows = certificates.listing(stores=False).rows
        names = [row.managed.name for row in rows if row.renews_on is not None]
    code = EXIT_OK
    for name in names:
        try:
            _print(created_lines(certificates.renew(name), "renewed"))
        except WsguiError as error:
            code = complain(error)
    if not names:
        print("There is nothing to renew: no certificate was made here.")
    return code


def _passphrase(options: argparse.Namespace, certificates: Certificates) -> int:
    if options.authority:
        stored = certificates.move_authority_passphrase(options.name, place(options.where))
        where = where_passphrase(stored.passphrase)
        print(display(f"{stored.authority.id}: its key is encrypted anew. {where}", limit=1000))
        return EXIT_OK
    managed = certificates.move_passphrase(options.name, place(options.where))
    print(display(f"{managed.name}: its key is encrypted anew. {where_passphrase(managed.passphrase)}", limit=1000))
    return EXIT_OK


def _remove(options: argparse.Namespace, certificates: Certificates) -> int:
    if options.authority:
        if options.force:
            raise UsageError("--force does not go with --authority.", "Remove what it signed first.")
        print(f"{certificates.remove_authority(options.name).id}: removed, and trusted nowhere on this computer.")
        return EXIT_OK
    users = certificates.remove(options.name, force=options.force)
    print(f"{display(options.name)}: removed.")
    for user in users:
        print(f"{display(user)} used it, and needs another certificate before it can start.")
    return EXIT_OK


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
