"""Why a tunnel does not run, as others are told it."""

from __future__ import annotations

import pytest

from wsgui.engine.description import reason_of
from wsgui.engine.snapshot import ReasonKind
from wsgui.errors import CertificateError, SecretError, WsguiError
from wsgui.profiles.keyring_backends import KeyringError, KeyringState


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CertificateError("Broken."), ReasonKind.CERTIFICATE),
        (SecretError("Not set."), ReasonKind.SECRET),
        (KeyringError(KeyringState.ABSENT, "None.", ""), ReasonKind.SECRET),
        (KeyringError(KeyringState.LOCKED, "Locked.", ""), ReasonKind.KEYRING_LOCKED),
        (WsguiError("Else."), ReasonKind.OTHER),
    ],
)
def test_a_reason_says_what_kind_it_is(error: WsguiError, kind: ReasonKind) -> None:
    assert reason_of(error).kind is kind
    assert kind.is_about_keys is (kind is not ReasonKind.OTHER)
