"""What is not built yet is refused with a sentence; what is built is not."""

from __future__ import annotations

from typing import Any

import pytest

from wsgui.errors import ProfileError
from wsgui.profiles.availability import NOT_BUILT
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile

BASE: dict[str, Any] = {"name": "x", "target": "office:5901"}
TLS = {"certificate_file": "/a"}

UNBUILT: list[tuple[str, dict[str, Any]]] = [
    ("targets", {"target": None, "targets": {"lab": "wss://gate/ssh"}}),
    ("targets", {"target": None, "targets": {"lab": {"target": "10.0.0.7:5900", "view_only": True}}}),
    ("access.links_only", {"access": {"links_only": True}}),
    ("access.view_only", {"access": {"view_only": True}}),
    ("remote.token", {"remote": {"token": "keyring:x"}}),
    ("remote.headers", {"remote": {"headers": {"A": "b"}}}),
    ("remote.subprotocols", {"remote": {"subprotocols": []}}),
    ("remote.compression", {"remote": {"compression": True}}),
    ("reverse.ids", {"reverse": {"ids": ["a"]}}),
    ("reverse.wait_seconds", {"reverse": {"wait_seconds": 3}}),
    ("proxy.trusted", {"proxy": {"trusted": ["10.0.0.0/8"]}}),
    ("proxy.send_proxy_protocol", {"proxy": {"send_proxy_protocol": True}}),
    ("record.on", {"record": {"on": True}}),
    ("record.max_file", {"record": {"max_file": "1 MB"}}),
    ("metrics.listen", {"metrics": {"listen": "127.0.0.1:9101"}}),
    ("metrics.token", {"metrics": {"token": "env:X"}}),
    ("target", {"target": "wss://gate/ssh"}),
    ("target", {"target": "ws://gate/ssh"}),
    ("target", {"target": "listen:5500"}),
]


@pytest.mark.parametrize(("field", "settings"), UNBUILT, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_not_built_yet_is_refused_with_a_sentence(field: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ProfileError) as caught:
        build_profile(BASE | settings, "x")
    [problem] = caught.value.problems
    assert problem.field == field
    assert problem.message.endswith("not built yet in this version.")
    assert "wait for the version that has it" in problem.hint


@pytest.mark.parametrize(
    "settings",
    [
        {"listen": "*:443"},
        {"listen": "[::1]:80"},
        {"listen": "unix:/run/x"},
        {"listen": "fd:3"},
        {"target": "tls://office:5901"},
        {"target": "unix:/run/y"},
        {"target": "demo:"},
        {"autostart": False, "group": "Servers"},
        {"tls": TLS | {"key_file": "/k", "key_password": "env:X", "only": True, "minimum": "1.3", "ciphers": "HIGH"}},
        {"access": {"origins": ["https://vnc.lab", "*"], "hosts": ["vnc.lab", "*"]}},
        {"access": {"origins": []}},
        {"web": {"root": "demo", "frames": ["https://intranet"]}},
        {"web": {"root": "/srv/novnc"}},
        {"limits": dict.fromkeys(Profile(**BASE).limits.model_dump(), 3)},
    ],
)
def test_what_is_built_is_taken(settings: dict[str, Any]) -> None:
    build_profile(BASE | settings, "x")


def test_a_default_that_is_written_out_is_no_problem() -> None:
    everything = Profile(**BASE).model_dump(mode="json", exclude_none=True)
    assert build_profile(everything, "x") == Profile(**BASE)


def test_every_row_names_a_field_that_exists() -> None:
    for row in NOT_BUILT:
        value: Any = Profile(**BASE)
        for step in row.split("."):
            value = getattr(value, step)
