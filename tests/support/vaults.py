"""Certificates in a vault, for tests."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from wsgui.certificates.issue import Bundle
from wsgui.certificates.vault import Managed, Vault

NAME = "office.lan"


class Person:
    """Answers with `answers` one after the other, and keeps what was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.asked.append(prompt)
        return self.answers.pop(0)


def save(vault: Vault, bundle: Bundle, passphrase: str = "", name: str = NAME) -> Managed:
    return vault.save(name, bundle, "self-signed", asked=(NAME, "127.0.0.1"), authority="", passphrase=passphrase)


def holds(vault: Vault, bundle: Bundle, name: str = NAME) -> bool:
    return vault.key(name).public_key() == bundle.key.public_key() and vault.read(name).chain == bundle.chain


def files(folder: Path) -> dict[str, bytes]:
    """What there is but for the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def plain_forms(bundle: Bundle) -> list[bytes]:
    """How a plain key would look in a file."""
    key = bundle.key
    forms = [
        key.private_bytes(Encoding.DER, form, NoEncryption())
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    ]
    numbers = key.private_numbers()
    secret = getattr(numbers, "private_value", None)
    assert secret is not None
    return [*forms, secret.to_bytes(32, "big"), b"BEGIN PRIVATE KEY", b"BEGIN EC PRIVATE KEY"]
