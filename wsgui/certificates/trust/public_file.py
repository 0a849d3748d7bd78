"""The authority's public certificate as a file, for commands that a person is told to run."""

from __future__ import annotations

import contextlib
from pathlib import Path

from cryptography import x509

from wsgui.certificates.trust.store import authority_id, pem
from wsgui.profiles.disk import create_file, make_private_folder


def public_file(folder: Path, certificate: x509.Certificate) -> Path:
    """Write the certificate into `folder` (PEM) if it is not there yet, and return the file.

    Raises:
        DiskError: The folder or the file cannot be written.
    """
    path = folder / f"wsgui-{authority_id(certificate)}.crt"
    make_private_folder(folder)
    with contextlib.suppress(FileExistsError):
        create_file(path, pem(certificate))
    return path
