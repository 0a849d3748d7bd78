"""A folder full of things that must not be served, and a few that must."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.answers import Fetch, fetcher, open_descriptors
from wsgui.web import beneath
from wsgui.web.files import FileServer

SECRET = b"secret: nobody may ever see this\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """`tmp_path/site` with files; beside it `tmp_path/secret.txt`, which no request may show."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "index.html").write_bytes(SECRET)
    (tmp_path / "site-evil").mkdir()
    (tmp_path / "site-evil" / "secret.txt").write_bytes(SECRET)
    root = tmp_path / "site"
    for folder in ("sub/deeper", "empty", "with space", "evil.com", ".hidden", ".well-known/acme", "sub/.well-known"):
        (root / folder).mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>home")
    (root / "sub" / "index.html").write_text("<!doctype html>sub")
    (root / "sub" / "deeper" / "code.mjs").write_text("export {};")
    (root / "evil.com" / "index.html").write_text("harmless")
    (root / "with space" / "ünï%41.txt").write_text("unicode")
    (root / ".well-known" / "acme" / "token").write_text("token")
    for hidden in (".env", ".hidden/x", "sub/.git", "sub/.well-known/x", ".well-known/.x", "..dots", "\u200c.git"):
        (root / hidden).write_bytes(SECRET)
    for name in ("aux.js", "a:b", "ends.", "ends ", "PROGRA~1.TXT", "back\\slash", "new\nline"):
        (root / name).write_bytes(SECRET)
    (root / "dir.html" / "index.html").mkdir(parents=True)
    (root / "inside-link").symlink_to("sub/index.html")
    (root / "sub" / "up-link").symlink_to("../index.html")
    (root / "folder-link").symlink_to("sub")
    (root / "chain").symlink_to("inside-link")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    (root / "out").symlink_to("../secret.txt")
    (root / "out-folder").symlink_to("../outside")
    (root / "out-absolute").symlink_to(tmp_path / "secret.txt")
    (root / "out-and-in").symlink_to("../site/index.html")
    (root / "proc").symlink_to("/proc/self/fd")
    (root / "zero").symlink_to("/dev/zero")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
        yield root


@pytest.fixture(params=["openat2", "walk", "checked"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the three ways to open a file beneath a folder."""
    if request.param == "checked":
        monkeypatch.setattr(os, "supports_dir_fd", set())
    elif request.param == "walk":
        monkeypatch.setattr(beneath, "_best_opener", lambda: beneath.open_by_walk)
    else:
        beneath._best_opener.cache_clear()
        if beneath._best_opener() is not beneath.open_by_openat2:
            pytest.skip("no openat2 here")
    return str(request.param)


@pytest.fixture
def fetch(site: Path, way: str) -> Iterator[Fetch]:
    """Ask for files of `site`, in each of the ways."""
    before = open_descriptors()
    yield fetcher(FileServer(site))
    assert open_descriptors() == before, "a descriptor was left open"
