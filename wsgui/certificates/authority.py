"""The local authority: a root whose key is forgotten, and an intermediate that signs for local names only."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wsgui.certificates.description import UNREADABLE, Description, describe
from wsgui.certificates.names import certificate_name, parse_address
from wsgui.display import display
from wsgui.errors import CertificateError

CLOCK_SKEW: Final = datetime.timedelta(hours=1)
LIFETIME: Final = datetime.timedelta(days=3650)

LOCAL_NAMES: Final = ("localhost", "local", "lan", "home.arpa", "internal")
"""Domains that are nobody's on the internet: RFC 6761, RFC 6762, RFC 8375, and the two that routers and ICANN use."""
LOCAL_NETWORKS: Final = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
)
"""Loopback, private and link-local: RFC 1122, RFC 1918, RFC 3927, RFC 4193, RFC 4291."""

_MAX_COMMON_NAME: Final = 64
"""RFC 5280, appendix A: ub-common-name. It means characters; some count octets of UTF-8."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Authority:
    """Both certificates of a local authority; the key of one is in the keyring, of the other nowhere."""

    root: x509.Certificate
    intermediate: x509.Certificate

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the root's SHA-256."""
        return self.root.fingerprint(hashes.SHA256()).hex()[:16]

    @property
    def description(self) -> Description:
        """The root's: what a browser lists once it is trusted."""
        return describe(self.root)

    @cached_property
    def permitted(self) -> tuple[str, ...]:
        """What it may sign for: domains (with all names below), networks and addresses, in the certificate's order.

        Given to `make_authority` as names, they make one that may sign for the same.
        """
        return tuple(_text(name) for name in self._constraints[0])

    def covers(self, name: str) -> bool:
        """Whether a leaf for `name` passes the name constraints (RFC 5280, 4.2.1.10).

        Raises:
            CertificateError: It is no name that a certificate can be for.
        """
        name = certificate_name(name)
        permitted, excluded = self._constraints
        return any(_permits(base, name) for base in permitted) and not any(_touches(base, name) for base in excluded)

    @cached_property
    def _constraints(self) -> tuple[tuple[x509.GeneralName, ...], tuple[x509.GeneralName, ...]]:
        try:
            found = self.intermediate.extensions.get_extension_for_class(x509.NameConstraints).value
        except (x509.ExtensionNotFound, *UNREADABLE):
            return (), ()  # without constraints it is none of ours, and signs for nothing
        return tuple(found.permitted_subtrees or ()), tuple(found.excluded_subtrees or ())


def make_authority(
    names: Sequence[str], *, machine: Sequence[str], now: datetime.datetime | None = None
) -> tuple[Authority, ec.EllipticCurvePrivateKey]:
    """Make a new authority; the root's key signs the intermediate and is gone when this returns.

    Args:
        names: What it shall permit beside the local names and networks: host names, addresses, and what an earlier
            one's `permitted` says.
        machine: This computer's names, the usual one first; what cannot stand in a certificate is passed over.
        now: Instead of the clock; aware.

    Returns:
        The certificates, and the intermediate's key.

    Raises:
        CertificateError: One of `names` is neither a name nor an address nor a network.
    """
    now = whole_seconds(now)
    constraints = _name_constraints([*_own(machine), *names])
    key = ec.generate_private_key(ec.SECP256R1())
    return _certify(key, constraints, _host(machine), now), key


def whole_seconds(now: datetime.datetime | None) -> datetime.datetime:
    """Return `now`, or the time, in UTC without fractions, as certificates have it."""
    return (now or datetime.datetime.now(datetime.UTC)).astimezone(datetime.UTC).replace(microsecond=0)


def _certify(
    key: ec.EllipticCurvePrivateKey, constraints: x509.NameConstraints, host: str, now: datetime.datetime
) -> Authority:
    """Make a root and have it sign the intermediate's key. Here alone is the root's key, and nothing keeps it."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root_identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    # Made twice on a day, they still have different names: NSS takes certificates of one name for one nickname.
    unique = f"{x509.random_serial_number():040x}"[-8:]
    root_name = _subject("authority", host, now, unique)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(root_name)
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(_SIGNS, critical=True)
    )
    root = (
        builder.subject_name(root_name)
        .public_key(root_key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(root_identifier, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    intermediate = (
        builder.subject_name(_subject("issuer", host, now, unique))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(constraints, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_identifier), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return Authority(root, intermediate)


_SIGNS: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _subject(role: str, host: str, now: datetime.datetime, unique: str) -> x509.Name:
    before, after = f"wsgui local {role} of ", f" ({now:%Y-%m-%d})"
    room = _MAX_COMMON_NAME - len(before) - len(after)
    if len(host.encode()) > room:
        host = host.partition(".")[0]
    if len(host.encode()) > room:
        host = host.encode()[: room - 3].decode(errors="ignore") + "..."
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "wsgui"),
            x509.NameAttribute(NameOID.COMMON_NAME, before + host + after),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, unique),
        ]
    )


def _host(machine: Sequence[str]) -> str:
    return next((display(name.strip()) for name in machine if name.strip()), "this computer")


def _own(machine: Iterable[str]) -> list[str]:
    """Return those of this computer's names that can stand in a certificate."""
    own = []
    for name in machine:
        try:
            own.append(certificate_name(name))
        except CertificateError:
            continue
    return own


def _name_constraints(asked: Iterable[str]) -> x509.NameConstraints:
    """Return what permits the local names and networks and what is asked for, each once."""
    domains = list(LOCAL_NAMES)
    networks: list[_Network] = [ipaddress.ip_network(text) for text in LOCAL_NETWORKS]
    for text in asked:
        network = _network(text)
        if network is None:
            domain = certificate_name(text).removeprefix("*.")
            # One that lies below a name without dots is kept: see `excluded`.
            if not any(_below(domain, base) and ("." in base or base in LOCAL_NAMES) for base in domains):
                domains.append(domain)
        elif not any(_holds(base, network) for base in networks):
            networks.append(network)
    domains = list(dict.fromkeys(domains))
    # A computer's name without dots may be a top-level domain too (dev, box, office), and a constraint always holds for
    # all below it. RFC 5280 has no word for "only this very name"; all that check constraints read a leading dot as
    # "what is below".
    excluded = [
        f".{domain}"
        for domain in domains
        if "." not in domain and domain not in LOCAL_NAMES and not any(each.endswith(f".{domain}") for each in domains)
    ]
    return x509.NameConstraints(
        permitted_subtrees=[*map(x509.DNSName, domains), *map(x509.IPAddress, networks)],
        excluded_subtrees=[*map(x509.DNSName, excluded)] or None,
    )


def _network(text: str) -> _Network | None:
    """Return the network that `text` is, an address being one of itself; None for a name."""
    try:
        return ipaddress.ip_network(text.strip() if "/" in text else certificate_name(text))
    except ValueError:
        if "/" in text:
            raise CertificateError(
                f'"{display(text)}" is not a network.', "Write it as an address and a length, such as 10.0.0.0/8."
            ) from None
        return None


def _holds(outer: _Network, inner: _Network) -> bool:
    if isinstance(outer, ipaddress.IPv4Network):
        return isinstance(inner, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(inner, ipaddress.IPv6Network) and inner.subnet_of(outer)


def _below(name: str, base: str) -> bool:
    """Whether `name` is `base` or has labels before it; a base with a leading dot wants at least one."""
    return name == base or name.endswith(base if base.startswith(".") else f".{base}")


def _permits(base: x509.GeneralName, name: str) -> bool:
    """Whether all that `name` stands for lies in the subtree."""
    address = parse_address(name)
    if isinstance(base, x509.IPAddress):
        return address is not None and _in_network(address, base)
    if not isinstance(base, x509.DNSName) or address is not None:
        return False
    domain = base.value.lower()
    parent = name.removeprefix("*.")
    return _below(parent, domain) or (parent != name and domain == f".{parent}")


def _touches(base: x509.GeneralName, name: str) -> bool:
    """Whether anything that `name` stands for lies in the subtree."""
    if _permits(base, name):
        return True
    return isinstance(base, x509.DNSName) and name.startswith("*.") and base.value.lower().endswith(name[1:])


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, base: x509.IPAddress) -> bool:
    network = base.value
    return isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network) and address in network


def _text(name: x509.GeneralName) -> str:
    if isinstance(name, x509.IPAddress):
        network = ipaddress.ip_network(name.value)
        return str(network.network_address if network.prefixlen == network.max_prefixlen else network)
    return display(str(name.value))
