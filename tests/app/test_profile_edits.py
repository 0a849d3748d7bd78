"""Changes of a profile are taken over by its tunnel and written, or neither; and they are undone to the letter."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wsgui.app import profile_edits
from wsgui.app.paths import Paths
from wsgui.app.profile_edits import StoredProfile
from wsgui.app.runtime import Runtime
from wsgui.engine.snapshot import TunnelState
from wsgui.errors import ProfileError, WsguiError

TEXT = 'name = "Lab"\nlisten = "127.0.0.1:0"  # any port\ntarget = "demo:"\nautostart = false\n'


@pytest.fixture
def file(folders: Paths) -> Path:
    folders.make_config()
    file = folders.profiles / "lab.toml"
    file.write_text(TEXT)
    return file


@pytest.fixture
async def runtime(folders: Paths, file: Path) -> AsyncIterator[Runtime]:
    async with Runtime(folders, name="tray", role="window", watch=False) as runtime:
        yield runtime


def lab(runtime: Runtime) -> StoredProfile:
    stored = profile_edits.read(runtime.store, "Lab")
    assert stored is not None
    return stored


async def test_what_has_no_file_is_nothing(runtime: Runtime) -> None:
    assert profile_edits.read(runtime.store, "Demo") is None


async def test_a_broken_file_says_what_is_wrong_with_it(runtime: Runtime, file: Path) -> None:
    file.write_text(TEXT.replace("127.0.0.1:0", "6o80"))
    stored = lab(runtime)
    assert stored.profile is None
    assert stored.problem is not None
    with pytest.raises(ProfileError):
        await profile_edits.apply(runtime, stored, {"tls.minimum": "1.3"})


async def test_changes_are_written_and_the_comments_stay(runtime: Runtime, file: Path) -> None:
    after = await profile_edits.apply(runtime, lab(runtime), {"access.hosts": ["vnc.lab"]})
    assert file.read_text() == TEXT + '\n[access]\nhosts = ["vnc.lab"]\n'
    assert after.data == file.read_bytes()
    assert runtime.engine.profiles[0].access.hosts == ("vnc.lab",)


async def test_a_wrong_value_reaches_neither_file_nor_tunnel(runtime: Runtime, file: Path) -> None:
    with pytest.raises(ProfileError):
        await profile_edits.apply(runtime, lab(runtime), {"access.origins": ["vnc.lab"]})
    assert file.read_text() == TEXT
    assert runtime.engine.profiles[0].access.origins == ("same-host",)


async def test_what_a_running_tunnel_cannot_do_is_not_written(runtime: Runtime, file: Path) -> None:
    await runtime.start("Lab")
    with pytest.raises(WsguiError, match="gone"):
        await profile_edits.apply(runtime, lab(runtime), {"tls.certificate_file": str(file.parent / "gone.pem")})
    assert file.read_text() == TEXT
    (tunnel,) = runtime.engine.snapshot().tunnels
    assert (tunnel.state, tunnel.reason) == (TunnelState.RUNNING, None)


async def test_a_taken_port_is_not_moved_to(runtime: Runtime, file: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        await runtime.start("Lab")
        with pytest.raises(WsguiError):
            await profile_edits.apply(runtime, lab(runtime), {"listen": f"127.0.0.1:{other.getsockname()[1]}"})
    assert file.read_text() == TEXT


async def test_a_tunnel_that_is_off_takes_changes_that_it_could_not_run_with(runtime: Runtime, file: Path) -> None:
    await profile_edits.apply(runtime, lab(runtime), {"tls.certificate_file": "gone.pem"})
    assert "gone.pem" in file.read_text()


async def test_a_file_changed_meanwhile_is_not_overwritten(runtime: Runtime, file: Path) -> None:
    stored = lab(runtime)
    theirs = TEXT.replace("# any port", "# mine")
    file.write_text(theirs)
    with pytest.raises(WsguiError, match="changed by somebody else"):
        await profile_edits.apply(runtime, stored, {"access.hosts": ["a"]})
    assert file.read_text() == theirs
    assert runtime.engine.profiles[0].access.hosts == ()


async def test_a_file_that_is_gone_is_not_made_again(runtime: Runtime, file: Path) -> None:
    stored = lab(runtime)
    file.unlink()
    with pytest.raises(WsguiError, match="gone"):
        await profile_edits.apply(runtime, stored, {"access.hosts": ["a"]})
    assert not file.exists()


async def test_undoing_brings_back_the_text_of_before_to_the_letter(runtime: Runtime, file: Path) -> None:
    before = lab(runtime)
    await runtime.start("Lab")
    after = await profile_edits.apply(runtime, before, {"access.hosts": ["vnc.lab"], "listen": "127.0.0.1:0"})
    restored = await profile_edits.restore(runtime, after, before.data)
    assert file.read_text() == TEXT
    assert restored.data == before.data
    assert runtime.engine.profiles[0].access.hosts == ()


async def test_what_another_has_written_since_is_not_undone(runtime: Runtime, file: Path) -> None:
    before = lab(runtime)
    after = await profile_edits.apply(runtime, before, {"access.hosts": ["vnc.lab"]})
    file.write_text(TEXT.replace("# any port", "# mine"))
    with pytest.raises(WsguiError, match="changed by somebody else"):
        await profile_edits.restore(runtime, after, before.data)
    assert "# mine" in file.read_text()
