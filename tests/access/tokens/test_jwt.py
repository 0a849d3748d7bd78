"""JWTs as tokens: what is signed leads where it says, and every forgery nowhere."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from jwcrypto.jwt import JWT
from websockify.token_plugins import JWTTokenApi

from wsgui.access.tokens.jwt import LEEWAY_SECONDS, JwtTokens
from wsgui.access.tokens.source import MAX_JWT_BYTES, LookupFailed
from wsgui.errors import WsguiError
from wsgui.profiles.addresses import TcpAddress, TlsAddress

RSA = JWK.generate(kty="RSA", size=2048)
OTHER_RSA = JWK.generate(kty="RSA", size=2048)
EC = JWK.generate(kty="EC", crv="P-256")
ED = JWK.generate(kty="OKP", crv="Ed25519")
SECRET_TEXT = urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
SECRET = JWK(kty="oct", k=SECRET_TEXT)
LITERAL = JWK(kty="oct", k=urlsafe_b64encode(SECRET_TEXT.encode()).decode().rstrip("="))
TARGET = TcpAddress("office", 5901)
NOW = int(time.time())

Make = Callable[..., JwtTokens]


def claims(**changed: object) -> str:
    """Claims of a token that is good for an hour; those given as None are left out."""
    made = {"host": "office", "port": 5901, "exp": NOW + 3600} | changed
    return json.dumps({name: value for name, value in made.items() if value is not None})


def signed(key: JWK, algorithm: str, payload: str | bytes = "", **header: object) -> str:
    token = JWS(payload or claims())
    token.add_signature(key, algorithm, json.dumps({"alg": algorithm, **header}))
    return str(token.serialize(compact=True))


def encrypted(key: JWK, algorithm: str, content: str = "", **header: object) -> str:
    token = JWE(content or claims(), json.dumps({"alg": algorithm, "enc": "A256GCM", **header}))
    token.add_recipient(key)
    return str(token.serialize(compact=True))


def encoded(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).decode().rstrip("=")


def public(key: JWK) -> bytes:
    return bytes(key.export_to_pem())


def private(key: JWK) -> bytes:
    return bytes(key.export_to_pem(private_key=True, password=None))


@pytest.fixture
def source(tmp_path: Path) -> Make:
    """Makes a source whose key file holds these bytes."""

    def make(key: bytes, **options: Any) -> JwtTokens:
        file = tmp_path / "key"
        file.write_bytes(key)
        return JwtTokens(str(file), **options)

    return make


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS512"), (EC, "ES256"), (ED, "EdDSA")],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_token_signed_with_the_private_key_leads_where_it_says(source: Make, key: JWK, algorithm: str) -> None:
    tokens = source(public(key))
    await tokens.open()
    assert await tokens.look_up(signed(key, algorithm)) == TARGET
    await tokens.close()


@pytest.mark.parametrize("key", [SECRET, LITERAL])
async def test_a_secret_in_base64_is_taken_as_its_bytes_and_as_its_text(source: Make, key: JWK) -> None:
    assert await source(SECRET_TEXT.encode() + b"\n").look_up(signed(key, "HS256")) == TARGET


async def test_an_encrypted_token_may_hold_a_signed_one(source: Make) -> None:
    tokens = source(private(RSA))
    assert await tokens.look_up(encrypted(RSA, "RSA-OAEP-256", signed(RSA, "RS256"))) == TARGET
    tokens = source(private(EC))
    assert await tokens.look_up(encrypted(EC, "ECDH-ES+A128KW", signed(EC, "ES256"))) == TARGET


async def test_who_encrypts_with_the_secret_need_not_sign(source: Make) -> None:
    tokens = source(SECRET_TEXT.encode())
    assert await tokens.look_up(encrypted(SECRET, "dir")) == TARGET
    assert await tokens.look_up(encrypted(SECRET, "A256KW", signed(SECRET, "HS256"))) == TARGET


@pytest.mark.parametrize("strict", [True, False])
async def test_who_encrypts_with_the_public_key_has_to_sign(source: Make, strict: bool) -> None:
    tokens = source(private(RSA), strict=strict)
    for content in (claims(), encrypted(RSA, "RSA-OAEP"), signed(OTHER_RSA, "RS256"), "\N{BOMB}", "x"):
        assert await tokens.look_up(encrypted(RSA, "RSA-OAEP", content)) is None


@pytest.mark.parametrize("strict", [True, False])
async def test_the_public_key_is_never_taken_for_a_secret(source: Make, strict: bool) -> None:
    pem = public(RSA)
    tokens = source(pem, strict=strict)
    for data in (pem, pem.strip(), b"".join(pem.splitlines()[1:-1])):
        confused = JWK(kty="oct", k=encoded(data))
        for algorithm in ("HS256", "HS384", "HS512"):
            assert await tokens.look_up(signed(confused, algorithm)) is None


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 0, ["RS256"], "HS256", "ES256"])
async def test_the_header_does_not_choose_the_algorithm(source: Make, strict: bool, algorithm: object) -> None:
    _, payload, signature = signed(RSA, "RS256").split(".")
    tokens = source(public(RSA), strict=strict)
    for end in (signature, ""):
        assert await tokens.look_up(f"{encoded({'alg': algorithm})}.{payload}.{end}") is None
    assert await tokens.look_up(f"{encoded({})}.{payload}.{signature}") is None


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c"])
async def test_a_token_brings_no_key_along(source: Make, name: str) -> None:
    value: object = OTHER_RSA.export_public(as_dict=True) if name == "jwk" else "https://evil.example/key"
    tokens = source(public(RSA))
    assert await tokens.look_up(signed(OTHER_RSA, "RS256", **{name: value})) is None
    assert await tokens.look_up(signed(RSA, "RS256", **{name: value})) is None


async def test_websockifys_line_ignores_keys_that_a_token_brings(source: Make) -> None:
    tokens = source(public(RSA), strict=False)
    jwk = OTHER_RSA.export_public(as_dict=True)
    assert await tokens.look_up(signed(RSA, "RS256", jwk=jwk)) == TARGET
    assert await tokens.look_up(signed(OTHER_RSA, "RS256", jwk=jwk)) is None


@pytest.mark.parametrize("strict", [True, False])
async def test_a_key_identifier_names_no_file_and_no_other_key(source: Make, strict: bool) -> None:
    tokens = source(public(RSA), strict=strict)
    for kid in ("/dev/null", "../../etc/passwd", "' OR 1=1 --", 7, None):
        assert await tokens.look_up(signed(RSA, "RS256", kid=kid)) == TARGET
        assert await tokens.look_up(signed(OTHER_RSA, "RS256", kid=kid)) is None


@pytest.mark.parametrize("strict", [True, False])
async def test_header_parameters_that_change_the_meaning_are_refused(source: Make, strict: bool) -> None:
    tokens = source(public(RSA), strict=strict)
    assert await tokens.look_up(signed(RSA, "RS256", b64=False, crit=["b64"])) is None
    assert await tokens.look_up(signed(RSA, "RS256", crit=["alg"])) is None


@pytest.mark.parametrize("strict", [True, False])
async def test_a_compressed_token_is_not_inflated(source: Make, strict: bool) -> None:
    bomb = encrypted(SECRET, "dir", claims(padding="x" * 4_000_000), zip="DEF")
    assert len(bomb) < MAX_JWT_BYTES
    assert await source(SECRET_TEXT.encode(), strict=strict).look_up(bomb) is None


@pytest.mark.parametrize("strict", [True, False])
async def test_a_token_does_not_say_how_long_it_is_worked_at(source: Make, strict: bool) -> None:
    count = 10**9
    header = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": count, "p2s": encoded(os.urandom(16))}
    bomb = ".".join([encoded(header), encoded(bytes(40)), encoded(bytes(12)), encoded(bytes(60)), encoded(bytes(16))])
    began = time.process_time()
    assert await source(SECRET_TEXT.encode(), strict=strict).look_up(bomb) is None
    assert time.process_time() - began < 1


async def test_a_token_has_to_expire(source: Make) -> None:
    tokens = source(public(RSA))
    assert await tokens.look_up(signed(RSA, "RS256", claims(exp=None))) is None
    for never in (True, "9999999999", [], {}, float("inf"), float("nan")):
        assert await tokens.look_up(signed(RSA, "RS256", claims(exp=never))) is None
    overflow = claims().replace(str(NOW + 3600), "1e999")
    assert await tokens.look_up(signed(RSA, "RS256", overflow)) is None


async def test_websockifys_line_takes_a_token_without_expiry(source: Make) -> None:
    tokens = source(public(RSA), strict=False)
    assert await tokens.look_up(signed(RSA, "RS256", claims(exp=None))) == TARGET
    assert await tokens.look_up(signed(RSA, "RS256", claims(exp=NOW - 1))) is None
    assert await tokens.look_up(signed(RSA, "RS256", claims(nbf=NOW + 3600))) is None


async def test_a_token_is_taken_from_its_beginning_to_its_end(source: Make) -> None:
    tokens = source(public(RSA))
    assert await tokens.look_up(signed(RSA, "RS256", claims(exp=NOW - 2 * LEEWAY_SECONDS))) is None
    assert await tokens.look_up(signed(RSA, "RS256", claims(nbf=NOW + 3600))) is None
    assert await tokens.look_up(signed(RSA, "RS256", claims(nbf=NOW - 5.5, exp=10**400))) == TARGET


async def test_clocks_may_be_a_little_apart(source: Make) -> None:
    now = time.time()
    within = claims(exp=now - LEEWAY_SECONDS / 5, nbf=now + LEEWAY_SECONDS * 4 / 5)
    assert await source(public(RSA)).look_up(signed(RSA, "RS256", within)) == TARGET


@pytest.mark.parametrize("audience", ["lab", ["other", "lab"]])
async def test_the_audience_is_this_one(source: Make, audience: object) -> None:
    tokens = source(public(RSA), audience="lab")
    assert await tokens.look_up(signed(RSA, "RS256", claims(aud=audience))) == TARGET
    assert await source(public(RSA)).look_up(signed(RSA, "RS256", claims(aud="other"))) == TARGET


@pytest.mark.parametrize("audience", [None, "", "laboratory", [], ["other"], [["lab"]], {"lab": 1}, 7])
async def test_another_audience_is_refused(source: Make, audience: object) -> None:
    assert await source(public(RSA), audience="lab").look_up(signed(RSA, "RS256", claims(aud=audience))) is None


@pytest.mark.parametrize(
    ("host", "port", "target"),
    [
        ("office", "5901", TARGET),
        ("10.0.0.7", 22, TcpAddress("10.0.0.7", 22)),
        ("::1", 22, TcpAddress("::1", 22)),
        ("[::1]", "22", TcpAddress("::1", 22)),
        ("tls://office", 5901, TlsAddress("office", 5901)),
    ],
)
async def test_claims_name_host_and_port(source: Make, host: str, port: object, target: object) -> None:
    assert await source(public(RSA)).look_up(signed(RSA, "RS256", claims(host=host, port=port))) == target


@pytest.mark.parametrize(
    "hostile",
    [
        {"host": None},
        {"port": None},
        {"host": ["office"]},
        {"host": 7},
        {"host": ""},
        {"host": "off ice"},
        {"host": "office\n"},
        {"host": "a:b"},
        {"host": "user:pass@office"},
        {"host": "x" * 5000},
        {"host": "unix:/run/docker.sock"},
        {"host": "http://office"},
        {"host": "0.0.0.0"},
        {"port": True},
        {"port": 5901.5},
        {"port": "5901x"},
        {"port": "٥٩"},
        {"port": 0},
        {"port": -1},
        {"port": 65536},
        {"port": 10**400},
        {"port": "1" * 4000},
        {"port": {"x": 1}},
    ],
)
async def test_claims_that_are_no_address_lead_nowhere(source: Make, hostile: dict[str, object]) -> None:
    assert await source(public(RSA)).look_up(signed(RSA, "RS256", claims(**hostile))) is None


@pytest.mark.parametrize("payload", [b"[]", b"null", b"7", b"\xff\xfe", b"{", b"[" * 6000, b'{"host": "office"'])
async def test_a_payload_that_is_no_object_leads_nowhere(source: Make, payload: bytes) -> None:
    assert await source(public(RSA)).look_up(signed(RSA, "RS256", payload)) is None


async def test_a_token_of_100_kb_is_refused_unread(source: Make) -> None:
    tokens = source(public(RSA))
    assert await tokens.look_up(signed(RSA, "RS256", claims(padding="x" * 75_000))) is None
    assert await tokens.look_up("x" * 100_000) is None
    assert await tokens.look_up("." * 100_000) is None


async def test_a_changed_payload_or_another_key_is_refused(source: Make) -> None:
    tokens = source(public(RSA))
    header, _, signature = signed(RSA, "RS256").split(".")
    assert await tokens.look_up(f"{header}.{encoded(json.loads(claims(host='evil')))}.{signature}") is None
    assert await tokens.look_up(signed(OTHER_RSA, "RS256")) is None


async def test_a_token_in_json_form_is_refused(source: Make) -> None:
    token = JWS(claims())
    token.add_signature(RSA, "RS256", json.dumps({"alg": "RS256"}))
    assert await source(public(RSA)).look_up(token.serialize()) is None


async def test_a_replaced_key_counts_at_once(source: Make, tmp_path: Path) -> None:
    tokens = source(public(RSA))
    assert await tokens.look_up(signed(RSA, "RS256")) == TARGET
    source(public(OTHER_RSA))
    assert await tokens.look_up(signed(RSA, "RS256")) is None
    assert await tokens.look_up(signed(OTHER_RSA, "RS256")) == TARGET


async def test_a_key_that_is_gone_fails_the_look_up(source: Make, tmp_path: Path) -> None:
    tokens = source(public(RSA))
    await tokens.open()
    (tmp_path / "key").unlink()
    with pytest.raises(LookupFailed) as caught:
        await tokens.look_up(signed(RSA, "RS256"))
    assert caught.value.status == 502


async def test_a_profile_does_not_start_without_a_key(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for key in (str(tmp_path / "missing"), str(tmp_path / "empty"), str(tmp_path), "env:WSGUI_TEST_NO_SUCH"):
        with pytest.raises(WsguiError) as caught:
            await JwtTokens(key).open()
        assert caught.value.field == "tokens.source"
        assert caught.value.hint


async def test_websockifys_line_starts_without_a_key_and_lets_nobody_in(tmp_path: Path) -> None:
    tokens = JwtTokens(str(tmp_path / "key"), strict=False)
    await tokens.open()
    with pytest.raises(LookupFailed):
        await tokens.look_up(signed(RSA, "RS256"))
    (tmp_path / "key").write_bytes(public(RSA))
    assert await tokens.look_up(signed(RSA, "RS256")) == TARGET


async def test_refusals_are_logged_without_the_token(source: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = signed(RSA, "RS256", claims(exp=1, host="secret-host"))
    await source(public(RSA)).look_up(token)
    assert "expired" in caplog.text
    assert not [part for part in (*token.split("."), "secret-host") if part in caplog.text]


async def test_a_session_may_last_longer_than_its_token(source: Make) -> None:
    assert await source(public(RSA)).still_leads(signed(RSA, "RS256", claims(exp=1)), TARGET)


@pytest.mark.parametrize(
    ("file", "key", "algorithm"),
    [(public(RSA), RSA, "RS256"), (private(EC), EC, "ES256"), (SECRET_TEXT.encode(), SECRET, "HS512")],
)
async def test_websockifys_tokens_lead_to_the_same_place(
    source: Make, tmp_path: Path, file: bytes, key: JWK, algorithm: str
) -> None:
    if algorithm == "HS512":
        file = SECRET_TEXT.encode() * 2
        key = JWK(kty="oct", k=file.decode())
    tokens = source(file, strict=False)
    theirs = JWTTokenApi(str(tmp_path / "key"))
    for changed in ({}, {"exp": None}, {"exp": NOW - 60}, {"nbf": NOW + 60}, {"port": "22"}):
        token = JWT({"alg": algorithm}, json.loads(claims(**changed)))
        token.make_signed_token(key)
        answer = theirs.lookup(token.serialize())
        expected = None if answer is None else TcpAddress(answer[0], int(answer[1]))
        assert await tokens.look_up(token.serialize()) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HEADERS = st.dictionaries(
    st.sampled_from(["alg", "enc", "typ", "kid", "epk", "zip", "crit", "b64", "iv", "tag", "apu", "apv"]),
    st.sampled_from(["RS256", "RSA-OAEP", "dir", "HS256", "A256GCM", "ECDH-ES", "A256GCMKW", "DEF"]) | JSON,
)
RUBBISH = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300).map(lambda data: data.decode("latin-1")),
    st.lists(st.binary(max_size=60).map(encoded), min_size=2, max_size=6).map(".".join),
    st.tuples(HEADERS, st.lists(st.binary(max_size=60).map(encoded), min_size=1, max_size=5)).map(
        lambda parts: ".".join([encoded(json.dumps(parts[0]).encode()), *parts[1]])
    ),
)


@pytest.mark.parametrize("file", [private(RSA), private(EC), SECRET_TEXT.encode()], ids=["rsa", "ec", "secret"])
@pytest.mark.parametrize("strict", [True, False])
def test_rubbish_never_gets_in_and_breaks_nothing(tmp_path: Path, file: bytes, strict: bool) -> None:
    (tmp_path / "key").write_bytes(file)
    tokens = JwtTokens(str(tmp_path / "key"), strict=strict)

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(RUBBISH)
    def fuzz(token: str) -> None:
        assert asyncio.run(tokens.look_up(token)) is None

    fuzz()


def test_a_token_with_any_character_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(public(EC))
    tokens = JwtTokens(str(tmp_path / "key"))
    token = signed(EC, "ES256")
    # The last character of a part has bits in it that encode nothing.
    places = [place for place in range(len(token) - 1) if "." not in token[place : place + 2]]

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(places), st.sampled_from("ABab01-_.=+ \x00é"))
    def fuzz(place: int, other: str) -> None:
        changed = token[:place] + other + token[place + 1 :]
        assert changed == token or asyncio.run(tokens.look_up(changed)) is None

    fuzz()
