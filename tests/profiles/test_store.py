"""Profiles on disk: nothing is lost, nothing is overwritten that should not be."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from wsgui.errors import ProfileError, UsageError, WsguiError
from wsgui.profiles.model import Profile
from wsgui.profiles.store import ProfileStore

OFFICE = 'name = "Office"\ntarget = "office:5901"\n'
BROKEN = 'name = "Broken"\ntarget = "office"\n'
COMMENTED = """\
# My tunnels, first of May
target = "office:5901"   # the one upstairs
name = "Office"

# Slow line
[limits]
heartbeat_seconds = 15.0 # was 30
idle_seconds = 0
"""

Make = Callable[..., Profile]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_saved_is_loaded(store: ProfileStore, make: Make) -> None:
    saved = make(listen="*:443", limits={"idle_seconds": 2.5}, access={"origins": ["https://a"]})
    store.save(saved)
    assert store.load().profiles == (saved,)
    assert store.read("Office") == saved
    assert store.names() == ("Office",)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    loaded = ProfileStore(tmp_path / "none").load()
    assert (loaded.profiles, loaded.problems) == ((), ())


def test_files_and_folders_are_private_whatever_the_umask(tmp_path: Path, make: Make) -> None:
    before = os.umask(0)
    try:
        store = ProfileStore(tmp_path / "config" / "profiles")
        path = store.save(make())
        store.set("Office", {"group": "Lab"})
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert mode(path.parent.parent) == 0o700


def test_a_broken_file_hides_no_other(folder: Path, store: ProfileStore) -> None:
    (folder / "broken.toml").write_text(BROKEN)
    (folder / "office.toml").write_text(OFFICE)
    (folder / "binary.toml").write_bytes(b"\xff\x00")
    loaded = store.load()
    assert [profile.name for profile in loaded.profiles] == ["Office"]
    assert [problem.source for problem in loaded.problems] == [
        str(folder / "binary.toml"),
        str(folder / "broken.toml"),
    ]


@pytest.mark.parametrize("file", ["broken.toml", "other.toml"])
def test_a_broken_file_is_never_overwritten(folder: Path, store: ProfileStore, make: Make, file: str) -> None:
    (folder / file).write_text(BROKEN)
    with pytest.raises(ProfileError, match="is not overwritten"):
        store.save(make("Broken"))
    with pytest.raises(ProfileError):
        store.set("Broken", {"group": "x"})
    assert (folder / file).read_text() == BROKEN
    assert os.listdir(folder) == [file]


def test_a_file_that_is_no_toml_is_not_overwritten_by_a_profile_of_its_file_name(
    folder: Path, store: ProfileStore, make: Make
) -> None:
    (folder / "office-desktop.toml").write_text("name = ")
    with pytest.raises(ProfileError, match="is not overwritten"):
        store.save(make("Office desktop"))
    assert (folder / "office-desktop.toml").read_text() == "name = "


def test_an_edit_keeps_comments_order_and_spelling(folder: Path, store: ProfileStore) -> None:
    (folder / "mine.toml").write_text(COMMENTED)
    store.set("Office", {"limits.heartbeat_seconds": 20, "group": "Lab", "limits.connections": 5})
    assert (
        (folder / "mine.toml").read_text()
        == """\
# My tunnels, first of May
target = "office:5901"   # the one upstairs
name = "Office"
group = "Lab"

# Slow line
[limits]
heartbeat_seconds = 20 # was 30
idle_seconds = 0
connections = 5
"""
    )


def test_saving_what_is_there_already_writes_nothing(folder: Path, store: ProfileStore) -> None:
    (folder / "mine.toml").write_text(COMMENTED)
    before = os.stat(folder / "mine.toml")
    store.save(store.read("Office"))
    assert os.stat(folder / "mine.toml") == before


def test_setting_none_goes_back_to_the_default(folder: Path, store: ProfileStore) -> None:
    (folder / "mine.toml").write_text(COMMENTED)
    assert store.set("Office", {"limits.heartbeat_seconds": None}).limits.heartbeat_seconds == 30


@pytest.mark.parametrize(
    "values", [{"limits.idle_seconds": -1}, {"lisen": "x"}, {"record.on": True}, {"name.x": 1}, {"target": None}]
)
def test_a_value_that_is_not_valid_leaves_the_file_as_it_was(
    folder: Path, store: ProfileStore, values: dict[str, object]
) -> None:
    (folder / "mine.toml").write_text(COMMENTED)
    with pytest.raises(WsguiError):
        store.set("Office", values)
    assert (folder / "mine.toml").read_text() == COMMENTED
    assert os.listdir(folder) == ["mine.toml"]


def test_renaming_leaves_the_profile_in_its_file(folder: Path, store: ProfileStore) -> None:
    (folder / "mine.toml").write_text(COMMENTED)
    store.set("Office", {"name": "Lab"})
    assert store.names() == ("Lab",)
    assert store.path_of("Lab") == folder / "mine.toml"


def test_a_name_that_is_taken_cannot_be_taken_again(store: ProfileStore, make: Make) -> None:
    store.save(make("Office"))
    store.save(make("Lab"))
    with pytest.raises(UsageError, match='There is a profile named "Lab" already'):
        store.set("Office", {"name": "Lab"})


def test_a_file_changed_between_reading_and_writing_is_not_overwritten(
    folder: Path, store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wsgui.profiles.store as module

    (folder / "mine.toml").write_text(COMMENTED)
    original = module.edited_text

    def slow(*args: object, **kwargs: object) -> str:
        (folder / "mine.toml").write_text(COMMENTED + "# and theirs\n")
        return original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "edited_text", slow)
    with pytest.raises(WsguiError, match="changed by somebody else meanwhile"):
        store.set("Office", {"group": "Lab"})
    assert (folder / "mine.toml").read_text() == COMMENTED + "# and theirs\n"


def test_a_link_is_read_but_not_written_through(folder: Path, store: ProfileStore, tmp_path: Path) -> None:
    (tmp_path / "real").write_text(COMMENTED)
    (folder / "mine.toml").symlink_to(tmp_path / "real")
    assert store.names() == ("Office",)
    with pytest.raises(WsguiError, match="is a link"):
        store.set("Office", {"group": "Lab"})
    assert (tmp_path / "real").read_text() == COMMENTED


def test_a_planted_link_is_not_followed_by_a_new_profile(
    folder: Path, store: ProfileStore, make: Make, tmp_path: Path
) -> None:
    (folder / "office.toml").symlink_to(tmp_path / "elsewhere")
    path = store.save(make("Office"))
    assert path == folder / "office-2.toml"
    assert not (tmp_path / "elsewhere").exists()


def test_a_fifo_in_the_folder_holds_nobody_up(folder: Path, store: ProfileStore) -> None:
    os.mkfifo(folder / "pipe.toml")
    (folder / "folder.toml").mkdir()
    (folder / "office.toml").write_text(OFFICE)
    loaded = store.load()
    assert [profile.name for profile in loaded.profiles] == ["Office"]
    assert [problem.problems[0].message for problem in loaded.problems] == ["It is not a file."] * 2


def test_names_that_make_one_file_name_get_files_of_their_own(store: ProfileStore, make: Make) -> None:
    names = ("Office", "office", "OFFICE!", "办公室", "会议室", "con", "..")
    for name in names:
        store.save(make(name))
    assert set(store.names()) == set(names)
    files = {path.name for path in store.folder.iterdir()}
    assert len(files) == len(names)
    assert all(not name.startswith((".", "con.")) for name in files)


def test_two_files_with_one_name_are_reported_and_the_one_named_so_is_taken(folder: Path, store: ProfileStore) -> None:
    (folder / "a-copy.toml").write_text(OFFICE.replace("5901", "1"))
    (folder / "office.toml").write_text(OFFICE)
    loaded = store.load()
    assert [str(profile.target) for profile in loaded.profiles] == ["office:5901"]
    [problem] = loaded.problems
    assert problem.source == str(folder / "a-copy.toml")
    assert 'office.toml is called "Office" too.' in str(problem)


def test_a_file_is_read_by_its_path(tmp_path: Path, store: ProfileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab.toml").write_text('target = "lab:1"\n[web]\nroot = "www"\n')
    monkeypatch.chdir(tmp_path)
    for file in ("lab.toml", "./lab.toml", str(tmp_path / "lab.toml"), tmp_path / "lab.toml"):
        read = store.read(file)
        assert read.name == "lab"
        assert read.web.root == str(tmp_path / "www")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Ofice", 'There is no profile named "Ofice". Did you mean "Office"?'),
        ("zzz", 'There is no profile named "zzz". There are: Office.'),
        ("./none.toml", "There is no file ./none.toml."),
        ("\x1b[2J", 'There is no profile named "\\x1b[2J".'),
    ],
)
def test_what_is_not_there_is_said(store: ProfileStore, make: Make, name: str, sentence: str) -> None:
    store.save(make())
    with pytest.raises(UsageError) as caught:
        store.read(name)
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_profile_whose_file_is_no_toml_is_found_by_its_name(folder: Path, store: ProfileStore) -> None:
    (folder / "x.toml").write_text('name = "Office"\nlisten = "127.0.0.1:6080\n[targets]\nname = "lab:1"\n')
    with pytest.raises(ProfileError, match=r"x\.toml:2: The file is not TOML"):
        store.read("Office")


def test_a_removed_profile_is_gone_and_no_other(folder: Path, store: ProfileStore, make: Make) -> None:
    store.save(make("Office"))
    store.save(make("Lab"))
    assert store.remove("Office") == folder / "office.toml"
    assert store.names() == ("Lab",)
    with pytest.raises(UsageError):
        store.remove("Office")


def test_a_broken_profile_can_be_removed(folder: Path, store: ProfileStore) -> None:
    (folder / "x.toml").write_text(BROKEN)
    store.remove("Broken")
    assert os.listdir(folder) == []


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path, make: Make) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WsguiError) as caught:
        ProfileStore(tmp_path / "file" / "profiles").save(make())
    assert "cannot be" in caught.value.message
    assert caught.value.hint


def test_a_crash_while_writing_leaves_the_old_file(
    folder: Path, store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mine.toml").write_text(COMMENTED)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WsguiError, match="No space left on device"):
        store.set("Office", {"group": "Lab"})
    assert (folder / "mine.toml").read_text() == COMMENTED
    assert os.listdir(folder) == ["mine.toml"]
