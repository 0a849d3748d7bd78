"""A line of websockify as a profile, and back: the same, or each difference has a name."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsgui.errors import UsageError
from wsgui.profiles.editing import new_text
from wsgui.profiles.model import Profile
from wsgui.profiles.reading import build_profile
from wsgui.profiles.websockify.conversion import Converted, suggested_name, to_line, to_settings
from wsgui.profiles.websockify.options import TARGET, Options, absolute, parse
from wsgui.profiles.websockify.table import ROWS, short_name
from wsgui.profiles.websockify.token_plugins import in_profile

FOLDER = "/start"
SECRET = "geheim-2718"


def converted(line: str, **more: str) -> Converted:
    return to_settings(parse(shlex.split(line)), folder=FOLDER, **more)


def imported(line: str, **more: str) -> Profile:
    return build_profile(converted(line, **more).settings, "the line")


def lost(line: str) -> dict[str, str]:
    return {each.option: each.reason for each in converted(line).lost}


def profile(**fields: Any) -> Profile:
    return Profile.model_validate({"name": "Office", "target": "office:5901"} | fields)


def exported(**fields: Any) -> str:
    return shlex.join(to_line(profile(**fields)).argv)


def not_said(**fields: Any) -> set[str]:
    return {each.option for each in to_line(profile(**fields)).lost}


@pytest.mark.parametrize(
    ("line", "listen"),
    [
        ("6080 h:1", "*:6080"),
        (":6080 h:1", "*:6080"),
        ("127.0.0.1:6080 h:1", "127.0.0.1:6080"),
        ("[::1]:6080 h:1", "[::1]:6080"),
        ("::1:6080 h:1", "[::1]:6080"),
        ("0 h:1", "*:0"),
        ("--unix-listen s h:1", "unix:/start/s"),
        ("--unix-listen /run/s h:1", "unix:/run/s"),
        ("--inetd h:1", "fd:0"),
    ],
)
def test_it_listens_where_the_line_does(line: str, listen: str) -> None:
    assert str(imported(line).listen) == listen


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("6080 office:5901", "office:5901"),
        ("6080 [::1]:5901", "[::1]:5901"),
        ("6080 :5901", "localhost:5901"),
        ("6080 0.0.0.0:5901", "127.0.0.1:5901"),
        ("6080 [::]:5901", "[::1]:5901"),
        ("6080 --ssl-target office:5901", "tls://office:5901"),
        ("6080 --unix-target t", "unix:/start/t"),
    ],
)
def test_it_leads_where_the_line_does(line: str, target: str) -> None:
    assert str(imported(line).target) == target


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ("TokenFile --token-source t", "file:/start/t"),
        ("websockify.token_plugins.TokenFile --token-source t", "file:/start/t"),
        ("ReadOnlyTokenFile --token-source /t", "file:/t"),
        ("TokenFileName --token-source t", "file-per-token:/start/t"),
        ("UnixDomainSocketDirectory --token-source t", "unix-directory:/start/t"),
        ("JWTTokenApi --token-source k", "jwt:/start/k"),
        ("BaseTokenAPI --token-source https://api/%s", "https://api/%s"),
        ("JSONTokenApi --token-source http://127.0.0.1:80/%s", "http://127.0.0.1:80/%s"),
        ("JSONTokenApi --token-source http://api/%s", "https://api/%s"),
        ("TokenRedis --token-source r", "redis://r:6379/0"),
        ("TokenRedis --token-source r:1:2", "redis://r:1/2"),
        ("TokenRedis --token-source '\"::1\":1'", "redis://[::1]:1/0"),
        ("TokenRedis --token-source 'r::::\"a:b\"'", "redis://r:6379/0?namespace=a%3Ab"),
        ("my.plugins.Tokens --token-source x", "plugin:my.plugins.Tokens"),
    ],
)
def test_a_token_class_becomes_a_source(options: str, source: str) -> None:
    assert imported(f"6080 --token-plugin {options}").tokens.source == source


def test_target_config_is_a_token_file() -> None:
    assert imported("6080 --target-config t").tokens.source == "file:/start/t"
    assert "--target-config" in lost("6080 --target-config t")


def test_the_host_as_token_and_a_plugins_argument_arrive() -> None:
    tokens = imported("6080 --token-plugin my.Tokens --token-source x --host-token").tokens
    assert tokens.by_host
    assert tokens.argument == "x"


@pytest.mark.parametrize(
    "options",
    [
        "Nope --token-source x",
        "TokenFile",
        "BasePlugin",
        "TokenRedis --token-source r:x",
        "TokenRedis --token-source a:1:2:3:4:5",
        "TokenRedis --token-source a:1:geheim-2718:::",
    ],
)
def test_a_token_class_that_cannot_be_is_a_usage_error(options: str) -> None:
    with pytest.raises(UsageError) as caught:
        imported(f"6080 --token-plugin {options}")
    assert "--token-" in caught.value.message
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "when_it_ends"), [("exit", "stop"), ("ignore", "ignore"), ("respawn", "restart"), (None, "stop")]
)
def test_a_wrapped_program_becomes_a_command(mode: str | None, when_it_ends: str) -> None:
    command = imported(f"2023 {f'--wrap-mode {mode}' if mode else ''} -- telnetd -d --").command
    assert command.run == ("telnetd", "-d", "--")
    assert (command.mode, command.port, command.when_it_ends) == ("rebind", None, when_it_ends)


def test_a_program_by_a_relative_path_is_named_by_the_whole_one() -> None:
    assert imported("2023 -- ./bin/telnetd").command.run[0] == "/start/./bin/telnetd"


def test_a_program_that_is_told_its_port_is_told_it_in_the_profile_too() -> None:
    assert imported("2023 -- python3 -m http.server {port}").command.mode == "port"


def test_tls_arrives_with_its_files() -> None:
    tls = imported("6080 h:1 --cert c --key k --ssl-ciphers A:B --ssl-version tlsv1_3").tls
    assert (tls.certificate_file, tls.key_file) == ("/start/c", "/start/k")
    assert (tls.ciphers, tls.minimum, tls.only) == ("A:B", "1.3", False)


def test_plain_connections_stay_refused() -> None:
    assert imported("6080 h:1 --cert c --ssl-only").tls.only is True


def test_the_default_certificate_is_named_when_tls_was_asked_for_and_told_of_otherwise() -> None:
    assert imported("6080 h:1 --ssl-only").tls.certificate_file == "/start/self.pem"
    assert imported("6080 h:1").tls.certificate_file == ""
    assert "self.pem" in lost("6080 h:1")["--cert"]


def test_client_certificates_are_asked_for() -> None:
    made = imported("6080 h:1 --cert c --verify-client --cafile a")
    assert made.tls.client_authority == "/start/a"
    assert made.tls.only is True


@pytest.mark.parametrize("line", ["6080 h:1 --cert c --verify-client", "6080 h:1 --auth-plugin ClientCertCNAuth"])
def test_without_a_named_authority_the_tunnel_does_not_start(line: str) -> None:
    assert (imported(line).tls.client_authority or "").startswith("unbound:")
    assert {"--verify-client", "--auth-plugin"} & set(lost(line))


def test_names_of_client_certificates_arrive() -> None:
    line = "6080 h:1 --cert c --verify-client --cafile a --auth-plugin ClientCertCNAuth --auth-source 'ann bob'"
    assert imported(line).access.client_names == ("ann", "bob")


def test_origins_arrive_and_what_no_page_has_is_named() -> None:
    line = "6080 h:1 --auth-plugin ExpectOrigin --auth-source 'https://a:443 http://b:81 null * same-host'"
    assert imported(line).access.origins == ("https://a", "http://b:81")
    reasons = [each.reason for each in converted(line).lost if each.option == "--auth-source"]
    assert [word in reason for word, reason in zip(("null", "*", "same-host"), reasons, strict=True)] == [True] * 3


def test_a_class_without_origins_lets_no_page_in() -> None:
    assert imported("6080 h:1 --auth-plugin ExpectOrigin").access.origins == ()


def test_pages_of_other_sites_are_named_as_kept_out() -> None:
    assert imported("6080 h:1").access.origins == ("same-host",)
    assert "pages and names" in lost("6080 h:1")


def test_a_class_of_somebody_else_arrives_with_its_argument() -> None:
    access = imported("6080 h:1 --auth-plugin my.Auth --auth-source 'a b'").access
    assert (access.plugin, access.plugin_argument) == ("my.Auth", "a b")


def test_an_unknown_authentication_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--auth-plugin"):
        imported("6080 h:1 --auth-plugin Nope")


@pytest.mark.parametrize(
    ("options", "web"),
    [
        ("", ("/start/w", True, True)),
        ("--file-only", ("/start/w", False, True)),
        ("--auth-plugin my.Auth", ("/start/w", True, False)),
        ("--auth-plugin my.Auth --web-auth", ("/start/w", True, True)),
    ],
)
def test_the_folder_arrives_with_its_rules(options: str, web: tuple[str, bool, bool]) -> None:
    made = imported(f"6080 h:1 --web w {options}").web
    assert (made.root, made.listing, made.require_access) == web


@pytest.mark.parametrize(("options", "seconds"), [("", 0), ("--heartbeat 25", 25), ("--heartbeat 9999999", 0)])
def test_pings_are_as_often(options: str, seconds: int) -> None:
    assert imported(f"6080 h:1 {options}").limits.heartbeat_seconds == seconds
    assert ("--heartbeat" in lost(f"6080 h:1 {options}")) == (seconds == 0 and bool(options))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("-D", "--daemon"),
        ("-v", "--verbose"),
        ("--traffic", "--traffic"),
        ("--run-once", "--run-once"),
        ("--timeout 3", "--timeout"),
        ("--idle-timeout 3", "--idle-timeout"),
        ("--libserver", "--libserver"),
        ("--record x", "--record"),
        ("--log-file x", "--log-file"),
        ("--syslog x --legacy-syslog", "--legacy-syslog"),
        ("--ssl-version tlsv1_1", "--ssl-version"),
        ("--cafile x", "--cafile"),
        ("--file-only", "--file-only"),
        ("--wrap-mode ignore", "--wrap-mode"),
    ],
)
def test_what_no_profile_holds_is_named(options: str, named: str) -> None:
    assert named in lost(f"6080 h:1 {options}")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("--unix-listen s --unix-listen-mode 666 h:1", "--unix-listen-mode"),
        ("--inetd h:1", "--inetd"),
        ("-6 vnc.lab:6080 h:1", "--prefer-ipv6"),
        ("6080 --unix-target t --ssl-target", "--ssl-target"),
        ("6080 --ssl-target -- program", "--ssl-target"),
        ("6080 --ssl-target --token-plugin my.Tokens", "--ssl-target"),
        ("6080 --token-plugin my.Tokens --unix-target t", "--unix-target"),
        ("6080 --token-plugin my.Tokens -- program", "--"),
        ("6080 --unix-target t -- program", "--"),
    ],
)
def test_what_does_not_go_together_in_a_profile_is_named(line: str, named: str) -> None:
    assert named in lost(line)
    assert imported(line)


@pytest.mark.parametrize("line", ["-6 6080 h:1", "-6 [::1]:6080 h:1", "-6 127.0.0.1:6080 h:1"])
def test_what_changes_nothing_is_not_named(line: str) -> None:
    assert "--prefer-ipv6" not in lost(line)


SECRET_LINES = [
    (f"6080 h:1 --auth-plugin BasicHTTPAuth --auth-source ann:{SECRET}", "access.basic"),
    (f"6080 h:1 --auth-plugin websockify.auth_plugins.BasicHTTPAuth --auth-source ann:{SECRET}", "access.basic"),
    (f"6080 h:1 --cert c --key-password {SECRET}", "tls.key_password"),
    (f"6080 --token-plugin TokenRedis --token-source localhost:::{SECRET}:n", "tokens.password"),
    (f"6080 --token-plugin TokenRedis --token-source redis.lab:::{SECRET}:n", "tokens.password"),
]


@pytest.mark.parametrize(("line", "field"), SECRET_LINES)
def test_a_secret_is_not_stored_and_it_is_said_how_to_give_it(line: str, field: str) -> None:
    made = converted(line, name="Büro")
    (secret,) = made.secrets
    section, name = field.split(".")
    assert secret.field == field
    assert made.settings[section][name] == secret.reference == f"unbound:{secret.reference.partition(':')[2]}"
    assert "wsgui secret set buro-" in secret.remedy
    text = new_text(build_profile(made.settings, "the line"))
    assert SECRET not in text + repr(made) + repr(made.lost)


@pytest.mark.parametrize(("line", "field"), SECRET_LINES)
def test_a_secret_is_a_word_in_capitals_on_the_line(line: str, field: str) -> None:
    made = to_line(imported(line))
    assert SECRET not in shlex.join(made.argv)
    assert field in {each.option for each in made.lost}


def test_a_password_that_would_cross_the_network_makes_it_tls() -> None:
    made = imported("6080 --token-plugin TokenRedis --token-source redis.lab:::pw")
    assert made.tokens.source == "rediss://redis.lab:6379/0"


def test_user_and_password_of_a_url_are_left_out() -> None:
    line = f"6080 --token-plugin BaseTokenAPI --token-source https://ann:{SECRET}@api/%s"
    assert imported(line).tokens.source == "https://api/%s"
    assert "--token-source" in lost(line)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("6080 office:5901", "office"),
        ("6080 localhost:5901", "Port 5901"),
        ("6080 :5901", "Port 5901"),
        ("6080 192.168.1.5:5901", "192.168.1.5"),
        ("6080 -- /usr/bin/telnetd", "telnetd"),
        ("6080 --unix-target /run/x.sock", "x.sock"),
        ("6080 --target-config x", "Tokens"),
        ("6080 -- ./-x.toml.TOML", "x"),
        ("6080 -- /", "websockify"),
    ],
)
def test_a_name_is_suggested(line: str, name: str) -> None:
    assert suggested_name(parse(shlex.split(line))) == name


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_suggested_name_is_one(program: str) -> None:
    name = suggested_name(Options(listen_port=1, command=(program,)))
    assert imported("6080 h:1", name=name).name


def test_a_line_that_asks_for_help_is_no_profile() -> None:
    with pytest.raises(UsageError, match="help"):
        converted("--help")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"listen": "*:6080"}, "--heartbeat 30 6080 office:5901"),
        ({"listen": "0.0.0.0:6080"}, "--heartbeat 30 0.0.0.0:6080 office:5901"),
        ({"target": "tls://office:5901"}, "--heartbeat 30 --ssl-target 127.0.0.1:6080 office:5901"),
        ({"target": "unix:/x"}, "--heartbeat 30 --unix-target /x 127.0.0.1:6080"),
        ({"listen": "unix:/x"}, "--heartbeat 30 --unix-listen /x office:5901"),
        ({"listen": "fd:0"}, "--heartbeat 30 --inetd office:5901"),
        ({"web": {"root": "/w"}}, "--web /w --file-only --heartbeat 30 127.0.0.1:6080 office:5901"),
        (
            {"tls": {"certificate_file": "/c"}, "listen": "*:1"},
            "--cert /c --ssl-only --heartbeat 30 1 office:5901",
        ),
        (
            {"target": None, "command": {"run": ["telnetd", "-d"]}, "limits": {"heartbeat_seconds": 0}},
            "--wrap-mode respawn 127.0.0.1:6080 -- telnetd -d",
        ),
    ],
)
def test_a_profile_is_written_as_a_line(fields: Mapping[str, Any], line: str) -> None:
    assert exported(**fields) == line


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "access.origins"),
        ({"target": "demo:"}, "target"),
        ({"listen": "fd:3"}, "listen"),
        ({"group": "Lab"}, "group"),
        ({"autostart": False}, "autostart"),
        ({"limits": {"idle_seconds": 5}}, "limits.idle_seconds"),
        ({"limits": {"heartbeat_seconds": 1.5}}, "limits.heartbeat_seconds"),
        ({"limits": {"connections": 5}}, "limits.connections"),
        ({"web": {"root": "vnc"}}, "web.root"),
        ({"web": {"root": "/w", "frames": ["https://a"]}}, "web.frames"),
        ({"access": {"hosts": ["vnc.lab"]}}, "access.hosts"),
        ({"access": {"origins": ["https://a", "same-host"]}}, "access.origins"),
        ({"target": None, "targets": {SECRET: "h:1"}}, "targets"),
        ({"target": None, "targets": {SECRET: "h:1"}, "tokens": {"source": "file:/x"}}, "tokens.source"),
        ({"target": None, "tokens": {"source": "file:/x", "allow": ["10.0.0.0/8:1"]}}, "tokens.allow"),
        ({"target": None, "tokens": {"source": "jwt:keyring:x"}}, "tokens.source"),
        ({"target": None, "tokens": {"source": "jwt:/x", "audience": "me"}}, "tokens.audience"),
        ({"target": None, "command": {"run": ["x"], "port": 5901}}, "command.port"),
        ({"target": None, "command": {"run": ["x"], "mode": "port"}}, "command.mode"),
        ({"target": None, "command": {"run": ["x"], "port": 5901}, "listen": "unix:/x"}, "listen"),
        ({"target": None, "command": {"run": ["x"], "environment": {"A": SECRET}}}, "command.environment"),
        ({"target": None, "command": {"run": ["x"], "mode": "stdio"}, "access": {"anyone": True}}, "command"),
        ({"access": {"basic": "env:X", "plugin": "a.B"}}, "access.basic"),
        ({"tls": {"certificate_file": "unbound:c"}}, "tls.certificate_file"),
    ],
)
def test_what_the_line_cannot_say_is_named(fields: Mapping[str, Any], named: str) -> None:
    made = to_line(profile(**fields))
    assert named in {each.option for each in made.lost}
    assert SECRET not in shlex.join(made.argv) + repr(made.lost)


def test_a_profile_that_any_page_may_use_loses_nothing() -> None:
    assert not_said(access={"origins": ["*"]}) == set()


@pytest.mark.parametrize("target", [{"target": "demo:"}, {"target": None, "command": {"run": ["x"], "mode": "stdio"}}])
def test_where_there_is_no_such_target_the_line_does_not_run(target: Mapping[str, Any]) -> None:
    line = exported(**target, access={"anyone": True})
    assert line.endswith(TARGET)
    with pytest.raises(UsageError):
        parse(shlex.split(line))


def test_whoever_must_show_a_certificate_cannot_come_in_plain() -> None:
    assert "--ssl-only --verify-client --cafile /a" in exported(
        tls={"certificate_file": "/c", "client_authority": "/a", "only": False}
    )


HOSTS = st.sampled_from(["", "127.0.0.1", "0.0.0.0", "::1", "fe80::1", "vnc.lab"])
PATHS = st.sampled_from(["x", "/abs/x.pem", "folder/y", "-z", "a b", "ü'"])
PORTS = st.integers(1, 30000)
WORDS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=6)
TOKEN_CLASSES = {
    "TokenFile": PATHS,
    "ReadOnlyTokenFile": PATHS,
    "TokenFileName": PATHS,
    "UnixDomainSocketDirectory": PATHS,
    "JWTTokenApi": PATHS,
    "websockify.token_plugins.TokenFile": PATHS,
    "BaseTokenAPI": st.sampled_from(["https://api/%s", "http://localhost:8000/?t=%s", f"http://a:{SECRET}@api/%s"]),
    "JSONTokenApi": st.sampled_from(["https://api/%s"]),
    "TokenRedis": st.sampled_from(["r", "r:1", "r::2", '"::1":1:2', f"r:::{SECRET}", f'::2:{SECRET}:"a:b"']),
    "my.plugins.Tokens": WORDS,
}
AUTH_CLASSES = {
    "BasicHTTPAuth": st.just(f"ann:{SECRET}"),
    "websockify.auth_plugins.BasicHTTPAuth": st.just(f"ann:{SECRET}"),
    "ExpectOrigin": st.lists(st.sampled_from(["https://a", "http://b:81", "null", "*"]), max_size=3).map(" ".join),
    "ClientCertCNAuth": st.lists(st.sampled_from(["ann", "bob"]), max_size=2).map(" ".join),
    "my.plugins.Auth": WORDS,
}
FLAGS = ("daemon", "run_once", "libserver", "verbose", "traffic", "ssl_only", "verify_client", "file_only")
MORE_FLAGS = ("prefer_ipv6", "ssl_target")
VALUES = {
    "cert": PATHS,
    "key": PATHS,
    "cafile": PATHS,
    "web": PATHS,
    "record": PATHS,
    "log_file": PATHS,
    "syslog": PATHS,
    "key_password": st.just(SECRET),
    "ssl_ciphers": st.sampled_from(["HIGH", "A:!B"]),
    "ssl_version": st.sampled_from(["default", "tlsv1_1", "tlsv1_2", "tlsv1_3"]),
    "timeout_seconds": st.integers(0, 9).map(str),
    "idle_timeout_seconds": st.integers(0, 9).map(str),
    "heartbeat_seconds": st.integers(0, 10**6).map(str),
    "wrap_mode": st.sampled_from(["exit", "ignore", "respawn"]),
}
FLAG_OF = {row.field: row.flags[-1] for row in ROWS}


def written(host: str, port: int) -> str:
    return f"{host}:{port}" if host else str(port)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Lines that websockify takes, of every option."""
    options = [FLAG_OF[flag] for flag in (*FLAGS, *MORE_FLAGS) if draw(st.integers(0, 3)) == 0]
    for name, values in VALUES.items():
        if draw(st.integers(0, 3)) == 0:
            options.append(f"{FLAG_OF[name]}={draw(values)}")
            if name == "syslog" and draw(st.booleans()):
                options.append("--legacy-syslog")
            if name == "web":
                options.append("--web-auth")
    auth = draw(st.sampled_from(["", *AUTH_CLASSES]))
    if auth:
        options += [f"--auth-plugin={auth}"]
        if draw(st.booleans()):
            options.append(f"--auth-source={draw(AUTH_CLASSES[auth])}")
    else:
        options = [each for each in options if each != "--web-auth"]
    listening = draw(st.sampled_from(["port", "port", "unix", "inetd"]))
    kinds = draw(st.sets(st.sampled_from(["tokens", "unix", "command"])))
    positionals: list[str] = []
    if listening == "port":
        positionals.append(written(draw(HOSTS), draw(PORTS)))
    elif listening == "unix":
        options.append(f"--unix-listen={draw(PATHS)}")
        if draw(st.booleans()):
            options.append("--unix-listen-mode=" + draw(st.sampled_from(["600", "660", "0777"])))
    else:
        options.append("--inetd")
    if "tokens" in kinds:
        plugin = draw(st.sampled_from([*TOKEN_CLASSES]))
        source = draw(TOKEN_CLASSES[plugin])
        if plugin == "TokenFile" and draw(st.booleans()):
            options.append(f"--target-config={source}")
        else:
            options += [f"--token-plugin={plugin}", f"--token-source={source}"]
            if draw(st.booleans()):
                options.append("--host-token")
    if "unix" in kinds:
        options.append(f"--unix-target={draw(PATHS)}.target")
    command: list[str] = []
    if "command" in kinds and listening == "port":
        command = ["--", *draw(st.lists(st.one_of(WORDS, st.just("{port}")), min_size=1, max_size=3))]
    elif not kinds - {"command"}:
        positionals.append(f"{draw(HOSTS)}:{30000 + draw(PORTS)}")
    return [*draw(st.permutations(options)), *positionals, *command]


# What a name among the lost ones may have changed, as fields of Options.
CHANGES = {
    "--auth-plugin": {"auth_plugin", "auth_source", "verify_client", "cafile", "ssl_only", "web_auth"},
    "--auth-source": {"auth_source"},
    "--token-plugin": {"token_plugin", "token_source"},
    "--token-source": {"token_source"},
    "--target-config": {"target_config"},
    "--verify-client": {"cafile", "ssl_only"},
    "--": {"command", "wrap_mode"},
    "access.basic": {"auth_source"},
    "access.client_names": {"auth_source"},
    "tokens.source": {"token_plugin", "token_source"},
    "tokens.password": {"token_source"},
    "tls.key_password": {"key_password"},
    "tls.client_authority": {"cafile"},
    "targets": {"token_plugin", "token_source"},
}


def comparable(options: Options) -> dict[str, Any]:
    """The options with what means the same written the same."""
    there = dataclasses.asdict(absolute(options, FOLDER))
    there["auth_plugin"] = short_name(options.auth_plugin, "websockify.auth_plugins.")
    there["token_plugin"] = short_name(options.token_plugin, "websockify.token_plugins.")
    if options.token_plugin:
        there["token_source"] = in_profile(there["token_plugin"], there["token_source"])
    if options.auth_plugin == "ExpectOrigin" and not options.auth_source:
        there["auth_source"] = None
    there["auth_source"] = there["auth_source"] or None
    if options.ssl_version == "tlsv1_2":
        there["ssl_version"] = "default"
    if options.target_port:
        hosts = {"": "localhost", "0.0.0.0": "127.0.0.1"}
        there["target_host"] = hosts.get(options.target_host, options.target_host)
    if options.listen_host != "vnc.lab":
        there["prefer_ipv6"] = False
    if options.command and "/" in options.command[0]:
        there["command"] = (f"{FOLDER}/{options.command[0]}".replace(f"{FOLDER}//", "/"), *options.command[1:])
    if not options.web:
        there["web_auth"] = False
    return there


@settings(max_examples=200, deadline=None)
@given(line=lines())
def test_export_of_import_is_equivalent_or_names_each_lost_option(line: list[str]) -> None:
    options = parse(line)
    made = to_settings(options, folder=FOLDER)
    first = build_profile(made.settings, "the line")
    back = to_line(first)
    again = to_settings(parse(back.argv), name=first.name, folder=FOLDER)
    named = {each.option for each in (*made.lost, *back.lost)} | {each.field for each in made.secrets}
    may_differ = {row.field for row in ROWS if named & set(row.flags)}
    may_differ |= {field for name in named for field in CHANGES.get(name, ())}
    before, after = comparable(options), comparable(parse(back.argv))
    differs = {name for name in before if before[name] != after[name]}
    assert differs <= may_differ
    # And a second time nothing is lost that has no name.
    second = build_profile(again.settings, "the line")
    kept, changed = flat(first.settings()), flat(second.settings())
    names = {each.option for each in back.lost}
    assert {field for field in kept | changed if kept.get(field) != changed.get(field)} <= names
    for text in (new_text(first), shlex.join(back.argv), repr(made), repr(back), repr(made.lost)):
        assert SECRET not in text


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{name}.{field}" if isinstance(value, dict) else name: item
        for name, value in values.items()
        for field, item in (value.items() if isinstance(value, dict) else [("", value)])
    }
