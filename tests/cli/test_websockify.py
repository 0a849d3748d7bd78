"""websockify's line as a tunnel: what is said at the start, its profile and terms, the link, the help."""

from __future__ import annotations

import os
import shlex
import ssl
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from wsgui.cli.websockify import ANY_PAGE, profile_of, proxying_line, settings_lines, terms_of, warnings
from wsgui.engine.terms import Terms
from wsgui.profiles.addresses import InheritedAddress, TcpAddress, TlsAddress, UnixAddress
from wsgui.profiles.websockify.manual import help_text
from wsgui.profiles.websockify.options import Options, absolute, parse

SECRETS = ("hunter2", "s3cret")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(line: str) -> Options:
    return absolute(parse(shlex.split(line)), os.getcwd())


# The profile


@pytest.mark.parametrize(
    ("line", "listen"),
    [
        ("6080 host:5901", TcpAddress("*", 6080)),
        (":6080 host:5901", TcpAddress("*", 6080)),
        ("[::1]:6080 host:5901", TcpAddress("::1", 6080)),
        ("Localhost:6080 host:5901", TcpAddress("localhost", 6080)),
        ("0 host:5901", TcpAddress("*", 0)),
        ("--unix-listen /run/x host:5901", UnixAddress("/run/x")),
    ],
)
def test_where_it_listens(line: str, listen: object) -> None:
    assert profile_of(of(line)).listen == listen


def test_inetd_s_listener_goes_before_the_line() -> None:
    assert profile_of(of("--inetd host:5901"), 7).listen == InheritedAddress(7)


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("6080 host:5901", TcpAddress("host", 5901)),
        ("6080 [::1]:5901", TcpAddress("::1", 5901)),
        ("6080 :5901", TcpAddress("localhost", 5901)),
        ("6080 host:5901 --ssl-target", TlsAddress("host", 5901)),
        ("6080 --unix-target /run/x --ssl-target", UnixAddress("/run/x")),
        ("6080 --token-plugin TokenFile --token-source x", None),
        ("6080 -- telnetd", None),
    ],
)
def test_where_it_leads(line: str, target: object) -> None:
    assert profile_of(of(line)).target == target


def test_it_has_no_limits_but_the_handshake_s() -> None:
    limits = profile_of(of("6080 host:5901")).limits
    assert (limits.connections, limits.per_address, limits.handshakes_per_address) == (0, 0, 0)
    assert (limits.connect_seconds, limits.idle_seconds, limits.heartbeat_seconds) == (0, 0, 0)
    assert limits.handshake_seconds == 6


def test_a_certificate_that_is_not_there_is_no_tls(folder: Path) -> None:
    assert profile_of(of("6080 host:5901 --key k")).tls.key_file == ""
    (folder / "self.pem").touch()
    assert profile_of(of("6080 host:5901")).tls.certificate_file == str(folder / "self.pem")


def test_an_authority_counts_with_verify_client_only(folder: Path) -> None:
    (folder / "self.pem").touch()
    assert profile_of(of("6080 host:5901 --cafile ca")).tls.client_authority is None
    assert profile_of(of("6080 host:5901 --cafile ca --verify-client")).tls.client_authority == str(folder / "ca")


@pytest.mark.parametrize(
    ("line", "mode", "when_it_ends"),
    [
        ("2023 -- telnetd", "rebind", "stop"),
        ("2023 --wrap-mode ignore -- telnetd", "rebind", "ignore"),
        ("2023 --wrap-mode=respawn -- telnetd -p {port}", "port", "restart"),
    ],
)
def test_a_program(line: str, mode: str, when_it_ends: str) -> None:
    command = profile_of(of(line)).command
    assert (command.run[0], command.port, command.mode, command.when_it_ends) == ("telnetd", 2023, mode, when_it_ends)


def test_files_are_listed_unless_that_is_unwanted() -> None:
    assert profile_of(of("6080 host:5901 --web .")).web.listing
    assert not profile_of(of("6080 host:5901 --web . --file-only")).web.listing


# The terms


def test_terms_without_options() -> None:
    terms = terms_of(of("6080 host:5901"))
    assert terms == Terms(websockify=True, tls_minimum=ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("--verbose", "log_requests", True),
        ("--ssl-version tlsv1_1", "tls_minimum", ssl.TLSVersion.TLSv1_1),
        ("--ssl-version tlsv1_3", "tls_minimum", ssl.TLSVersion.TLSv1_3),
        ("--key-password x", "passphrase", "x"),
        ("--verify-client", "verify_client", True),
        ("--ssl-target", "encrypted_target", True),
        ("--auth-plugin a.B", "auth_plugin", ("a.B", None)),
        ("--auth-plugin BasicHTTPAuth --auth-source u:p", "auth_plugin", ("BasicHTTPAuth", "u:p")),
    ],
)
def test_terms_of_an_option(option: str, field: str, value: object) -> None:
    assert getattr(terms_of(of(f"6080 host:5901 {option}")), field) == value


def test_the_mode_of_a_unix_socket() -> None:
    assert terms_of(of("--unix-listen /run/x host:5901")).unix_mode == 0o600
    assert terms_of(of("--unix-listen /run/x --unix-listen-mode 660 host:5901")).unix_mode == 0o660
    assert terms_of(of("6080 host:5901")).unix_mode is None


# What is said


def test_all_that_is_said_at_the_start(folder: Path) -> None:
    (folder / "self.pem").touch()
    assert settings_lines(of("6080 host:5901 --web . --file-only --ssl-only -D --record r")) == [
        "WebSocket server settings:",
        "  - Listen on :6080",
        f"  - Web server (no directory listings). Web root: {folder}",
        "  - SSL/TLS support",
        "  - Deny non-SSL/TLS connections",
        "  - Backgrounding (daemon)",
        f"  - Recording to '{folder}/r.*'",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("6080 host:5901", "from :6080 to host:5901"),
        ("[::1]:6080 [::2]:5901 --ssl-target", "from ::1:6080 to ::2:5901 (using SSL)"),
        ("--inetd host:5901", "from inetd to host:5901"),
        ("--unix-listen /run/x host:5901", "from /run/x to host:5901"),
        ("6080 --unix-target /run/x", "from :6080 to /run/x"),
        ("6080 --token-plugin site.Tokens", "from :6080 to targets generated by Tokens"),
        ("2023 -- telnetd -debug", "from :2023 to 'telnetd -debug' (port 2023)"),
    ],
)
def test_from_where_to_where(line: str, said: str) -> None:
    assert proxying_line(of(line)) == f"  - proxying {said}"


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("6080 host:5901 --key-password s3cret", "--key-password"),
        ("6080 host:5901 --auth-plugin BasicHTTPAuth --auth-source anna:hunter2", "--auth-source"),
        ("6080 --token-plugin TokenRedis --token-source redis:::s3cret", "--token-source"),
    ],
)
def test_a_secret_in_the_line_is_warned_of_and_not_said(line: str, option: str) -> None:
    (warning,) = [each for each in warnings(of(line)) if each != ANY_PAGE]
    assert option in warning
    assert not any(secret in warning for secret in SECRETS)


def test_without_one_only_that_any_page_may_connect_is_warned_of() -> None:
    assert warnings(of("6080 --token-plugin TokenRedis --token-source redis:6379:1")) == [ANY_PAGE]


def test_who_is_asked_for_something_needs_no_warning_of_pages() -> None:
    assert warnings(of("6080 host:5901 --auth-plugin ExpectOrigin --auth-source https://lab")) == []


def test_libserver_is_said_to_change_nothing() -> None:
    assert "--libserver" in warnings(of("6080 host:5901 --libserver"))[0]


# The program


def installed() -> Path:
    script = Path(sysconfig.get_path("scripts")) / "wsgui"
    if not script.exists():
        pytest.skip("wsgui is not installed as a program")
    return script


def run(*command: str | Path, path: str = os.defpath) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def test_the_help_is_the_same_under_both_names(folder: Path) -> None:
    link = folder / "websockify"
    link.symlink_to(installed())
    for command in ((sys.executable, "-m", "wsgui", "websockify"), (str(link),)):
        outcome = run(*command, "--help")
        assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, f"{help_text()}\n", "")


def test_a_link_is_made_that_runs_and_says_what_comes_before_it(folder: Path) -> None:
    script = installed()
    own, other = folder / "own bin", folder / "other"
    own.mkdir()
    other.mkdir()
    theirs = other / "websockify"
    theirs.write_text("#!/bin/sh\n")
    theirs.chmod(0o755)
    path = f"{other}:{own}:{os.defpath}"
    made = run(script, "websockify", "--install-link", own, path=path)
    assert made.returncode == 0
    assert f"{own}/websockify" in made.stdout
    assert str(theirs) in made.stderr
    wrong = run(own / "websockify", "6080")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("websockify: There is no target_addr:target_port.")


def test_it_starts_without_what_it_does_not_need() -> None:
    program = (
        "import sys; from wsgui.cli import websockify, websockify_process as process;"
        "process.profile_of(websockify.parse(['6080', 'host:5901']));"
        "print(*sorted({'httpx', 'redis', 'jwcrypto', 'cryptography', 'tomlkit', 'keyring', 'PySide6', 'requests',"
        "'importlib.metadata', 'wsgui.command.supervisor'} & sys.modules.keys()))"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert set(outcome.stdout.split()) <= {"importlib.metadata"}  # which a library of ours asks for its own version
