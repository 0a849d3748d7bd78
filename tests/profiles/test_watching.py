"""Each change of a profile's file is told once, however it is made."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wsgui.profiles.catalog import read_entry
from wsgui.profiles.disk import Signature
from wsgui.profiles.model import Profile
from wsgui.profiles.store import ProfileStore
from wsgui.profiles.watching import Watch, list_folder

OFFICE = 'name = "Office"\ntarget = "office:5901"\n'
MOVED = 'name = "Office"\ntarget = "office:5902"\n'
BROKEN = 'name = "Office"\ntarget = "office"\n'

Watching = Callable[..., Any]
PAUSES_SECONDS = 0.6
"""Longer than a busy machine makes the pauses between two writes."""
Make = Callable[..., Profile]


async def test_a_rename_over_is_one_change(folder: Path, store: ProfileStore, watching: Watching) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store) as watcher:
        (folder / "new").write_text(MOVED)
        os.replace(folder / "new", folder / "office.toml")
        change = await watcher.only()
    assert (change.name, change.kind) == ("Office", "changed")
    assert str(change.profile.target) == "office:5902"


async def test_a_file_written_in_place_in_pieces_is_one_change(
    folder: Path, store: ProfileStore, watching: Watching
) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store, PAUSES_SECONDS) as watcher:
        with open(folder / "office.toml", "w") as file:
            for piece in (MOVED[:20], MOVED[20:30], MOVED[30:], "group = ", '"Lab"\n'):
                file.write(piece)
                file.flush()
                await asyncio.sleep(0.04)  # what an editor or a slow disk does, not a wait for anything
        change = await watcher.only()
    assert change.kind == "changed"
    assert change.profile.group == "Lab"


async def test_a_deletion_is_one_change(folder: Path, store: ProfileStore, watching: Watching) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store) as watcher:
        (folder / "office.toml").unlink()
        change = await watcher.only()
    assert (change.name, change.kind) == ("Office", "removed")


async def test_an_invalid_edit_is_one_change_with_its_problem(
    folder: Path, store: ProfileStore, watching: Watching
) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store) as watcher:
        (folder / "office.toml").write_text(BROKEN)
        change = await watcher.only()
    assert (change.name, change.kind) == ("Office", "invalid")
    assert change.problem.problems[0].field == "target"
    assert change.problem.source == str(folder / "office.toml")


async def test_an_edit_that_is_not_even_toml_is_told_under_the_profiles_name(
    folder: Path, store: ProfileStore, watching: Watching
) -> None:
    (folder / "a.toml").write_text(OFFICE)
    async with watching(store) as watcher:
        (folder / "a.toml").write_text("name = ")
        assert (await watcher.only()).name == "Office"


async def test_mending_a_broken_file_is_one_change(folder: Path, store: ProfileStore, watching: Watching) -> None:
    (folder / "office.toml").write_text("name = ")
    async with watching(store) as watcher:
        (folder / "office.toml").write_text(OFFICE)
        change = await watcher.only()
    assert (change.name, change.kind) == ("Office", "changed")


async def test_deleting_a_broken_file_is_one_change(folder: Path, store: ProfileStore, watching: Watching) -> None:
    (folder / "office.toml").write_text(BROKEN)
    async with watching(store) as watcher:
        (folder / "office.toml").unlink()
        change = await watcher.only()
    assert (change.name, change.kind) == ("Office", "removed")


async def test_a_new_file_is_one_change(folder: Path, store: ProfileStore, watching: Watching) -> None:
    async with watching(store) as watcher:
        (folder / "office.toml").write_text(OFFICE)
        assert (await watcher.only()).kind == "changed"


async def test_a_folder_that_is_made_later_is_watched(tmp_path: Path, watching: Watching) -> None:
    async with watching(ProfileStore(tmp_path / "later")) as watcher:
        (tmp_path / "later").mkdir()
        (tmp_path / "later" / "office.toml").write_text(OFFICE)
        assert (await watcher.only()).kind == "changed"


async def test_the_programs_own_writes_are_one_change_each(store: ProfileStore, watching: Watching, make: Make) -> None:
    async with watching(store) as watcher:
        store.save(make())
        assert (await watcher.only()).kind == "changed"
        store.set("Office", {"limits.idle_seconds": 5})
        assert (await watcher.only()).profile.limits.idle_seconds == 5
        store.remove("Office")
        assert (await watcher.only()).kind == "removed"


async def test_a_touch_or_a_move_to_another_file_is_no_change(
    folder: Path, store: ProfileStore, watching: Watching
) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store) as watcher:
        os.utime(folder / "office.toml", (1, 1))
        await watcher.nothing()
        os.rename(folder / "office.toml", folder / "moved.toml")
        await watcher.nothing()


async def test_a_new_name_in_a_file_removes_the_old_one(folder: Path, store: ProfileStore, watching: Watching) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store) as watcher:
        (folder / "office.toml").write_text(OFFICE.replace("Office", "Lab"))
        changes = await watcher.several(2)
    assert {(change.name, change.kind) for change in changes} == {("Lab", "changed"), ("Office", "removed")}


async def test_editors_own_files_are_no_profiles(folder: Path, store: ProfileStore, watching: Watching) -> None:
    async with watching(store) as watcher:
        for name in (".office.toml.swp", ".office.toml", "office.toml~", "#office.toml#", "4913", "office.toml.bak"):
            (folder / name).write_text(OFFICE)
        await watcher.nothing()


async def test_an_editor_that_moves_the_old_file_away_first_is_one_change(
    folder: Path, store: ProfileStore, watching: Watching
) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store, PAUSES_SECONDS) as watcher:
        os.rename(folder / "office.toml", folder / "office.toml~")
        await asyncio.sleep(0.05)  # between the two the file is not there
        (folder / "office.toml").write_text(MOVED)
        (folder / "office.toml~").unlink()
        assert (await watcher.only()).kind == "changed"


async def test_changes_between_load_and_watch_are_told(folder: Path, store: ProfileStore) -> None:
    (folder / "office.toml").write_text(OFFICE)
    store.load()
    (folder / "office.toml").write_text(MOVED)
    changes = store.watch()
    change = await asyncio.wait_for(anext(changes), 10)
    assert (change.name, change.kind) == ("Office", "changed")
    await changes.aclose()  # type: ignore[attr-defined]


async def test_two_files_with_one_name_are_reported_and_the_other_goes_on(
    folder: Path, store: ProfileStore, watching: Watching
) -> None:
    (folder / "office.toml").write_text(OFFICE)
    async with watching(store) as watcher:
        (folder / "copy.toml").write_text(MOVED)
        change = await watcher.only()
        assert (change.name, change.kind) == ("Office", "invalid")
        assert change.problem.source.endswith("copy.toml")
        (folder / "copy.toml").unlink()
        change = await watcher.only()
        assert (change.kind, str(change.profile.target)) == ("changed", "office:5901")


def signature(number: int) -> Signature:
    return Signature(number, number, number, number)


def test_a_file_that_never_rests_holds_up_no_other(tmp_path: Path) -> None:
    watch = Watch((), settle_seconds=1)
    calm, busy = tmp_path / "calm.toml", tmp_path / "busy.toml"
    ready = [watch.observe({calm: signature(1), busy: signature(now)}, now) for now in range(4)]
    assert ready == [(), (calm,), (calm,), (calm,)]


def test_a_file_that_moved_on_while_it_was_read_is_read_again(folder: Path) -> None:
    path = folder / "office.toml"
    path.write_text(OFFICE)
    watch = Watch((), settle_seconds=1)
    watch.observe({path: signature(1)}, 0)
    assert watch.observe({path: signature(1)}, 1) == (path,)
    assert watch.settle({path: read_entry(path)}) == ()
    assert watch.busy
    listing = list_folder(folder)
    assert listing is not None
    watch.observe(listing, 2)
    assert watch.observe(listing, 3) == (path,)
    assert [change.kind for change in watch.settle({path: read_entry(path)})] == ["changed"]
    assert not watch.busy
