"""Certificates in a real window, with real files, a real keyring and real NSS databases, all in a home of their own."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gui.conftest import Desktop, end, wait_until
from tests.support.secret_service import MISSING, SecretService, secret_service

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
PASSPHRASE = "a passphrase of one's own"


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Play:
    """A scenario of `certificates_driver`, step by step."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"it ended with {self._process.wait(20)}"
        step: dict[str, Any] = json.loads(line)
        assert "error" not in step, step
        return step

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> None:
        assert self._process.wait(60) == 0


@contextmanager
def play(scenario: str, display: Desktop, service: SecretService, port: int) -> Iterator[Play]:
    screen = {"DISPLAY": f":{display.number}", "QT_QPA_PLATFORM": "xcb", "NO_AT_BRIDGE": "1", "TEST_PORT": str(port)}
    pictures = display.folder / scenario
    pictures.mkdir()
    with (pictures / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.certificates_driver", scenario, str(pictures)],
            env=service.environment | screen,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Play(process)
        finally:
            end(process)  # type: ignore[arg-type]
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()


def authorities_in_chrome(service: SecretService) -> str:
    return service.run("certutil", "-L", "-d", f"sql:{service.home}/.pki/nssdb").stdout


def peer_certificate(name: str, port: int, authority: Path) -> dict[str, Any]:
    """What a client that trusts `authority` sees of a tunnel, with everything checked."""
    context = ssl.create_default_context(cafile=str(authority))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return dict(secure.getpeercert() or {})


def test_one_click_makes_a_certificate_that_browsers_here_trust_and_another_device_can_fetch(
    display: Desktop, tmp_path: Path, port: int
) -> None:
    with secret_service(tmp_path) as service, play("create-and-trust", display, service, port) as steps:
        name = steps.next()["name"]
        assert "wsgui local authority" in authorities_in_chrome(service)
        files = list((Path(service.environment["WSGUI_DATA_DIR"]) / "certificates").rglob("*.pem"))
        assert files
        assert all(b"BEGIN PRIVATE KEY" not in file.read_bytes() for file in files)
        root = service.home / "root.crt"
        exported = service.wsgui("certificate", "export", "--authority", str(root))
        assert exported.returncode == 0, exported.stderr
        steps.go_on()

        assert steps.next()["refused"].startswith("It is used by “Lab”. Choose another certificate there first.")
        offer = steps.next()
        assert ("DNS", name) in peer_certificate(name, port, root)["subjectAltName"]
        if offer["urls"]:
            url = urlsplit(offer["urls"][0])
            assert fetched(url.hostname or "", port, url.path)[0] == 200
        steps.go_on()
        assert steps.next()["stopped"]
        if offer["urls"]:
            wait_until("nothing there", lambda: fetched(url.hostname or "", port, url.path)[0] != 200, seconds=10)
        steps.go_on()
        assert steps.next()["untrusted"]
        assert "wsgui local authority" not in authorities_in_chrome(service)
        steps.end()


def fetched(host: str, port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_without_a_keyring_a_passphrase_of_ones_own_opens_the_key_now_and_after_the_next_start(
    display: Desktop, tmp_path: Path, port: int
) -> None:
    with secret_service(tmp_path, "no-bus") as service:
        with play("own-passphrase", display, service, port) as steps:
            assert "keyring" in steps.next()["notice"]
            made = steps.next()
            assert any("New passphrase" in prompt for prompt in made["prompts"])
            assert steps.next()["running"]
            steps.end()
        with play("unlock", display, service, port) as steps:
            assert "kept nowhere" in steps.next()["notice"]
            assert steps.next()["running"]
            steps.end()
        for file in service.home.rglob("*"):
            assert not file.is_file() or PASSPHRASE.encode() not in file.read_bytes(), file
