"""States in words and the buttons that help."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.gui import samples
from wsgui.engine.snapshot import Reason, ReasonKind, TunnelSnapshot, TunnelState
from wsgui.gui import wording
from wsgui.gui.wording import Deed
from wsgui.profiles.keyring_backends import locked


def test_every_state_has_its_own_word() -> None:
    words = {wording.state_word(state, 2) for state in TunnelState}
    assert len(words) == len(TunnelState)
    assert "Finishing (2 left)" in words


def test_every_state_has_its_own_shape() -> None:
    shapes = {wording.shape_and_tone(samples.tunnel(state=state), samples.NOW)[0] for state in TunnelState}
    assert len(shapes) == len(TunnelState)


def test_a_port_in_use_offers_the_free_one_in_row_and_page() -> None:
    text, tone, remedy = wording.row_line(samples.waiting(), None, samples.NOW)
    notice = wording.state_notice(samples.waiting(), samples.NOW)
    assert (text, tone) == ("Waiting for port 7001", "warn")
    assert remedy is not None
    assert (remedy.deed, remedy.value, remedy.label) == (Deed.USE_PORT, "7002", "Use 7002")
    assert notice is not None
    assert [r.deed for r in notice.remedies] == [Deed.USE_PORT, Deed.RETRY, Deed.EDIT]


TROUBLED = [samples.waiting(), samples.failed(), samples.refusing(), samples.restarting()]


@pytest.mark.parametrize("tunnel", TROUBLED, ids=lambda t: t.name)
def test_every_row_that_is_not_green_says_why(tunnel: wording.TunnelSnapshot) -> None:
    text, tone, _ = wording.row_line(tunnel, None, samples.NOW)
    assert text
    assert tone in ("warn", "err")
    assert wording.needs_attention(tunnel, samples.NOW)
    assert wording.shape_and_tone(tunnel, samples.NOW) != wording.shape_and_tone(samples.tunnel(), samples.NOW)


def test_a_program_that_is_started_again_is_said_with_its_last_words_and_when() -> None:
    notice = wording.state_notice(samples.restarting(), samples.NOW)
    assert notice is not None
    assert notice.message.endswith("cannot open display :7. It is started again in 8 s.")
    assert notice.hint == "Try the same command in a terminal."
    assert [r.deed for r in notice.remedies] == [Deed.EDIT]


def test_targets_by_token_are_named_so() -> None:
    assert wording.row_line(samples.by_token(), None, samples.NOW)[0].endswith("→  by token")


def test_a_row_that_is_well_shows_address_and_target() -> None:
    assert wording.row_line(samples.tunnel(), None, samples.NOW) == ("ws://127.0.0.1:6080  →  office:5901", "dim", None)


def test_a_refused_page_may_be_allowed_by_its_punycode_origin() -> None:
    notice = wording.refusal_notice(samples.tunnel(refusal=samples.refusal("https://bücher.example")))
    assert notice is not None
    assert [(r.deed, r.value) for r in notice.remedies] == [
        (Deed.ALLOW_ORIGIN, "https://xn--bcher-kva.example"),
        (Deed.DISMISS, ""),
    ]
    assert notice.hint == "Allow it only if you know that page."


def test_a_source_of_tokens_that_does_not_answer_is_said() -> None:
    notice = wording.refusal_notice(samples.by_token(refusal=samples.look_up_failed()))
    assert notice is not None
    assert notice.message == "Where the token leads could not be found out."
    assert [r.deed for r in notice.remedies] == [Deed.DISMISS]


def test_asking_for_a_password_is_no_news() -> None:
    assert wording.refusal_notice(samples.by_token(refusal=samples.wrong_password())) is None


@pytest.mark.parametrize("origin", ["null", "file://", samples.HOSTILE, "chrome-extension://x"])
def test_what_is_no_web_pages_origin_cannot_be_allowed(origin: str) -> None:
    notice = wording.refusal_notice(samples.tunnel(refusal=samples.refusal(origin)))
    assert notice is not None
    assert [r.deed for r in notice.remedies] == [Deed.DISMISS]


def test_the_foot_counts_what_runs_needs_attention_and_is_connected() -> None:
    running, attention, connected = wording.foot_counts(samples.office())
    assert running.startswith("4 ")
    assert attention.startswith("2 ")
    assert connected.startswith("8 ")


CHOOSE = (Deed.SETTINGS, "tls.certificate")
MENDING = [
    (ReasonKind.SECRET, "tls.certificate", [(Deed.UNLOCK, ""), (Deed.USE_PASSPHRASE, ""), CHOOSE]),
    (ReasonKind.KEYRING_LOCKED, "tls.certificate", [(Deed.UNLOCK, ""), (Deed.USE_PASSPHRASE, ""), CHOOSE]),
    (ReasonKind.SECRET, "tls.key_password", [(Deed.SETTINGS, "tls.key_password")]),
    (ReasonKind.SECRET, "access.basic", [(Deed.SETTINGS, "access.basic")]),
    (ReasonKind.SECRET, "tokens.password", [(Deed.SETTINGS, "tokens.password")]),
    (ReasonKind.CERTIFICATE, "tls.certificate", [(Deed.CERTIFICATES, ""), CHOOSE]),
    (ReasonKind.CERTIFICATE, "tls.certificate_file", [CHOOSE]),
    (ReasonKind.CERTIFICATE, "tls.key_file", [CHOOSE]),
    (ReasonKind.CERTIFICATE, "tls.key_password", [(Deed.SETTINGS, "tls.key_password"), CHOOSE]),
    (ReasonKind.CERTIFICATE, "tls.client_authority", [(Deed.SETTINGS, "tls.client_authority")]),
    (ReasonKind.OTHER, "tls.ciphers", []),
]


@pytest.mark.parametrize(("kind", "field", "deeds"), MENDING, ids=[f"{kind}-{field}" for kind, field, _ in MENDING])
@pytest.mark.parametrize("make", [samples.failed, samples.restarting], ids=["failed", "running"])
def test_what_stands_in_the_way_of_tls_or_a_secret_has_the_buttons_that_help(
    make: Callable[..., TunnelSnapshot], kind: ReasonKind, field: str, deeds: list[tuple[Deed, str]]
) -> None:
    tunnel = make(reason=Reason(kind, "It cannot be used.", "", field))
    notice = wording.state_notice(tunnel, samples.NOW)
    assert notice is not None
    usual = [Deed.RETRY, Deed.EDIT] if tunnel.state is TunnelState.FAILED else [Deed.EDIT]
    assert [(r.deed, r.value) for r in notice.remedies] == [*deeds, *((deed, "") for deed in usual)]


def test_a_locked_keyring_asks_when_the_tunnel_is_tried_again() -> None:
    tunnel = samples.failed(reason=Reason(ReasonKind.KEYRING_LOCKED, "The keyring is locked.", "", "access.basic"))
    notice = wording.state_notice(tunnel, samples.NOW)
    assert notice is not None
    assert (notice.remedies[0].deed, notice.remedies[0].label) == (Deed.RETRY, "Unlock")


LACKING = [
    ("tls.certificate", "the certificate's key cannot be opened"),
    ("tls.key_password", "the certificate's key cannot be opened"),
    ("access.basic", "nobody's password can be checked"),
    ("tokens.source", "no token can be looked up"),
]


@pytest.mark.parametrize(("field", "lacking"), LACKING)
def test_a_missing_secret_is_told_with_what_it_is_needed_for(field: str, lacking: str) -> None:
    reason = Reason(ReasonKind.SECRET, "The variable X is not set.", "Set it.", field)
    notice = wording.state_notice(samples.failed(reason=reason), samples.NOW)
    assert notice is not None
    assert (notice.message, notice.hint) == ("The variable X is not set.", f"Without it {lacking}. Set it.")


@pytest.mark.parametrize(("field", "lacking"), LACKING)
def test_a_locked_keyring_is_told_with_what_waits_for_it_and_a_button_that_unlocks(field: str, lacking: str) -> None:
    error = locked()
    reason = Reason(ReasonKind.KEYRING_LOCKED, error.message, error.hint, field)
    notice = wording.state_notice(samples.failed(reason=reason), samples.NOW)
    assert notice is not None
    assert notice.message == f"The keyring is locked, so {lacking}."
    assert notice.hint == "Unlock it and try again."
    assert notice.remedies[0].label == "Unlock"


def test_a_locked_keyring_can_be_unlocked_from_the_row() -> None:
    text, tone, remedy = wording.row_line(samples.locked(), None, samples.NOW)
    assert (text, tone) == ("The keyring is locked.", "err")
    assert remedy is not None
    assert (remedy.deed, remedy.label) == (Deed.UNLOCK, "Unlock")
