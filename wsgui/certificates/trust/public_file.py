"""The authority's public certificate as a file, for commands that a person is told to run."""

from __future__ import annotations

import contextlib
from pathlib import Path

from cryptography import x509

from wsgui.certificates.trust.store import authority_id, pem
from wsgui.display import display
from wsgui.profiles.disk import DiskError, create_file, make_private_folder, read_regular, remove_file


def public_file(folder: Path, certificate: x509.Certificate) -> Path:
    """Write the certificate into `folder` (PEM) if it is not there as it should be, and return the file.

    Raises:
        DiskError: The folder or the file cannot be written.
    """
    path, content = folder / f"wsgui-{authority_id(certificate)}.crt", pem(certificate)
    make_private_folder(folder)
    if not _is(path, content):
        # What root may be told to trust is not taken from whoever has put something else there.
        with contextlib.suppress(FileNotFoundError):
            path.lstat()
            remove_file(path)
        try:
            create_file(path, content)
        except FileExistsError as error:
            raise DiskError(f"{display(str(path))} was made by somebody else meanwhile.", "Try again.") from error
    return path


def _is(path: Path, content: bytes) -> bool:
    try:
        return not path.is_symlink() and read_regular(path, len(content))[0] == content
    except (OSError, DiskError):
        return False
