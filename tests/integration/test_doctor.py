"""`wsgui doctor` as a process of its own, in a home where nothing has been set up, and where a port is taken."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.integration.conftest import RunWsgui, WriteProfile


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A user of their own, without a display or a keyring."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    kept = {name: value for name, value in environment.items() if not name.startswith(("XDG_", "DBUS_", "QT_"))}
    kept = {name: value for name, value in kept.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return kept | {"HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


async def test_a_home_where_nothing_is_set_up_has_no_problem_and_stays_as_it_was(
    run_wsgui: RunWsgui, tmp_path: Path
) -> None:
    process = await run_wsgui("doctor")
    assert await process.ended() == 0, process.out
    assert any(line.startswith("note     Keyring: ") for line in process.out)
    assert any(line.startswith("note     Window: There is no display") for line in process.out)
    assert [path.name for path in tmp_path.rglob("*")] == ["home"]


async def test_a_port_that_another_program_has_is_a_problem_and_ends_with_1(
    run_wsgui: RunWsgui, write_profile: WriteProfile
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        write_profile("lab", listen=f"127.0.0.1:{port}", target="demo:")
        process = await run_wsgui("doctor", "--json")
        assert await process.ended() == 1
    told = json.loads("\n".join(process.out))
    [problem] = [check for check in told["checks"] if check["level"] == "problem"]
    assert problem["name"] == "Port of lab"
    assert problem["message"].startswith(f"Port {port} is used by ")
