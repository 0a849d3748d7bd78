"""From a profile to what its bridge goes by: rules, who may come in, and what keeps a tunnel from starting."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import make_certificate
from wsgui.access.admission import Admission
from wsgui.access.origins import check
from wsgui.bridge.buffer import ReadBuffer
from wsgui.bridge.settings import Settings
from wsgui.engine.preparation import prepare
from wsgui.engine.terms import OF_A_PROFILE, Terms
from wsgui.errors import TunnelError, WsguiError
from wsgui.profiles.addresses import TcpAddress, TlsAddress
from wsgui.profiles.model import Profile

SHELL = {"target": None, "command": {"run": ["sh"], "mode": "stdio"}}
TOKENS = {"target": None, "targets": {"a-long-token": {"target": "office:5901"}}}


async def prepared(terms: Terms = OF_A_PROFILE, **fields: Any) -> Settings:
    profile = Profile.model_validate({"name": "x", "listen": "127.0.0.1:0", "target": "demo:"} | fields)
    settings = await prepare(
        profile,
        terms,
        loop=asyncio.get_running_loop(),
        buffer=ReadBuffer(),
        listening=tuple,
        connector=None,
        say=lambda level, line: None,
    )
    if settings.admission is not None:
        await settings.admission.close()
    return settings


def refuses(settings: Settings, host: str, origin: str | None = None) -> bool:
    return settings.rules is not None and check(settings.rules, host, origin, secure=False) is not None


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not root: for what is asked of others."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() or 1000)


# A program for each connection


@pytest.mark.parametrize("mode", ["stdio", "terminal"])
async def test_root_runs_no_program_for_whoever_connects(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    fields = {"target": None, "command": {"run": ["sh"], "mode": mode}, "access": {"basic": "env:X"}}
    with pytest.raises(TunnelError, match="as root") as caught:
        await prepared(**fields)
    assert caught.value.field == "access.anyone"


async def test_root_does_where_the_profile_says_anyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    await prepared(**SHELL, access={"anyone": True})


async def test_root_runs_a_program_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    await prepared(target=None, command={"run": ["sh"], "mode": "port", "port": 5901})


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o770])
async def test_a_socket_in_a_folder_that_others_can_enter_is_not_enough(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(TunnelError, match="Other users can reach the socket") as caught:
        await prepared(**SHELL, listen=f"unix:{tmp_path}/s")
    assert f"chmod 700 {tmp_path}" in caught.value.hint
    tmp_path.chmod(0o700)


async def test_a_socket_in_a_folder_of_one_s_own_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    owner = os.stat(tmp_path).st_uid or 1000
    if os.getuid() == 0:
        os.chown(tmp_path, owner, -1)
    monkeypatch.setattr(os, "geteuid", lambda: owner)
    await prepared(**SHELL, listen=f"unix:{tmp_path}/s")


async def test_one_in_somebody_else_s_folder_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(tmp_path).st_uid + 4711)
    with pytest.raises(TunnelError, match="Other users"):
        await prepared(**SHELL, listen=f"unix:{tmp_path}/s")


@pytest.mark.usefixtures("nobody")
async def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(TunnelError, match="cannot be looked at"):
        await prepared(**SHELL, listen=f"unix:{tmp_path}/none/s")


@pytest.mark.usefixtures("nobody")
async def test_with_a_password_the_folder_may_be_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL_PASSWORD", "anna:correct horse battery")
    tmp_path.chmod(0o755)
    await prepared(**SHELL, listen=f"unix:{tmp_path}/s", access={"basic": "env:SHELL_PASSWORD"})


# Rules


async def test_pages_of_other_names_are_refused_where_nothing_secret_is_asked() -> None:
    settings = await prepared()
    assert settings.admission is None
    assert refuses(settings, "evil.example")
    assert refuses(settings, "localhost", "https://evil.example")
    assert not refuses(settings, "localhost")


async def test_with_a_token_any_name_will_do_and_origins_hold_still() -> None:
    settings = await prepared(**TOKENS)
    assert settings.admission is not None
    assert not refuses(settings, "vnc.example")
    assert refuses(settings, "vnc.example", "https://evil.example")


async def test_a_missing_secret_keeps_the_tunnel_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    with pytest.raises(WsguiError, match="NO_SUCH_VARIABLE"):
        await prepared(access={"basic": "env:NO_SUCH_VARIABLE"})


async def test_an_admission_is_opened_only_when_all_else_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Admission] = []

    async def note(admission: Admission) -> None:
        opened.append(admission)

    monkeypatch.setattr(Admission, "open", note)
    with pytest.raises(WsguiError):
        await prepared(**TOKENS, tls={"certificate_file": str(tmp_path / "none.pem")})
    assert not opened
    await prepared(**TOKENS)
    assert len(opened) == 1


async def test_a_token_leads_to_its_own_target_and_only_outside_ones_are_looked_at() -> None:
    settings = await prepared(**TOKENS)
    assert settings.connector is None
    assert settings.connector_to is not None
    inside = settings.connector_to(TcpAddress("169.254.169.254", 80), False)
    assert str(inside.address) == "169.254.169.254:80"
    refusals: list[WsguiError] = []
    outside = settings.connector_to(TcpAddress("169.254.169.254", 80), True)
    assert outside.connect(lambda _: None, refusals.append) is None
    assert "link-local" in refusals[0].message


# The terms of websockify's line


async def test_its_terms_ask_for_no_origin_and_no_host() -> None:
    settings = await prepared(Terms(websockify=True))
    assert not refuses(settings, "evil.example", "https://evil.example")


async def test_its_terms_leave_out_the_page_the_withdrawing_and_the_guard() -> None:
    terms = Terms(websockify=True, log_requests=True, token_plugin=("TokenFile", os.devnull))
    settings = await prepared(terms, target=None, targets={"a": {"target": "x:1"}})
    assert (settings.has_page, settings.withdraws, settings.log_requests) == (False, False, True)
    assert settings.connector_to is not None
    assert settings.connector_to(TcpAddress("169.254.169.254", 80), True)._guard is None  # type: ignore[attr-defined]


async def test_its_tokens_lead_to_tls_where_that_is_asked_for() -> None:
    settings = await prepared(Terms(encrypted_target=True), **TOKENS)
    assert settings.connector_to is not None
    assert settings.connector_to(TcpAddress("office", 1), False).address == TlsAddress("office", 1)


async def test_its_passphrase_opens_the_key(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, password=b"open sesame")
    tls = {"certificate_file": str(made.certificate), "key_file": str(made.key)}
    assert (await prepared(Terms(passphrase="open sesame"), tls=tls)).tls is not None
    with pytest.raises(WsguiError):
        await prepared(Terms(passphrase="wrong"), tls=tls)


# The Host rule of plain requests


def refuses_page(settings: Settings, host: str) -> bool:
    return settings.page_rules is not None and check(settings.page_rules, host, None, secure=False) is not None


async def test_a_token_for_upgrades_keeps_no_steered_page_from_a_folder(tmp_path: Path) -> None:
    settings = await prepared(**TOKENS, web={"root": str(tmp_path)})
    assert not refuses(settings, "vnc.example")
    assert refuses_page(settings, "vnc.example")


async def test_a_built_in_page_is_no_secret(tmp_path: Path) -> None:
    assert not refuses_page(await prepared(**TOKENS, web={"root": "demo"}), "vnc.example")


@pytest.mark.parametrize("require_access", [True, False])
async def test_a_password_for_files_makes_any_host_right(
    require_access: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORDS", "anna:secret")
    web = {"root": str(tmp_path), "require_access": require_access}
    settings = await prepared(access={"basic": "env:PASSWORDS"}, web=web)
    assert refuses_page(settings, "vnc.example") is not require_access


async def test_websockifys_line_has_no_rule_for_pages(tmp_path: Path) -> None:
    settings = await prepared(Terms(websockify=True), web={"root": str(tmp_path)})
    assert settings.page_rules is None
