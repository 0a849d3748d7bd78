"""`wsgui certificate import` and `export`: certificates of others, and what other devices and programs need of ours."""

from __future__ import annotations

import argparse
import io
import shlex
import sys
import time
from pathlib import Path
from typing import Any, Final, Literal

from wsgui.app.certificates import Certificates, Created
from wsgui.app.control_client import ControlClient
from wsgui.cli.asking import from_option, new_password, password
from wsgui.cli.certificate_passphrase import keeping_passphrase, place
from wsgui.cli.certificate_text import created_lines, created_values
from wsgui.cli.control import with_tunnel
from wsgui.cli.profile_lookup import print_json
from wsgui.display import display
from wsgui.errors import EXIT_OK, UsageError
from wsgui.profiles.catalog import shown_path

_STDOUT: Final = "-"
_DER_SUFFIXES: Final = frozenset({".der", ".cer"})
_OFFER_SECONDS: Final = 30.0
_HOUR_SECONDS: Final = 3600


def add_commands(commands: argparse._SubParsersAction[Any], passphrase_help: str) -> None:
    """Add ``import`` and ``export`` to the commands of ``wsgui certificate``."""
    import_ = commands.add_parser(
        "import",
        help="take in one that was issued elsewhere",
        description="Take in a key with its certificate and intermediates, from PEM files in any order or a PKCS#12\n"
        "file. The key is encrypted anew with a passphrase of wsgui's; the files stay as they are.",
        epilog="examples:\n"
        "  wsgui certificate import fullchain.pem privkey.pem\n"
        "  wsgui certificate import office.p12 --name office.lan --password file:/run/secrets/p12\n",
    )
    import_.add_argument("files", metavar="FILE", nargs="+", type=Path, help="PEM or PKCS#12, told by what is in it")
    import_.add_argument("--name", default="", metavar="NAME", help="what it is called (default: its first name)")
    import_.add_argument(
        "--password",
        default="",
        metavar="WHERE",
        help="the files' password: env:VARIABLE, file:/PATH or keyring:NAME (default: ask, where one is needed)",
    )
    import_.add_argument("--passphrase", default="", metavar="WHERE", help=passphrase_help)
    import_.add_argument("--replace", action="store_true", help="put it in the place of the one called so")
    import_.add_argument("--json", action="store_true", help="for programs")
    import_.set_defaults(run=_import)

    export = commands.add_parser(
        "export",
        help="write one, or the authority for another device, into a file",
        usage="wsgui certificate export NAME [--pem FILE [--with-key] | --pkcs12 FILE] [--password WHERE] [--force]\n"
        "       wsgui certificate export --authority [FILE] [--id ID] [--force]\n"
        "       wsgui certificate export --authority --offer TUNNEL [--to PROCESS]",
        description="Write a certificate with its intermediates (to -, or without a file: as PEM to standard output);\n"
        "a key goes along only when asked for, and only encrypted. Or write the authority's public certificate,\n"
        "which another device has to trust; or let one device download it from a running tunnel, once,\n"
        "within ten minutes, by an address that nobody can guess. The authority's key is never exported.",
        epilog="examples:\n"
        "  wsgui certificate export office.lan > office.pem\n"
        "  wsgui certificate export office.lan --pkcs12 office.p12\n"
        "  wsgui certificate export --authority wsgui.crt\n"
        "  wsgui certificate export --authority --offer Office\n",
    )
    export.add_argument(
        "name", metavar="NAME", nargs="?", default="", help="the certificate; with --authority the FILE"
    )
    export.add_argument("--force", action="store_true", help="replace a file that exists")
    own = export.add_argument_group("a certificate")
    own.add_argument("--pem", metavar="FILE", help="write PEM: certificate and intermediates")
    own.add_argument("--with-key", action="store_true", help="and the key, encrypted with a password")
    own.add_argument("--pkcs12", metavar="FILE", help="write PKCS#12: key, certificate and intermediates, encrypted")
    own.add_argument(
        "--password",
        default="",
        metavar="WHERE",
        help="what the key is encrypted with: env:VARIABLE, file:/PATH or keyring:NAME (default: ask)",
    )
    authority = export.add_argument_group("the authority, for another device")
    authority.add_argument(
        "--authority", action="store_true", help="its public certificate: PEM, or DER where FILE ends in .der or .cer"
    )
    authority.add_argument(
        "--id", metavar="ID", help="which one, as list shows them (default: the newest of those that are in use)"
    )
    authority.add_argument("--offer", metavar="TUNNEL", help="let a device download it from this running tunnel, once")
    authority.add_argument(
        "--to", default="", metavar="PROCESS", help="the process with that tunnel, where several have one"
    )
    export.set_defaults(run=_export)


def _import(options: argparse.Namespace, certificates: Certificates) -> int:
    where, given = place(options.passphrase), options.password

    def for_file(what: str) -> str:
        return from_option(given, "--password", what, password)

    def take(passphrase: str) -> Created:
        return certificates.import_(
            options.files,
            name=options.name,
            password=for_file,
            passphrase=passphrase,
            replace=options.replace,
        )

    created = keeping_passphrase(where, take)
    if options.json:
        print_json(created_values(created))
    else:
        for line in created_lines(created, "imported"):
            print(line)
    return EXIT_OK


def _export(options: argparse.Namespace, certificates: Certificates) -> int:
    if options.authority:
        return _export_authority(options, certificates)
    for option in ("id", "offer", "to"):
        if getattr(options, option):
            raise UsageError(f"--{option} goes with --authority.", "Add it, or leave this out.")
    if not options.name:
        raise UsageError("It is not said what to export.", "Name a certificate, or write --authority.")
    if options.pem is not None and options.pkcs12 is not None:
        raise UsageError("--pem and --pkcs12 do not go together.", "Export twice.")
    if options.pkcs12 == _STDOUT:
        raise UsageError("A key is not printed.", "Say where to write it: --pkcs12 FILE.")
    if options.pkcs12 is not None:
        data = certificates.export_pkcs12(options.name, _for_key(options, certificates))
        return _written(
            certificates, options.pkcs12, data, force=options.force, what="key, certificate and intermediates"
        )
    if not options.with_key:
        if options.password:
            raise UsageError(
                "--password goes with --with-key or --pkcs12.", "Without a key there is nothing to encrypt."
            )
        data = certificates.export_pem(options.name)
        if options.pem in (None, _STDOUT):
            sys.stdout.write(data.decode("ascii"))
            return EXIT_OK
        return _written(certificates, options.pem, data, force=options.force, what="certificate and intermediates")
    if options.pem in (None, _STDOUT):
        raise UsageError("A key is not printed.", "Say where to write it: --pem FILE, or --pkcs12 FILE.")
    data = certificates.export_pem(options.name, password=_for_key(options, certificates))
    return _written(
        certificates, options.pem, data, force=options.force, what="encrypted key, certificate and intermediates"
    )


def _for_key(options: argparse.Namespace, certificates: Certificates) -> str:
    managed = certificates.row(options.name).managed  # Whoever mistyped the name is not asked for a password first.
    return from_option(
        options.password, "--password", f"A password for the exported key of {managed.name}", new_password
    )


def _export_authority(options: argparse.Namespace, certificates: Certificates) -> int:
    for option in ("pem", "with_key", "pkcs12", "password"):
        if getattr(options, option):
            name = option.replace("_", "-")
            raise UsageError(f"--{name} does not go with --authority.", "Only its public certificate is ever exported.")
    if options.offer:
        if options.name or options.id or options.force:
            raise UsageError("--offer writes no file.", "Leave out FILE, --id and --force.")
        return _offer(options)
    if options.to:
        raise UsageError("--to goes with --offer.", "Add it, or leave this out.")
    if options.name in certificates.vault.names():
        name = shlex.quote(options.name)
        raise UsageError(
            f'"{display(options.name)}" is a certificate, and --authority writes the authority into a FILE.',
            f"Name a file, such as authority.crt; a file of that very name is ./{name}.",
        )
    identity = options.id or ""
    told = certificates.authority(identity).authority
    if options.name in ("", _STDOUT):
        sys.stdout.write(certificates.export_authority(identity=identity).decode("ascii"))
    else:
        form: Literal["pem", "der"] = "der" if Path(options.name).suffix.lower() in _DER_SUFFIXES else "pem"
        data = certificates.export_authority(form=form, identity=identity)
        what = f'public certificate of "{told.description.subject}"'
        _written(certificates, options.name, data, force=options.force, what=what)
        print(f"Its SHA-256 is {told.description.fingerprint}: compare it on the device before you trust it there.")
    if not identity and (others := [each.id for each in certificates.authorities_in_use() if each.id != told.id]):
        print(
            f"Some certificates here are signed by another: export that too, with --id {' or --id '.join(others)}.",
            file=sys.stderr,
        )
    return EXIT_OK


def _written(certificates: Certificates, file: str, data: bytes, *, force: bool, what: str) -> int:
    path = Path(file).expanduser().absolute()
    certificates.save_file(path, data, replace=force)
    print(f"{display(what, limit=500)}: written to {shown_path(path)}")
    return EXIT_OK


def _offer(options: argparse.Namespace) -> int:
    peer = with_tunnel(options.offer, options.to)
    with ControlClient(peer.path) as client:
        offer = client.request("offer-authority", name=options.offer, timeout_seconds=_OFFER_SECONDS)
    urls = [str(url) for url in offer["urls"]]
    if urls and _shows_codes():
        from wsgui.app import qr

        print(qr.terminal(urls[0]), end="")
    print(
        "Open this on the other device, or point its camera at the code:"
        if urls and _shows_codes()
        else "Open this on the other device:"
    )
    for url in urls:
        print(f"  {display(url, limit=500)}")
    print("Before you trust the certificate there, compare its SHA-256 with:")
    print(f"  {display(str(offer['fingerprint']))}")
    until = time.strftime(
        "%H:%M" if offer["until"] - time.time() < _HOUR_SECONDS else "%Y-%m-%d %H:%M", time.localtime(offer["until"])
    )
    print(f"It can be downloaded by one device, until {until}.")
    return EXIT_OK


def _shows_codes() -> bool:
    """Whether the standard output is a terminal with the characters of a QR code."""
    out = sys.stdout
    return isinstance(out, io.TextIOWrapper) and out.isatty() and out.encoding.lower().replace("-", "") == "utf8"
