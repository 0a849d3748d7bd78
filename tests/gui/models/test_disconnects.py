"""Who would be disconnected by changed settings is said before they are applied, and only when it is so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gui import samples
from wsgui.gui.models.disconnects import Disconnects, disconnects
from wsgui.profiles.model import Profile

NOBODY = Disconnects()


def profile(**sections: Any) -> Profile:
    base: dict[str, Any] = {"name": "Office", "listen": "127.0.0.1:6080"}
    if "targets" not in sections and "tokens" not in sections and "command" not in sections:
        base["target"] = "office:5901"
    return Profile.model_validate(base | sections)


def tls(**fields: Any) -> dict[str, Any]:
    return {"certificate": ("lab-pc.local",)} | fields


CERTIFICATES = profile(tls=tls(client_authority="/ca.pem"))
PASSWORDS = profile(access={"basic": "keyring:office"})
TOKENS = profile(targets={"abc": "office:5901"})


@pytest.mark.parametrize(
    ("before", "after", "identity", "expected"),
    [
        # What only new clients are asked for.
        (profile(), PASSWORDS, "", NOBODY),
        (profile(), CERTIFICATES, "", NOBODY),
        (profile(), profile(tls=tls(minimum="1.3")), "", NOBODY),
        (PASSWORDS, profile(access={"basic": "keyring:office", "origins": []}), "lee", NOBODY),
        (PASSWORDS, profile(), "lee", NOBODY),
        # Something else is asked for now.
        (PASSWORDS, CERTIFICATES, "lee", Disconnects(certain=1)),
        (CERTIFICATES, PASSWORDS, "CN lee", Disconnects(certain=1)),
        (TOKENS, PASSWORDS, "token 3fa9c1", Disconnects(certain=1)),
        (TOKENS, profile(), "token 3fa9c1", Disconnects(certain=1)),
        # Another list, which may have the same in it.
        (PASSWORDS, profile(access={"basic": "env:USERS"}), "lee", Disconnects(possible=1)),
        (CERTIFICATES, profile(tls=tls(client_authority="/b.pem")), "CN lee", Disconnects(possible=1)),
        (TOKENS, profile(targets={"abc": "lab:5901"}), "token 3fa9c1", Disconnects(possible=1)),
        # Names of certificates.
        (
            CERTIFICATES,
            profile(tls=tls(client_authority="/ca.pem"), access={"client_names": ["anna"]}),
            "CN lee",
            Disconnects(certain=1),
        ),
        (
            CERTIFICATES,
            profile(tls=tls(client_authority="/ca.pem"), access={"client_names": ["lee"]}),
            "CN lee",
            NOBODY,
        ),
    ],
)
def test_who_rests_on_what_is_changed(before: Profile, after: Profile, identity: str, expected: Disconnects) -> None:
    assert disconnects(before, after, (samples.connection(1, identity=identity),)) == expected


def test_each_connection_is_looked_at_by_itself() -> None:
    connections = [samples.connection(n, identity=who) for n, who in enumerate(("lee", "", "CN lee, anna"))]
    after = profile(tls=tls(client_authority="/ca.pem"))
    assert disconnects(PASSWORDS, after, connections) == Disconnects(certain=1, possible=1)


def test_hosts_that_are_tokens_are_not_shown_and_count_all_the_same() -> None:
    before = profile(tokens={"source": "file:/tokens", "by_host": True})
    assert disconnects(before, profile(), (samples.connection(1),)) == Disconnects(certain=1)


def test_a_program_that_is_started_anew_ends_all() -> None:
    before = profile(command={"run": ["x11vnc"], "port": 5901})
    after = profile(command={"run": ["x11vnc", "-shared"], "port": 5901})
    assert disconnects(before, after, (samples.connection(1), samples.connection(2))) == Disconnects(certain=2)
