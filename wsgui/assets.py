"""Where the program's own files (pages, icons, desktop entries) lie, installed or in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
# A wheel carries them inside the package; a checkout has them beside it.
_CANDIDATES: Final = (_PACKAGE / "resources", _PACKAGE.parent / "resources")


def root() -> Path:
    """Return the folder that holds the program's own files.

    Raises:
        FileNotFoundError: The installation is incomplete.
    """
    for candidate in _CANDIDATES:
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"wsgui's resources are missing: {_CANDIDATES[0]}. Install wsgui again.")


def path(name: str) -> Path:
    """Return where one of the program's own files or folders lies.

    Args:
        name: The path below ``resources/`` with slashes, such as ``web/demo/index.html``.

    Raises:
        FileNotFoundError: There is no such file or folder, so the installation is incomplete.
    """
    found = root().joinpath(*name.split("/"))
    if not found.exists():
        raise FileNotFoundError(f"wsgui's own {name} is missing: {found}. Install wsgui again.")
    return found
