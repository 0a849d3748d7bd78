"""The doctor on ports: free, its own tunnel's, or taken by whom."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from tests.app.doctor.conftest import Patient
from wsgui.app.doctor.check import Check, Level
from wsgui.app.doctor.ports import ports
from wsgui.app.runtime import Runtime

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")


def look_at(patient: Patient) -> list[Check]:
    return ports(patient.profiles, patient.paths.runtime)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_free_port_is_well_and_stays_free(patient: Patient, free_port: int) -> None:
    patient.profile(listen=f"127.0.0.1:{free_port}")
    [check] = look_at(patient)
    assert (check.name, check.level) == ("Port of Office", Level.OK)
    assert check.message == f"127.0.0.1:{free_port} is free."
    socket.create_server(("127.0.0.1", free_port)).close()


@pytest.mark.parametrize(("autostart", "level"), [(True, Level.PROBLEM), (False, Level.WARNING)])
def test_a_taken_one_is_said_with_who_has_it(patient: Patient, autostart: bool, level: Level) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        patient.profile(listen=f"127.0.0.1:{port}", autostart=autostart)
        [check] = look_at(patient)
    assert check.level is level
    assert check.message.startswith(f"Port {port} is used by ")
    if sys.platform == "linux":
        assert f"(pid {os.getpid()})" in check.message
    assert check.hint


def test_two_profiles_on_one_port_are_a_warning(patient: Patient, free_port: int) -> None:
    patient.profile("One", listen=f"127.0.0.1:{free_port}")
    patient.profile("Two", listen=f"127.0.0.1:{free_port}")
    checks = look_at(patient)
    assert [check.level for check in checks] == [Level.WARNING, Level.WARNING]
    assert "but Two listens there too" in checks[0].message


def test_an_address_of_another_computer_is_a_problem(patient: Patient) -> None:
    patient.profile(listen="192.0.2.77:6080")
    [check] = look_at(patient)
    assert check.level is Level.PROBLEM
    assert check.message == "192.0.2.77 is not an address of this computer."


async def test_a_port_that_its_own_tunnel_has_is_well_and_another_tunnel_s_is_not(
    patient: Patient, free_port: int
) -> None:
    profile = patient.profile(listen=f"127.0.0.1:{free_port}")
    patient.profile("Other", listen=f"127.0.0.1:{free_port}")
    async with Runtime(patient.paths, name="main", role="headless", profiles=[profile]) as runtime:
        await runtime.start("Office")
        own, other = await asyncio.to_thread(look_at, patient)
    assert (own.level, own.message) == (
        Level.OK,
        f"Its tunnel listens on 127.0.0.1:{free_port} (wsgui main, pid {os.getpid()}).",
    )
    assert other.level is Level.PROBLEM
    if sys.platform == "linux":
        assert other.message.endswith(f"is used by another tunnel of wsgui main (pid {os.getpid()}).")


def test_a_socket_file_s_folder_has_to_be_there_and_nobody_may_listen_at_it(patient: Patient, tmp_path: Path) -> None:
    path = tmp_path / "run" / "s"
    patient.profile(listen=f"unix:{path}")
    [check] = look_at(patient)
    assert check.level is Level.PROBLEM
    path.parent.mkdir()
    [check] = look_at(patient)
    assert check.level is Level.OK
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        [check] = look_at(patient)
    assert check.level is Level.PROBLEM
    [check] = look_at(patient)
    assert check.level is Level.OK  # What nobody listens at is replaced.
    assert path.exists()
