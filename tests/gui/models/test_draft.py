"""From what is typed to a profile, or to what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gui import samples
from wsgui.errors import WsguiError
from wsgui.gui.models import draft as drafts
from wsgui.gui.models.draft import draft, service, suggested_listen, suggested_name, viewer_root

EMPTY = samples.engine()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("5901", "localhost:5901"),
        (":1", "localhost:5901"),
        ("office:1", "office:5901"),
        (" office:22 ", "office:22"),
        (":99", "localhost:5999"),
        ("office:5901", "office:5901"),
        ("tls://office:5901", "tls://office:5901"),
        ("unix:/run/x.sock", "unix:/run/x.sock"),
        ("[::1]:1", "[::1]:1"),
    ],
)
def test_short_forms_stand_for_a_port_or_a_display(text: str, target: str) -> None:
    assert service(text).target == target


def test_a_short_form_is_explained() -> None:
    assert service("office:1").meaning == "VNC display :1 of “office”, port 5901."


def test_a_complete_draft_makes_a_profile() -> None:
    made = draft("office:1", "127.0.0.1:6080", "Office", EMPTY)
    assert made.profile is not None
    assert (made.profile.name, str(made.profile.listen), str(made.profile.target)) == (
        "Office",
        "127.0.0.1:6080",
        "office:5901",
    )


def test_every_wrong_field_has_the_profiles_own_words() -> None:
    made = draft("office", "127.0.0.1:6o80", "a/b", EMPTY)
    assert made.profile is None
    assert set(made.problems) == {"target", "listen", "name"}
    assert "is not an address" in made.problems["listen"].message
    assert made.problems["listen"].hint


def test_a_name_that_is_taken_is_refused_in_any_case() -> None:
    made = draft("office:1", "127.0.0.1:6080", "office DESKTOP", samples.office())
    assert "already" in made.problems["name"].message


def test_listening_for_the_network_is_noticed() -> None:
    assert draft("office:1", "*:6080", "Office", EMPTY).open_to_network
    assert not draft("office:1", "[::1]:6080", "Office", EMPTY).open_to_network


def test_the_first_port_that_no_tunnel_listens_on_is_suggested() -> None:
    taken = (samples.tunnel("a", listen="127.0.0.1:6080"), samples.tunnel("b", listen="*:6081"))
    assert suggested_listen(samples.engine(*taken)) == "127.0.0.1:6082"


@pytest.mark.parametrize(
    ("text", "name"), [("office:1", "office VNC"), ("5901", "This computer VNC"), ("gate:3389", "gate RDP"), ("", "")]
)
def test_a_name_is_suggested(text: str, name: str) -> None:
    assert suggested_name(text) == name


@pytest.fixture
def viewers(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """What this installation has, whatever was built."""
    there = {"vnc", "terminal"}

    def viewer(root: str) -> object:
        if root not in there:
            raise WsguiError("The viewer is not here.", "Install it.")
        return object()

    monkeypatch.setattr(drafts, "viewer", viewer)
    drafts._has_viewer.cache_clear()
    yield there
    drafts._has_viewer.cache_clear()


@pytest.mark.parametrize(
    ("target", "root"),
    [
        ("office:5900", "vnc"),
        ("office:5901", "vnc"),
        ("[::1]:5999", "vnc"),
        ("tls://office:5901", "vnc"),
        ("office:6000", ""),
        ("router:23", "terminal"),
        ("office:22", ""),
        ("office", ""),
        ("unix:/run/5901", ""),
        ("unix:/run/x:23", ""),
        ("office:٥٩٠١", ""),
        ("office:", ""),
        ("office:" + "5" * 5000, ""),
        ("demo:", ""),
        ("", ""),
    ],
)
def test_the_viewer_goes_by_the_target_s_port(viewers: set[str], target: str, root: str) -> None:
    assert viewer_root(target) == root


def test_a_viewer_that_this_installation_lacks_is_not_written_down(viewers: set[str]) -> None:
    viewers.clear()
    assert viewer_root("office:5901") == ""
    made = draft("office:1", "127.0.0.1:6080", "Office", EMPTY)
    assert made.profile is not None
    assert made.profile.web.root == ""


@pytest.mark.parametrize(
    ("target", "root"), [(":1", "vnc"), ("office:5901", "vnc"), ("router:23", "terminal"), ("gate:22", "")]
)
def test_a_new_tunnel_gets_the_viewer_that_fits(viewers: set[str], target: str, root: str) -> None:
    made = draft(target, "127.0.0.1:6080", "Office", EMPTY)
    assert made.profile is not None
    assert made.profile.web.root == root
