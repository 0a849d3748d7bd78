"""A trust store in memory, for tests that only need one to be there."""

from __future__ import annotations

from cryptography import x509

from wsgui.certificates.trust.store import Outcome, Trust, TrustState


class MemoryStore:
    """Trusts what it is told to, or nothing at all.

    Args:
        name: What it is called.
        refuses: It takes nothing, and says this command instead.
    """

    def __init__(self, name: str = "Memory", *, refuses: str = "") -> None:
        self.name = name
        self.trusted: list[x509.Certificate] = []
        self._refuses = refuses

    def state(self, certificate: x509.Certificate) -> Trust:
        if certificate in self.trusted:
            return Trust(TrustState.TRUSTED, f"{self.name} trusts it.")
        return Trust(TrustState.UNTRUSTED, f"{self.name} does not trust it.")

    def add(self, certificate: x509.Certificate) -> Outcome:
        if self._refuses:
            return Outcome(self.name, False, f"{self.name} cannot be changed.", self._refuses)
        self.trusted.append(certificate)
        return Outcome(self.name, True, f"{self.name} trusts it now.")

    def remove(self, certificate: x509.Certificate) -> Outcome:
        if certificate in self.trusted:
            self.trusted.remove(certificate)
        return Outcome(self.name, True, f"{self.name} trusts it no longer.")
