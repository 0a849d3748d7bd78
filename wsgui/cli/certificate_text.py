"""What is known of certificates, as lines for a terminal and as values for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from wsgui.app.certificate_listing import AuthorityRow, Listing, Row, StoreState
from wsgui.app.certificates import Created
from wsgui.certificates.authority import LOCAL_NAMES, LOCAL_NETWORKS, Authority
from wsgui.certificates.description import Description, describe
from wsgui.certificates.vault import Managed
from wsgui.cli.tables import table
from wsgui.display import display

EXPORT_AUTHORITY: Final = "wsgui certificate export --authority"
TRUST: Final = "wsgui certificate trust"
_COLUMNS: Final = ("NAME", "FOR", "ENDS", "USED BY", "TRUSTED BY")
_NAMES_IN_A_CELL: Final = 2
_NAMES_IN_A_SENTENCE: Final = 12
_CELL_CHARACTERS: Final = 60
_USUAL: Final = frozenset({*LOCAL_NAMES, *LOCAL_NETWORKS, "::1"})
_KINDS: Final = {
    "issued": "signed by this computer's authority",
    "self-signed": "signed by itself",
    "imported": "imported",
}


def created_lines(created: Created, what: str) -> list[str]:
    """What was made ("made", "renewed", "imported"), who has to trust it, where its passphrase is, what comes next."""
    managed = created.managed
    told = managed.description
    names = sentence_list(told.names if len(told.names) <= _NAMES_IN_A_SENTENCE else _some(told.names))
    lines = [f"{managed.name}: {what}, for {names}, valid until {_day(told.not_after)}."]
    if created.new_authority and created.authority is not None:
        lines += [
            f'A new authority signed it: {created.authority.id}, "{created.authority.description.subject}".',
            "Devices that trust the earlier one have to trust this one too, or they refuse the certificate:"
            if created.trusts_again
            else "Each device has to trust it before it accepts the certificate:",
            f"  this computer:  {TRUST}",
            f"  another one:    {EXPORT_AUTHORITY} FILE, or {EXPORT_AUTHORITY} --offer TUNNEL",
        ]
    elif managed.kind == "self-signed":
        lines.append("No authority signed it, so that browsers ask each time before they accept it.")
    elif created.authority is not None:
        named = f'{created.authority.id}, "{created.authority.description.subject}"'
        lines.append(f"Devices that trust the authority {named}, accept it.")
    lines.append(where_passphrase(managed.passphrase) + (" So is the authority's." if created.new_authority else ""))
    if what != "renewed":
        lines.append(f'Next: write certificate = "{managed.name}" beneath [tls] in a profile.')
    return [display(line, limit=4000) for line in lines]


def where_passphrase(reference: str) -> str:
    """A sentence about where a key's passphrase is."""
    kind, _, place = reference.partition(":")
    match kind:
        case "keyring":
            return f'The passphrase of its key is in the keyring, as "{place}".'
        case "env":
            return f"The passphrase of its key is in the environment variable {place}."
        case "file":
            return f"The passphrase of its key is in the file {place}."
    return "The passphrase of its key is kept nowhere: whoever uses it is asked."


def listing_lines(listing: Listing, *, now: datetime | None = None) -> list[str]:
    """A table of the certificates with their problems, then the authorities and where they are trusted."""
    if not listing.rows and not listing.broken:
        return ["There is no certificate yet. Make one with: wsgui certificate create"]
    now = now or datetime.now(UTC)
    cells = [_cells(row, listing, now) for row in listing.rows]
    lines = table(_COLUMNS, cells, to_the_right=frozenset()) if cells else []
    lines += [f"{row.managed.name}: {row.problem} {row.hint}".rstrip() for row in listing.rows if row.problem]
    for authority in listing.authorities:
        lines += ["", *_authority_lines(authority)]
    return [display(line, limit=2000) for line in lines]


def row_lines(row: Row, listing: Listing, *, now: datetime | None = None) -> list[str]:
    """All that is known of one certificate."""
    managed, now = row.managed, now or datetime.now(UTC)
    told = managed.description
    authority = _authority_of(managed, listing)
    facts = [
        ("name", managed.name),
        ("kind", _KINDS[managed.kind]),
        ("for", ", ".join(told.names)),
        ("valid from", _moment(told.not_before)),
        ("valid until", f"{_moment(told.not_after)} ({_left(told, now)})"),
        ("renews itself", f"from {row.renews_on:%Y-%m-%d}" if row.renews_on else "no"),
        ("key", told.key),
        ("passphrase", managed.passphrase),
        ("serial number", told.serial),
        ("SHA-256", told.fingerprint),
        ("used by", ", ".join(row.used_by) or "no profile"),
    ]
    if authority is not None:
        facts.append(("trusted by", ", ".join(listing.trusted_in(managed)) or f"nobody here; see: {TRUST}"))
    chain = [describe(certificate) for certificate in managed.chain]
    chain += [authority.authority.description] if authority is not None else []
    facts += [("chain" if not depth else "", _link(depth, link)) for depth, link in enumerate(chain)]
    wide = max(len(title) for title, _ in facts)
    lines = [f"{title:<{wide}}  {value}" for title, value in facts]
    lines += [f"{row.problem} {row.hint}".rstrip()] if row.problem else []
    return [display(line, limit=4000) for line in lines]


def created_values(created: Created) -> dict[str, Any]:
    """For programs."""
    return {
        **_managed_values(created.managed),
        "new_authority": created.new_authority,
        "trusts_again": created.trusts_again,
        "authority_fingerprint": created.authority.description.fingerprint if created.authority else None,
    }


def listing_values(listing: Listing) -> dict[str, Any]:
    """For programs."""
    return {
        "certificates": [row_values(row, listing) for row in listing.rows],
        "authorities": [_authority_values(row) for row in listing.authorities],
        "stores": [_state_values(state) for state in listing.stores],
        "broken": [
            {"name": each.name, "used_by": each.used_by, "message": each.problem.message, "hint": each.problem.hint}
            for each in listing.broken
        ],
    }


def row_values(row: Row, listing: Listing) -> dict[str, Any]:
    """For programs."""
    return {
        **_managed_values(row.managed),
        "used_by": row.used_by,
        "trusted_by": listing.trusted_in(row.managed),
        "renews_on": row.renews_on.isoformat() if row.renews_on else None,
        "problem": row.problem,
        "hint": row.hint,
    }


def sentence_list(words: Sequence[str]) -> str:
    """Words as a sentence has them: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:]))) or "nothing"


def _some(names: Sequence[str]) -> tuple[str, ...]:
    return (*names[: _NAMES_IN_A_SENTENCE - 1], f"{len(names) - _NAMES_IN_A_SENTENCE + 1} more")


def _cells(row: Row, listing: Listing, now: datetime) -> tuple[str, ...]:
    managed = row.managed
    told = managed.description
    more = len(told.names) - _NAMES_IN_A_CELL
    names = ", ".join(told.names[:_NAMES_IN_A_CELL]) + (f" and {more} more" if more > 0 else "")
    trusted = ", ".join(listing.trusted_in(managed)) or ("-" if managed.authority else "")
    values = (managed.name, names, f"{_day(told.not_after)} ({_left(told, now)})", ", ".join(row.used_by), trusted)
    return tuple(display(value, limit=_CELL_CHARACTERS) for value in values)


def _authority_lines(row: AuthorityRow) -> list[str]:
    told = row.authority.description
    signed = ", ".join(row.signed) or "nothing that is still here"
    more = ", ".join(name for name in row.authority.permitted if name not in _USUAL)
    lines = [
        f'authority {row.authority.id}, "{told.subject}", until {_day(told.not_after)}; it signed {signed}',
        f"  may sign for local names and private addresses{f', and for {more}' if more else ''}",
    ]
    lines.append(f"  {where_passphrase(row.stored.passphrase)}")
    return lines + [f"  {state.store}: {state.trust.message}" for state in row.stores]


def _authority_of(managed: Managed, listing: Listing) -> AuthorityRow | None:
    return next((row for row in listing.authorities if row.authority.id == managed.authority), None)


def _link(depth: int, told: Description) -> str:
    arrow = "" if not depth else f"{'  ' * (depth - 1)}└ signed by "
    return f"{arrow}{told.subject}, until {_day(told.not_after)}"


def _managed_values(managed: Managed) -> dict[str, Any]:
    told = managed.description
    return {
        "name": managed.name,
        "kind": managed.kind,
        "names": told.names,
        "not_before": told.not_before.isoformat(),
        "not_after": told.not_after.isoformat(),
        "issuer": told.issuer,
        "serial": told.serial,
        "fingerprint": told.fingerprint,
        "key": told.key,
        "passphrase": managed.passphrase,
        "authority": managed.authority or None,
    }


def _authority_values(row: AuthorityRow) -> dict[str, Any]:
    authority: Authority = row.authority
    told = authority.description
    return {
        "id": authority.id,
        "subject": told.subject,
        "fingerprint": told.fingerprint,
        "not_after": told.not_after.isoformat(),
        "permitted": authority.permitted,
        "created": row.stored.created.isoformat(),
        "passphrase": row.stored.passphrase,
        "signed": row.signed,
        "stores": [_state_values(state) for state in row.stores],
    }


def _state_values(state: StoreState) -> dict[str, str]:
    return {"store": state.store, "state": str(state.trust.state), "message": state.trust.message}


def _left(told: Description, now: datetime) -> str:
    days = told.days_left(now)
    return "ended" if now >= told.not_after else "today" if not days else f"{days} day{'s' * (days != 1)}"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
