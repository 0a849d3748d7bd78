"""Fetches noVNC from npm for the browser tests, at one version whose SHA-512 is pinned, and prints the folder it is in.

    python packaging/novnc.py [FOLDER]

Nothing is fetched when the folder has it already. None of its scripts is run. Nothing of it is in the repository.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "@novnc/novnc"
VERSION = "1.7.0"
SHA512 = (
    "b9c1093b1e13d9abc844295ea1d93b6286d98f93b619ad8078b7d0ebd03fca31"
    "bd1c76dadbe3c38304a437716db6b986fbbd191b1db5b0494d168b8ad77473c8"
)


class FetchError(Exception):
    """Why noVNC is not there, and what to do."""


def default_folder() -> Path:
    """In the user's cache, so that every checkout shares it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wsgui-tests" / f"novnc-{VERSION}"


def fetch(folder: Path) -> Path:
    """Make `folder` hold the package's files (`core/rfb.js`, ...) and return it.

    Raises:
        FetchError: npm is missing or failed, or what it brought is not what was pinned.
    """
    if (folder / "package.json").is_file():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm is missing. Install it: apt install npm.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".novnc-") as place:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--silent", "--pack-destination", place]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        archives = list(Path(place).glob("*.tgz"))
        if done.returncode != 0 or len(archives) != 1:
            raise FetchError(f"npm pack {PACKAGE}@{VERSION} failed: {done.stderr.strip() or done.stdout.strip()}")
        found = hashlib.sha512(archives[0].read_bytes()).hexdigest()
        if found != SHA512:
            raise FetchError(f"{PACKAGE}@{VERSION} is not what was pinned: its SHA-512 is {found}. Do not use it.")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(place)  # noqa: S202 - exactly what was pinned, so nothing in it is unknown
        try:
            Path(place, "package").rename(folder)
        except OSError:
            if not (folder / "package.json").is_file():  # else another process was faster
                raise
    return folder


def main() -> int:
    try:
        print(fetch(Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()))
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
