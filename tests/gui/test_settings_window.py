"""The Settings tab in a real window: a certificate is picked, verified by clients, undone; nothing wrong is written."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.gui.conftest import Desktop, end
from tests.gui.test_certificates_window import Play
from tests.support.secret_service import MISSING, SecretService, secret_service

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
NO_TLS = (ssl.SSLError, EOFError, ConnectionError)
TEXT = """\
# The lab's own tunnel
name = "Lab"
listen = "127.0.0.1:{port}"   # only here
target = "demo:"
autostart = true
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def play(scenario: str, display: Desktop, service: SecretService, port: int) -> Iterator[Play]:
    screen = {"DISPLAY": f":{display.number}", "QT_QPA_PLATFORM": "xcb", "NO_AT_BRIDGE": "1", "TEST_PORT": str(port)}
    with (display.folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.gui.settings_driver", scenario, str(display.folder)],
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


def greeting(port: int, authority: Path | None) -> bytes:
    """What the demo says first to a client that comes by wss and trusts `authority`, or by ws without one."""
    context = ssl.create_default_context(cafile=str(authority)) if authority is not None else None
    address = f"{'wss' if context else 'ws'}://localhost:{port}/"
    with connect(address, ssl=context, open_timeout=20, subprotocols=["binary"]) as client:  # type: ignore[list-item]
        said = client.recv(20)
        assert isinstance(said, bytes)
        return said


def test_a_certificate_is_picked_applied_verified_by_a_client_and_undone_and_nothing_wrong_is_written(
    display: Desktop, tmp_path: Path, port: int
) -> None:
    with secret_service(tmp_path) as service:
        file = Path(service.environment["WSGUI_CONFIG_DIR"]) / "profiles" / "lab.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = TEXT.format(port=port)
        file.write_text(text)
        file.chmod(0o600)
        with play("pick", display, service, port) as steps:
            picked = steps.next()
            assert picked["bar"].startswith("1 change")
            assert file.read_text() == text
            root = service.home / "root.crt"
            exported = service.wsgui("certificate", "export", "--authority", str(root))
            assert exported.returncode == 0, exported.stderr
            with pytest.raises(NO_TLS):
                greeting(port, root)
            steps.go_on()

            assert steps.next()["applied"].startswith("1 change applied")
            written = file.read_text()
            assert written == text + f"\n[tls]\ncertificate = {json.dumps([picked['name']])}\n"
            assert greeting(port, root)
            steps.go_on()

            assert steps.next()["certificates"] == []
            assert file.read_text() == text
            assert greeting(port, None)
            with pytest.raises(NO_TLS):
                greeting(port, root)
            steps.go_on()

            assert steps.next()["wrong"].startswith('"vnc.lab" is not an origin.')
            assert file.read_text() == text
            steps.go_on()

            assert steps.next()["typed"].startswith("1 change")
            file.write_text(text.replace("# only here", "# here, and nowhere else"))
            steps.go_on()
            assert "lab.toml was changed by somebody else" in steps.next()["notice"]
            assert steps.next()["applied"].startswith("1 change applied")
            final = file.read_text()
            assert "# here, and nowhere else" in final
            assert 'origins = ["https://vnc.lab"]' in final
            steps.end()


def status(port: int, user: str) -> int:
    """What a browser that shows `user` (user:password) gets, or one that shows nobody."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    shown = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {}
    connection.request("GET", "/", headers=shown)
    answer = connection.getresponse().status
    connection.close()
    return answer


def test_a_password_is_stored_in_the_keyring_and_asked_for_and_a_new_one_counts_at_once(
    display: Desktop, tmp_path: Path, port: int
) -> None:
    first, second = "lee:correct horse", "lee:battery staple"
    with secret_service(tmp_path) as service:
        file = Path(service.environment["WSGUI_CONFIG_DIR"]) / "profiles" / "lab.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TEXT.format(port=port))
        file.chmod(0o600)
        with play("keep", display, service, port) as steps:
            stored = steps.next()
            assert stored["reference"].startswith("keyring:")
            assert stored["bar"].startswith("1 change")
            read = steps.next()["texts"]
            assert f'basic = "{stored["reference"]}"' in file.read_text()
            assert (status(port, ""), status(port, "lee:wrong"), status(port, first)) == (401, 401, 200)
            steps.go_on()

            read += steps.next()["texts"]
            assert (status(port, first), status(port, second)) == (401, 200)
            steps.go_on()
            steps.end()
        log = (display.folder / "log").read_text()
        kept = [path.read_bytes() for path in (service.home / "wsgui").rglob("*") if path.is_file()]
        for secret in ("correct horse", "battery staple"):
            assert not [text for text in read if secret in text]
            assert secret not in log
            assert not [data for data in kept if secret.encode() in data]
        names = service.wsgui("secret", "list").stdout
        assert stored["reference"].removeprefix("keyring:") in names
