"""What the viewer pages stand on: only what was pinned gets in, and its absence is said and survived."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import io
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Offer = Callable[..., None]

FILES = {
    "package/lib/xterm.mjs": b"export const own = 1;",
    "package/lib/xterm.mjs.map": b"a map",
    "package/css/xterm.css": b".xterm {}",
    "package/LICENSE": b"its licence",
    "package/src/evil.ts": b"not wanted",
    "package/../../escaped.mjs": b"not wanted",
}


def archive(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:  # gzip would put the time into it
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


@pytest.fixture
def viewers(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """packaging/viewers.py with one viewer of one package, a cache of its own and no npm."""
    spec = importlib.util.spec_from_file_location("viewers_under_test", root / "packaging" / "viewers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    package = module.VIEWERS["xterm"][0]
    sha512 = hashlib.sha512(archive(FILES)).hexdigest()
    monkeypatch.setattr(module, "VIEWERS", {"xterm": (dataclasses.replace(package, sha512=sha512),)})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return module


@pytest.fixture
def offer(viewers: ModuleType, tmp_path: Path) -> Offer:
    """Puts an npm on PATH that "packs" the given bytes, or fails with the given words."""

    def make(content: bytes = b"", *, says: str = "") -> None:
        (tmp_path / "offered").write_bytes(content)
        name = viewers.VIEWERS["xterm"][0].archive
        lines = [
            f"#!{sys.executable}",
            "import pathlib, shutil, sys",
            f"pathlib.Path({str(tmp_path / 'asked')!r}).write_text(' '.join(sys.argv[1:]))",
            f"if {says!r}: sys.exit({says!r})",
            "place = sys.argv[sys.argv.index('--pack-destination') + 1]",
            f"shutil.copyfile({str(tmp_path / 'offered')!r}, place + '/' + {name!r})",
        ]
        npm = tmp_path / "bin" / "npm"
        npm.write_text("\n".join(lines) + "\n")
        npm.chmod(0o755)

    return make


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_was_pinned_is_unpacked_as_far_as_a_page_needs_it(
    viewers: ModuleType, offer: Offer, tmp_path: Path
) -> None:
    offer(archive(FILES))

    assert viewers.fetch_all(tmp_path / "vendor") == {}
    assert files_in(tmp_path / "vendor") == {
        f"xterm/{name}" for name in ("lib/xterm.mjs", "css/xterm.css", "LICENSE", viewers.PINS)
    }
    assert not (tmp_path / "escaped.mjs").exists()


def test_no_script_of_a_package_is_run_and_the_version_is_exact(
    viewers: ModuleType, offer: Offer, tmp_path: Path
) -> None:
    offer(archive(FILES))
    viewers.fetch_all(tmp_path / "vendor")
    asked = (tmp_path / "asked").read_text().split()

    assert "--ignore-scripts" in asked
    assert re.fullmatch(r"@xterm/xterm@\d+\.\d+\.\d+", asked[1])


def test_anything_else_than_what_was_pinned_is_refused(viewers: ModuleType, offer: Offer, tmp_path: Path) -> None:
    offer(archive({**FILES, "package/lib/xterm.mjs": b"export const own = 2;"}))

    missing = viewers.fetch_all(tmp_path / "vendor")

    assert "not what was pinned" in missing["xterm"]
    assert files_in(tmp_path) >= {"vendor/xterm.txt"}
    assert not (tmp_path / "vendor" / "xterm").exists()
    assert not list((tmp_path / "cache").rglob("*.tgz"))


def test_what_the_cache_holds_is_compared_again(viewers: ModuleType, offer: Offer, tmp_path: Path) -> None:
    offer(archive(FILES))
    viewers.fetch_all(tmp_path / "first")
    (kept,) = (tmp_path / "cache").rglob("*.tgz")
    kept.write_bytes(b"changed meanwhile")
    (tmp_path / "bin" / "npm").unlink()

    assert viewers.fetch_all(tmp_path / "second") == {"xterm": "npm was not found"}


def test_the_cache_spares_a_second_build_npm(viewers: ModuleType, offer: Offer, tmp_path: Path) -> None:
    offer(archive(FILES))
    viewers.fetch_all(tmp_path / "first")
    (tmp_path / "bin" / "npm").unlink()

    assert viewers.fetch_all(tmp_path / "second") == {}
    assert files_in(tmp_path / "second") == files_in(tmp_path / "first")


def test_a_newer_pin_replaces_what_is_there(
    viewers: ModuleType, offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(archive(FILES))
    viewers.fetch_all(tmp_path / "vendor")
    newer = archive({"package/lib/xterm.mjs": b"newer", "package/LICENSE": b"its licence"})
    package = dataclasses.replace(viewers.VIEWERS["xterm"][0], sha512=hashlib.sha512(newer).hexdigest())
    monkeypatch.setattr(viewers, "VIEWERS", {"xterm": (package,)})
    offer(newer)

    assert viewers.fetch_all(tmp_path / "vendor") == {}
    assert files_in(tmp_path / "vendor") == {f"xterm/{name}" for name in ("lib/xterm.mjs", "LICENSE", viewers.PINS)}
    assert (tmp_path / "vendor" / "xterm" / "lib" / "xterm.mjs").read_bytes() == b"newer"


def test_a_pin_that_cannot_be_had_leaves_no_old_version_behind(
    viewers: ModuleType, offer: Offer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(archive(FILES))
    viewers.fetch_all(tmp_path / "vendor")
    package = dataclasses.replace(viewers.VIEWERS["xterm"][0], sha512="0" * 128)
    monkeypatch.setattr(viewers, "VIEWERS", {"xterm": (package,)})

    viewers.fetch_all(tmp_path / "vendor")

    assert files_in(tmp_path / "vendor") == {"xterm.txt"}


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("npm error code ENOTFOUND\nnpm error network request to the registry failed", "network request to the"),
        ("npm warn something\n", "npm did not say why"),
    ],
)
def test_npm_s_failure_is_quoted(viewers: ModuleType, offer: Offer, tmp_path: Path, says: str, reason: str) -> None:
    offer(says=says)

    missing = viewers.fetch_all(tmp_path / "vendor")

    assert reason in missing["xterm"]
    assert (tmp_path / "vendor" / "xterm.txt").read_text() == missing["xterm"] + "\n"


def test_npm_that_takes_too_long_is_given_up(
    viewers: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.write_text(f"#!{sys.executable}\nimport signal\nsignal.pause()\n")
    npm.chmod(0o755)
    monkeypatch.setattr(viewers, "NPM_SECONDS", 0.2)

    assert "took longer than 0.2 s" in viewers.fetch_all(tmp_path / "vendor")["xterm"]


def test_without_npm_the_command_names_what_to_do(root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, root / "packaging" / "viewers.py", tmp_path / "vendor"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "novnc: npm was not found." in done.stderr
    assert "apt install npm" in done.stderr


def test_every_pin_is_exact(root: Path) -> None:
    source = (root / "packaging" / "viewers.py").read_text()

    assert len(re.findall(r'"@[a-z]+/[a-z-]+",\n +"\d+\.\d+\.\d+",\n +"[0-9a-f]{64}"\n +"[0-9a-f]{64}"', source)) == 3
