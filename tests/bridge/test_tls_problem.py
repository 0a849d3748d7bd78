"""What is said of a TLS handshake that failed."""

from __future__ import annotations

import ssl

import pytest

from wsgui.bridge.tls_problem import tls_problem


def failure(reason: str) -> ssl.SSLError:
    error = ssl.SSLError()
    error.reason = reason
    return error


@pytest.mark.parametrize(
    "reason", ["TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "SSLV3_ALERT_BAD_CERTIFICATE"]
)
def test_a_client_that_does_not_trust_the_certificate_is_told_with_what_to_do(reason: str) -> None:
    message, hint = tls_problem(failure(reason))
    assert message == "A client does not trust this tunnel's certificate."
    assert '"wsgui certificate trust"' in hint
    assert '"Another device…"' in hint


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (failure("SSLV3_ALERT_CERTIFICATE_EXPIRED"), "because it has expired", "certificate renew"),
        (failure("SSLV3_ALERT_CERTIFICATE_REVOKED"), "was revoked", "another certificate"),
        (failure("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"), "this kind of certificate", "certificate create"),
        (failure("PEER_DID_NOT_RETURN_A_CERTIFICATE"), "showed no certificate", "client_authority"),
        (failure("CERTIFICATE_VERIFY_FAILED"), "certificate is not accepted", "client_authority"),
        (failure("HTTP_REQUEST"), "something else than TLS", "browser"),
        (failure("UNSUPPORTED_PROTOCOL"), "no TLS version", "newer client"),
        (failure("SOME_NEW_REASON"), "some new reason", "Check the client"),
        (ssl.SSLError(), "unknown reason", "Check the client"),
        (ConnectionResetError(), "broke off", "certificate trust"),
        (TimeoutError(), "in time", "network"),
    ],
)
def test_each_failure_has_its_words(error: BaseException, message: str, hint: str) -> None:
    said, to_do = tls_problem(error)
    assert message in said
    assert hint in to_do
    assert said.endswith(".")
    assert to_do.endswith(".")


def test_what_is_wrong_with_a_client_s_certificate_is_said() -> None:
    error = ssl.SSLCertVerificationError()
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    error.verify_message = "certificate has expired\x1b[0m"
    assert tls_problem(error)[0] == "A client's certificate is not accepted: certificate has expired\\x1b[0m."
