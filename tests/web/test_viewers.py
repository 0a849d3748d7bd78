"""Where viewers lie: own pages with what they stand on, what is missing and how to get it, an installed noVNC."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wsgui import assets
from wsgui.errors import WsguiError
from wsgui.web import viewers
from wsgui.web.viewers import installed_novnc, viewer, viewer_path

MakeResources = Callable[..., Path]


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeResources:
    """Makes resources with both pages, and with what the named ones stand on."""

    def make(*vendored: str) -> Path:
        web = tmp_path / "resources" / "web"
        (web / "shared").mkdir(parents=True)
        for page, (vendor, file) in {"vnc": ("novnc", "core/rfb.js"), "terminal": ("xterm", "lib/xterm.mjs")}.items():
            (web / page).mkdir(parents=True, exist_ok=True)
            (web / page / "index.html").write_text("a page")
            if vendor in vendored:
                (web / "vendor" / vendor / file).parent.mkdir(parents=True, exist_ok=True)
                (web / "vendor" / vendor / file).write_text("a script")
        monkeypatch.setattr(assets, "_CANDIDATES", (tmp_path / "resources",))
        return web

    return make


@pytest.mark.parametrize("root", ["vnc", "terminal"])
def test_both_own_pages_are_there_and_the_named_one_is_in_front(resources: MakeResources, root: str) -> None:
    web = resources("novnc", "xterm")

    found = viewer(root)

    assert found.front == f"{root}/"
    assert found.own_pages
    assert dict(found.mounts) == {
        "vnc": web / "vnc",
        "terminal": web / "terminal",
        "vendor/novnc": web / "vendor" / "novnc",
        "vendor/xterm": web / "vendor" / "xterm",
        "shared": web / "shared",
    }


def test_the_other_page_is_left_out_when_what_it_stands_on_is_missing(resources: MakeResources) -> None:
    resources("novnc")

    assert set(viewer("vnc").mounts) == {"vnc", "shared", "vendor/novnc"}


@pytest.mark.parametrize(("root", "name"), [("vnc", "noVNC"), ("terminal", "xterm.js")])
def test_a_missing_viewer_is_named_with_the_reason_and_how_to_get_it(
    resources: MakeResources, root: str, name: str
) -> None:
    web = resources()
    (web / "vendor").mkdir()
    vendor = "novnc" if root == "vnc" else "xterm"
    (web / "vendor" / f"{vendor}.txt").write_text("npm was not \x1b[31mfound\n")

    with pytest.raises(WsguiError) as caught:
        viewer(root)

    assert caught.value.field == "web.root"
    assert name in caught.value.message
    assert "npm was not \\x1b[31mfound" in caught.value.message
    assert "Install npm" in caught.value.hint
    assert ('root = "novnc"' in caught.value.hint) == (root == "vnc")


def test_a_copy_that_was_never_built_says_so(resources: MakeResources) -> None:
    resources()

    with pytest.raises(WsguiError, match="never built"):
        viewer("vnc")


def test_only_viewers_are_known() -> None:
    with pytest.raises(ValueError, match="demo"):
        viewer("demo")


@pytest.mark.parametrize(("query", "location"), [("", "vnc/"), ("token=a%2Fb&x=1", "vnc/?token=a%2Fb&x=1")])
def test_the_front_page_is_asked_for_with_the_query_as_it_came(
    resources: MakeResources, query: str, location: str
) -> None:
    resources("novnc")

    assert viewer("vnc").location(query) == location


@pytest.mark.parametrize(
    ("protocol", "path"),
    [("", "vnc/"), ("VNC (RFB 3.8)", "vnc/"), ("telnet", "terminal/"), ("SSH", "vnc/"), ("HTTP", "vnc/")],
)
def test_what_is_spoken_decides_which_page_shows_it(resources: MakeResources, protocol: str, path: str) -> None:
    resources("novnc", "xterm")

    assert viewer_path("vnc", protocol) == path


def test_no_terminal_is_opened_for_ssh_unless_it_is_the_tunnel_s_page() -> None:
    assert (viewer_path("vnc", "SSH"), viewer_path("terminal", "SSH")) == ("vnc/", "terminal/")


def test_a_page_that_is_missing_is_not_opened(resources: MakeResources) -> None:
    resources("novnc")

    assert viewer_path("vnc", "telnet") == "vnc/"


def test_other_roots_have_their_own_front_page() -> None:
    assert [viewer_path(root, "VNC (RFB 3.8)") for root in ("", "demo", "/srv/www")] == ["", "", ""]


def test_the_pages_may_show_pictures_made_by_what_they_stand_on_and_nothing_of_another_host() -> None:
    assert viewer("vnc").sources["vnc"] == {"img-src": "data:"}


class TestInstalledNoVnc:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A noVNC with a page, in folders that only root may change (as far as the test can have it)."""
        folder = tmp_path / "novnc"
        folder.mkdir()
        (folder / "vnc.html").write_text("a page")
        folder.chmod(0o755)
        (folder / "vnc.html").chmod(0o644)
        real = Path.stat

        def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
            status = real(path, follow_symlinks=follow_symlinks)
            fields = list(status)
            fields[4] = 0
            if not path.is_relative_to(folder):
                fields[0] &= ~0o022
            return os.stat_result(fields)

        monkeypatch.setattr(viewers.Path, "stat", stat)
        return folder

    def test_the_first_with_a_page_is_taken(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "core-only").mkdir()

        assert installed_novnc([tmp_path / "none", tmp_path / "core-only", folder]) == folder

    def test_a_link_to_it_is_followed(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(folder)

        assert installed_novnc([tmp_path / "link"]) == folder

    @pytest.mark.parametrize("name", ["", "vnc.html"])
    @pytest.mark.parametrize("mode", [0o775, 0o757])
    def test_one_that_others_may_write_to_is_refused(self, folder: Path, name: str, mode: int) -> None:
        (folder / name).chmod(mode)

        with pytest.raises(WsguiError, match="others than root") as caught:
            installed_novnc([folder])
        assert str(folder) in caught.value.hint

    def test_an_unsafe_one_does_not_hide_a_safe_one(self, folder: Path) -> None:
        unsafe = folder / "unsafe"
        unsafe.mkdir()
        (unsafe / "vnc.html").write_text("a page")
        unsafe.chmod(0o777)

        assert installed_novnc([unsafe, folder]) == folder

    def test_none_says_how_to_get_one(self, tmp_path: Path) -> None:
        with pytest.raises(WsguiError, match="No installed noVNC") as caught:
            installed_novnc([tmp_path])
        assert "apt install novnc" in caught.value.hint
        assert caught.value.field == "web.root"

    def test_its_page_connects_by_itself_and_is_told_the_token_as_it_wants_it(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(viewers, "installed_novnc", lambda: folder)

        found = viewer("novnc")

        assert dict(found.mounts) == {"": folder}
        assert not found.own_pages
        assert found.location() == "vnc.html?autoconnect=true&resize=scale"
        assert found.location("token=a%26b&host=evil") == (
            "vnc.html?autoconnect=true&resize=scale&path=%3Ftoken%3Da%2526b"
        )
        assert viewer_path("novnc", "VNC (RFB 3.8)") == found.front
