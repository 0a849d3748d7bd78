"""Fetches what the viewer pages stand on (noVNC's core, xterm.js) from npm, at versions whose SHA-512 is pinned.

    python packaging/viewers.py [FOLDER]

FOLDER is the checkout's resources/web/vendor by default, where the program looks. What npm brings is compared with
the pin, kept in the user's cache, and compared again each time; only the files that a page needs are unpacked, and the
licences. No script of a package is run. Nothing of theirs is in the repository.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "web" / "vendor"
NPM_SECONDS = 60.0
"""How long npm may take for one viewer; a build goes on without it then."""
NPM_OPTIONS = (
    "--ignore-scripts",
    "--loglevel=error",
    "--no-update-notifier",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=20000",
)
PINS = "pins.txt"
"""Says what lies beside it, so that nothing is done a second time."""


class FetchError(Exception):
    """Why a viewer is not there, in words that fit into a sentence."""


@dataclass(frozen=True)
class Package:
    """One package of npm.

    Args:
        name: Its name, with its scope.
        version: The exact version.
        sha512: Of the archive that `npm pack` brings, in hex.
        wanted: A pattern of the names that are unpacked; they have slashes.
        licence: What its LICENSE is called then, where another package has one too.
    """

    name: str
    version: str
    sha512: str
    wanted: str
    licence: str = "LICENSE"

    @property
    def spec(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def archive(self) -> str:
        """What `npm pack` calls the file."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


VIEWERS: dict[str, tuple[Package, ...]] = {
    "novnc": (
        Package(
            "@novnc/novnc",
            "1.7.0",
            "b9c1093b1e13d9abc844295ea1d93b6286d98f93b619ad8078b7d0ebd03fca31"
            "bd1c76dadbe3c38304a437716db6b986fbbd191b1db5b0494d168b8ad77473c8",
            r"core/.+\.js|vendor/pako/lib/.+\.js|LICENSE\.txt|AUTHORS|vendor/pako/LICENSE|docs/LICENSE\.(?!OFL).+",
        ),
    ),
    "xterm": (
        Package(
            "@xterm/xterm",
            "6.0.0",
            "4d0c037501adc300edfb67202832e7d0845a4b162ed6d4948e029aad20e450cd"
            "193624915c5a63c44b2f73f66073992ae68989f95d1af3f908336583dec30e62",
            r"lib/xterm\.mjs|css/xterm\.css|LICENSE",
        ),
        Package(
            "@xterm/addon-fit",
            "0.11.0",
            "8d87204fac6d558867860c61dd08180e79cd3184dc7fc1256f1c45cd7d08668f"
            "af69b42a48f0230b7735c09aca079135f55c107a2f3d40289964ff3a0c23c5ee",
            r"lib/addon-fit\.mjs|LICENSE",
            licence="LICENSE.addon-fit",
        ),
    ),
}
"""What lies in a folder of that name. A new version: `npm pack NAME@VERSION`, sha512sum, and look at what changed."""


def cache() -> Path:
    """In the user's cache, so that every checkout and every build shares it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wsgui" / "viewers"


def fetch(viewer: str, folder: Path) -> Path:
    """Make `folder` hold that viewer's files, and nothing else, and return it.

    Raises:
        FetchError: npm is missing or failed, what it brought is not what was pinned, or the disk does not take it.
    """
    packages = VIEWERS[viewer]
    pins = "".join(f"{package.sha512}  {package.spec}  {package.wanted}\n" for package in packages)
    try:
        if (folder / PINS).is_file() and (folder / PINS).read_text(encoding="utf-8") == pins:
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{viewer}-") as place:
            made, old = Path(place, "new"), Path(place, "old")
            for package, archive in zip(packages, _archives(packages, Path(place)), strict=True):
                _unpack(package, archive, made)
            (made / PINS).write_text(pins, encoding="utf-8")
            # Renamed into place, so that whoever serves the old files finds whole ones.
            if folder.exists():
                folder.rename(old)
            made.rename(folder)
    except OSError as error:
        if (folder / PINS).is_file():  # another process was faster
            return folder
        raise FetchError(f"{folder.name}: {error.strerror or error}") from error
    return folder


def _archives(packages: Sequence[Package], place: Path) -> list[Path]:
    """The packages' archives, as pinned: from the cache, else from npm."""
    found = [cache() / package.archive for package in packages]
    missing = [index for index, package in enumerate(packages) if _hash(found[index]) != package.sha512]
    if missing:
        _pack([packages[index] for index in missing], place)
    for index in missing:
        package, brought = packages[index], place / packages[index].archive
        sha512 = _hash(brought)
        if sha512 is None:
            raise FetchError(f"npm pack {package.spec} brought nothing")
        if sha512 != package.sha512:
            raise FetchError(f"{package.spec} is not what was pinned, do not use it: its SHA-512 is {sha512}")
        _keep(brought, found[index])
        found[index] = brought
    return found


def _keep(archive: Path, kept: Path) -> None:
    """Copy an archive into the cache; one that cannot be written is none."""
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        shutil.copyfile(archive, part)
        part.replace(kept)


def _pack(packages: Sequence[Package], place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm was not found")
    specs = [package.spec for package in packages]
    command = [npm, "pack", *specs, *NPM_OPTIONS, "--pack-destination", str(place)]
    try:
        done = subprocess.run(
            command,
            cwd=place,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=NPM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FetchError(f"npm pack {' '.join(specs)} took longer than {NPM_SECONDS:g} s") from None
    except OSError as error:
        raise FetchError(f"{npm} could not be run: {error.strerror}") from error
    if done.returncode != 0:
        raise FetchError(f"npm pack {' '.join(specs)} failed: {_said(done.stderr)}")


def _said(errors: str) -> str:
    """The first line of npm's errors that says something; codes and the path of its log do not."""
    lines = [line.partition("npm error ")[2].strip() for line in errors.splitlines()]
    words = [line for line in lines if line and not line.startswith(("code ", "errno ", "syscall ", "A complete log"))]
    return words[0] if words else "npm did not say why"


def _hash(file: Path) -> str | None:
    try:
        return hashlib.sha512(file.read_bytes()).hexdigest()
    except OSError:
        return None


def _unpack(package: Package, archive: Path, folder: Path) -> None:
    """Put what is wanted of an archive into `folder`; of the rest nothing is written."""
    with tarfile.open(archive) as files:
        for member in files:
            name = member.name.removeprefix("package/")
            content = files.extractfile(member) if re.fullmatch(package.wanted, name) else None
            if content is None:
                continue
            to = folder / (package.licence if name == "LICENSE" else name)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(content.read())


def fetch_all(folder: Path) -> dict[str, str]:
    """Put each viewer into a folder of its name in `folder`, and for what cannot be had a NAME.txt that says why.

    What was there of another version goes in any case. An OSError means that not even the reason could be written.

    Returns:
        Why, for each viewer that is missing.
    """
    missing = {}
    for viewer in VIEWERS:
        reason = folder / f"{viewer}.txt"
        try:
            fetch(viewer, folder / viewer)
            reason.unlink(missing_ok=True)
        except FetchError as error:
            missing[viewer] = str(error)
            if (folder / viewer).exists():
                shutil.rmtree(folder / viewer)
            folder.mkdir(parents=True, exist_ok=True)
            reason.write_text(f"{error}\n", encoding="utf-8")
    return missing


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    try:
        missing = fetch_all(folder)
    except OSError as error:
        missing = {"viewers": str(error)}
    for viewer, reason in missing.items():
        print(f"{viewer}: {reason}.", file=sys.stderr)
    if missing:
        print(
            "Install npm (Debian: apt install npm), see that its registry can be reached, and try again.",
            file=sys.stderr,
        )
        return 1
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
