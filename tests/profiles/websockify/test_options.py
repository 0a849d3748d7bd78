"""Our reading of websockify's line against websockify's own."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsgui.errors import EXIT_USAGE, UsageError
from wsgui.profiles.websockify.manual import WIDTH, help_text
from wsgui.profiles.websockify.options import Options, absolute, parse
from wsgui.profiles.websockify.table import ROWS

Theirs = Callable[[Sequence[str]], Any]

GOOD = """
6080 host:5901
127.0.0.1:6080 host:5901
[::1]:6080 [fe80::2]:5901
::1:6080 ::2:5901
:443 :5901
0 host:5901
6080 host:5901 -v
-vD 6080 host:5901
-v6 6080 -D host:5901
--verbose 6080 --traffic host:5901 --record rec
--verb --rec=x --ssl-o 6080 host:5901
--record= 6080 host:5901
6080 --unix-target /run/x
--unix-target=x 6080 --ssl-target
--unix-listen /run/x host:5901
--unix-listen /run/x --unix-listen-mode 660 host:5901
--unix-listen /run/x --unix-listen-mode=0o777 --unix-target /run/y
--unix-listen= 6080 host:5901
--unix-listen-mode 0890 6080 host:5901
--inetd host:5901
--inetd --unix-target x
--prefer-ipv6 name:6080 host:5901
--cert c --key k --key-password p 6080 host:5901
--ssl-version=tlsv1_1 --ssl-ciphers A:B --verify-client --cafile ca 6080 host:5901
--ssl-version tlsv1_3 6080 host:5901
--timeout 5 --idle-timeout 0x10 --heartbeat 010 6080 host:5901
--timeout 0b11 6080 host:5901
--timeout 1 --timeout 2 6080 host:5901
--web . --file-only 6080 host:5901
--web . --web-auth --auth-plugin BasicHTTPAuth --auth-source a:b 6080 host:5901
--auth-plugin ExpectOrigin --auth-source=--x 6080 host:5901
--token-plugin TokenFile --token-source t :443
:443 --token-plugin TokenFile --token-source t --host-token
--token-plugin websockify.token_plugins.ReadOnlyTokenFile --token-source t 6080
--target-config t 6080
--target-config t --token-plugin UnixDomainSocketDirectory --token-source u --host-token 6080
--run-once --libserver 6080 host:5901
2023 -- telnetd -debug --heartbeat x
2023 --wrap-mode=respawn -- telnetd -- x
--wrap-mode ignore -- 2023 telnetd
2023 xterm -- -e sh
2023 --unix-target x -- program
2023 --token-plugin TokenFile --token-source t -- program
1_0 'host: 5'
""".strip().splitlines()

# The line, and the word that ours has to name.
BAD = [
    ("", "source_port"),
    ("6080", "target_port"),
    ("host:5901", "target_port"),
    ("'' host:5901", "source_port"),
    ("6080: host:5901", "source_port"),
    ("vnc host:5901", "source_port"),
    ("6080 host", "target_port"),
    ("6080 ''", "target_port"),
    ("6080 host:", "target_port"),
    ("6080 host:vnc", "target_port"),
    ("6080 host:5901 more", "more"),
    ("6080 --unix-target x host:5901", "host:5901"),
    ("6080 --token-plugin TokenFile host:5901", "host:5901"),
    ("--unix-listen x 6080 host:5901", "target_port"),
    ("--unix-listen x --unix-target y 6080", "6080"),
    ("--unix-listen x --unix-listen-mode 0860 host:5901", "--unix-listen-mode"),
    ("--inetd", "target_port"),
    ("--inetd -- program", "--inetd"),
    ("--unix-listen x -- program", "--unix-listen"),
    ("--inetd 6080 host:5901", "target_port"),
    ("2023 --", "target_port"),
    ("--token-source x 6080 host:5901", "--token-source"),
    ("--host-token 6080 host:5901", "--host-token"),
    ("--host-token --target-config x 6080", "--host-token"),
    ("--auth-source a:b 6080 host:5901", "--auth-source"),
    ("--web-auth 6080 host:5901", "--web-auth"),
    ("--web-auth --web . 6080 host:5901", "--web-auth"),
    ("--web-auth --auth-plugin BasicHTTPAuth 6080 host:5901", "--web-auth"),
    ("--legacy-syslog 6080 host:5901", "--legacy-syslog"),
    ("--syslog host:x 6080 host:5901", "--syslog"),
    ("--timeout x 6080 host:5901", "--timeout"),
    ("--timeout 08 6080 host:5901", "--timeout"),
    ("--timeout= 6080 host:5901", "--timeout"),
    ("--idle-timeout 1.5 6080 host:5901", "--idle-timeout"),
    ("--heartbeat=-- 6080 host:5901", "--heartbeat"),
    ("6080 host:5901 --heartbeat", "--heartbeat"),
    ("--wrap-mode restart 6080 host:5901", "--wrap-mode"),
    ("--ssl-version tlsv1 6080 host:5901", "--ssl-version"),
    ("--verbose=1 6080 host:5901", "--verbose"),
    ("--ssl 6080 host:5901", "--ssl"),
    ("--unix-l x host:5901", "--unix-l"),
    ("--nosuch 6080 host:5901", "--nosuch"),
    ("--nosuch=secret 6080 host:5901", "--nosuch"),
    ("--nosuch --help", "--nosuch"),
    ("--version", "--version"),
    ("-x 6080 host:5901", "-x"),
    ("-vx 6080 host:5901", "-x"),
    ("-5 6080 host:5901", "-5"),
]

# Lines that only ours refuses, each with its reason.
STRICTER = [
    ("70000 host:5901", "source_port"),  # binding fails there
    (":-1 host:5901", "source_port"),
    ("6080 host:0", "target_port"),  # each connection fails there
    ("6080 host:70000", "target_port"),
    ("--timeout -1 6080 host:5901", "--timeout"),  # it would end at once
    ("--heartbeat=-1 6080 host:5901", "--heartbeat"),
    ("--unix-listen x --unix-listen-mode 77777 host:5901", "--unix-listen-mode"),  # no file has such a mode
    ("--unix-listen x -- 6080 program", "--unix-listen"),  # it fails there, for want of a port
    ("--inetd -- 6080 program", "--inetd"),
]


def as_theirs(options: Options) -> dict[str, Any]:
    """What websockify would start with: its own names."""
    ours: dict[str, Any] = {
        "verbose": options.verbose,
        "traffic": options.traffic,
        "record": options.record,
        "daemon": options.daemon,
        "run_once": options.run_once,
        "timeout": options.timeout_seconds,
        "idle_timeout": options.idle_timeout_seconds,
        "cert": options.certificate,
        "key": options.key,
        "key_password": options.key_password,
        "ssl_only": options.ssl_only,
        "ssl_target": options.ssl_target,
        "verify_client": options.verify_client,
        "cafile": options.cafile,
        "ssl_ciphers": options.ssl_ciphers,
        "unix_listen": options.unix_listen,
        "unix_target": options.unix_target,
        "web": options.web,
        "web_auth": options.web_auth,
        "file_only": options.file_only,
        "wrap_mode": options.wrap_mode,
        "source_is_ipv6": options.prefer_ipv6,
        "host_token": options.host_token,
        "heartbeat": options.heartbeat_seconds,
        "wrap_cmd": list(options.command),
        "listen_host": options.listen_host,
        "listen_port": options.listen_port,
        "target_host": options.target_host,
        "target_port": options.target_port,
        "plugins": [
            options.token_plugin.rpartition(".")[2] or "NoneType",
            options.auth_plugin.rpartition(".")[2] or "NoneType",
        ],
    }
    if options.unix_listen:
        ours["unix_listen_mode"] = options.unix_listen_mode
    return {name: value for name, value in ours.items() if value}


def same_as(theirs: Any, options: Options) -> None:
    taken = {name: value for name, value in theirs.taken.items() if value}
    taken.pop("listen_fd", None)
    taken.setdefault("cert", "self.pem")  # to theirs an empty --cert is the working directory, a certificate of no use
    if not options.unix_listen:
        taken.pop("unix_listen_mode", None)
    if not options.command:
        taken.pop("wrap_cmd", None)
    assert as_theirs(options) == taken


@pytest.mark.parametrize("line", GOOD)
def test_a_good_line_means_what_it_means_to_websockify(theirs: Theirs, line: str) -> None:
    answer = theirs(shlex.split(line))
    assert answer.code == 0, answer.error
    same_as(answer, parse(shlex.split(line)))


@pytest.mark.parametrize(("line", "named"), BAD)
def test_a_bad_line_is_bad_to_both_and_ours_names_the_option(theirs: Theirs, line: str, named: str) -> None:
    assert theirs(shlex.split(line)).code == EXIT_USAGE
    with pytest.raises(UsageError) as caught:
        parse(shlex.split(line))
    assert named in caught.value.message
    assert caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("line", "named"), STRICTER)
def test_what_could_never_work_is_refused_by_ours_only(theirs: Theirs, line: str, named: str) -> None:
    assert theirs(shlex.split(line)).code == 0
    with pytest.raises(UsageError) as caught:
        parse(shlex.split(line))
    assert named in caught.value.message


@pytest.mark.parametrize("line", ["-h", "--help", "--hel", "-vh", "-h --nosuch", "6080 -h", "--timeout 3 --help more"])
def test_help_comes_before_everything_behind_it(theirs: Theirs, line: str) -> None:
    assert theirs(shlex.split(line)).code == 0
    assert parse(shlex.split(line)).help


FLAGS = [row for row in ROWS if not row.metavar and row.field not in ("help", "inetd", "host_token", "web_auth")]
TEXTS = [
    row
    for row in ROWS
    if row.field in ("record", "cert", "key", "key_password", "ssl_ciphers", "cafile", "web", "unix_target")
]
TIMES = [row for row in ROWS if row.seconds]
# A value that is two hyphens makes theirs run the target as a program.
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8).filter(lambda text: text != "--")


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Options in any order, spelling and position around the addresses."""
    parts: list[list[str]] = []
    for row in draw(st.lists(st.sampled_from([each for each in FLAGS if each.field != "legacy_syslog"]), max_size=4)):
        parts.append([draw(st.sampled_from(row.flags))])
    for row in draw(st.lists(st.sampled_from([*TEXTS, *TIMES]), max_size=4)):
        value = str(draw(st.integers(0, 10**6))) if row.seconds else draw(VALUES)
        flag = row.flags[-1][: draw(st.integers(4, len(row.flags[-1])))]
        parts.append([f"{flag}={value}"] if draw(st.booleans()) else [flag, value])
    if draw(st.booleans()):
        parts.append(["-" + "".join(draw(st.lists(st.sampled_from("vD6"), min_size=1, max_size=3)))])
    parts = draw(st.permutations(parts))
    places = [["6080"], ["host:5901"]][: draw(st.integers(0, 2))]
    at = sorted(draw(st.integers(0, len(parts))) for _ in places)
    for offset, (index, place) in enumerate(zip(at, places, strict=True)):
        parts.insert(index + offset, place)
    return [word for part in parts for word in part]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(line=lines())
def test_options_in_every_position_and_spelling_are_read_as_there(theirs: Theirs, line: list[str]) -> None:
    answer = theirs(line)
    try:
        options = parse(line)
    except UsageError:
        assert answer.code == EXIT_USAGE
    else:
        assert answer.code == 0, answer.error
        same_as(answer, options)


@pytest.mark.parametrize("secret", ["--key-password=geheim", "--auth-plugin=a.B --auth-source=geheim", "-- geheim"])
def test_a_secret_is_in_no_repr(secret: str) -> None:
    assert "geheim" not in repr(parse(shlex.split(f"6080 {'' if secret[:3] == '-- ' else 'host:5901'} {secret}")))


def test_what_stands_before_an_at_sign_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        parse(["6080", "ann:geheim@host"])
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("syslog", "address"), [("loghost:514", ("loghost", 514)), ("/dev/log", "/dev/log"), ("::1:514", ("::1", 514))]
)
def test_syslog_is_a_socket_or_a_udp_address(syslog: str, address: object) -> None:
    assert parse(["--syslog", syslog, "6080", "host:5901"]).syslog_address == address


def test_paths_count_from_the_folder_where_it_starts() -> None:
    line = "--record r --log-file l --cafile a --key k --unix-target t --syslog s --web w --target-config f 6080"
    options = absolute(parse(line.split()), "/start")
    assert (options.certificate, options.key, options.cafile) == ("/start/self.pem", "/start/k", "/start/a")
    assert (options.record, options.log_file, options.syslog) == ("/start/r", "/start/l", "/start/s")
    assert (options.web, options.token_source) == ("/start/w", "/start/f")


def test_with_web_sockets_and_token_files_count_from_its_folder() -> None:
    line = "--web w --unix-listen l --unix-target t --token-plugin TokenFile --token-source f"
    options = absolute(parse(line.split()), "/start")
    assert (options.unix_listen, options.unix_target) == ("/start/w/l", "/start/w/t")
    assert options.token_source == "/start/w/f"


def test_what_is_no_path_is_left_alone() -> None:
    line = "--syslog host:514 --token-plugin BaseTokenAPI --token-source http://x/%s --auth-plugin a.B --auth-source c"
    options = parse([*line.split(), "6080"])
    moved = absolute(options, "/start")
    assert (moved.syslog, moved.token_source) == (options.syslog, options.token_source)
    assert (moved.auth_source, moved.web, moved.key) == ("c", "", "")


def test_the_manual_has_every_option_and_fits_the_terminal() -> None:
    text = help_text("websockify")
    for row in ROWS:
        assert f"  {row.written}" in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.isascii()


def test_the_examples_of_the_manual_are_lines() -> None:
    block = help_text("websockify").partition("Examples:")[2].partition("\n\n")[0]
    examples = [line.strip() for line in block.splitlines() if line.startswith("  websockify")]
    assert len(examples) > 5
    for example in examples:
        parse(shlex.split(example)[1:])
