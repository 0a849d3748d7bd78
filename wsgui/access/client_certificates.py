"""Client certificates: which of those that TLS has verified may come in, by their common names."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Collection
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from wsgui.access.keyed import digest
from wsgui.access.visitor import Denied, Grant, TargetAddress, Visitor
from wsgui.display import display
from wsgui.errors import CertificateError

_AUTHORITY: Final = "tls.client_authority"


def common_name(ssl_object: Any) -> str | None:
    """Return the CN of the certificate that the peer has shown and TLS has verified; the last one, of several.

    Args:
        ssl_object: An `ssl.SSLObject`, or what aiofastnet's transports give as "ssl_object".

    Returns:
        An empty string when the certificate has no CN; None when none was shown, or nobody has verified it.
    """
    certificate = ssl_object.getpeercert()
    if not certificate:
        return None
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return names[-1] if names else ""


class ClientCertificates:
    """Asks for a client certificate; over plain connections nobody comes in.

    The listener's TLS has verified it already: that it was signed by one of the authorities, and that it is in force.

    Args:
        authority: The PEM file with the authorities, as the listener's.
        names: Common names that may come in; None: any, empty: nobody. An empty one is nobody's.
    """

    needs_credential = True
    guards_files = True
    grants: Final = "certificate"

    def __init__(self, authority: str | None, names: Collection[str] | None) -> None:
        self._authority = authority
        self._names = None if names is None else frozenset(filter(None, names))
        self._rests_on: frozenset[bytes] = frozenset()

    async def open(self) -> None:
        """Read which authorities there are.

        Raises:
            CertificateError: There are none.
        """
        if self._authority is None:
            raise CertificateError(
                "Names of client certificates are listed, but no authority that could have signed them.",
                "Name its PEM file in [tls] client_authority, or remove client_names.",
                field="access.client_names",
            )
        self._rests_on = await asyncio.get_running_loop().run_in_executor(None, _authorities, self._authority)

    async def close(self) -> None:
        """Nothing is open."""

    async def authenticate(self, visitor: Visitor, _: TargetAddress | None) -> Grant | None:
        name = visitor.common_name
        if name is None or not visitor.secure:
            hint = "Use wss:// or https:// and a certificate of this tunnel's authority."
            raise Denied(403, "A client certificate is needed here.", hint, rule="certificate")
        if not self._lists(name):
            raise Denied(
                403,
                f"The client certificate {display(name, limit=64)} is not among those that may come in.",
                "Add its common name to [access] client_names if it should be.",
                rule="certificate",
            )
        return Grant("certificate", name, rests_on=self._rests_on)

    async def holds(self, grant: Grant) -> bool:
        """Return whether the name may still come in and no authority of then is gone: it may have been its own."""
        return grant.kind != "certificate" or (self._lists(grant.name) and grant.rests_on <= self._rests_on)

    def _lists(self, name: str) -> bool:
        return self._names is None or name in self._names


def _authorities(path: str) -> frozenset[bytes]:
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = x509.load_pem_x509_certificates(file.read())
    except (OSError, ValueError):
        raise CertificateError(
            f"There is no certificate of an authority in PEM form in {display(path)}.",
            "Name a PEM file with the authorities that sign clients' certificates.",
            field=_AUTHORITY,
        ) from None
    return frozenset(digest(b"authority", each.fingerprint(SHA256())) for each in found)
