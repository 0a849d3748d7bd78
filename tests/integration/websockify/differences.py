"""The table of all deliberate differences to websockify 0.13, with what each side does and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from tests.integration.websockify.sides import Seen

T = TypeVar("T")


@dataclass(frozen=True)
class Difference:
    """One thing that a script sees otherwise on our side."""

    theirs: object
    ours: object
    reason: str


_STARTED_AT_A_SOCKET = (
    "WebSocket server settings:",
    "  - Listen on unix socket HERE/socket",
    "  - No SSL/TLS support (no cert file)",
)


def _each(names: str, row: T) -> dict[str, T]:
    return dict.fromkeys(names.split("|"), row)


_UNKNOWN_TOKEN = Difference("closed", "404", "Who asks learns why; theirs just closes the connection.")
_NO_LOOK_UP = Difference("closed", "502", "A look-up that fails is told from a token that is not known.")
_NOT_THEIR_METHOD = Difference(501, 405, "405 with Allow is the answer to a method that is known, but not taken here.")
_BOTH_FAMILIES = Difference(
    ["127.0.0.1", "127.0.0.2"],
    ["127.0.0.1", "127.0.0.2", "::1"],
    "All interfaces are those of IPv6 too; theirs takes the first address that the resolver names.",
)
_TEXT = Difference(1003, "text", "Text is forwarded as bytes, so that clients that know no binary frames work.")
_NO_SUCH_FRAME = Difference(1003, 1002, "RFC 6455, section 5: a protocol error, which 1003 is not.")
_RFC = "RFC 6455, section 4.2.1, asks for it; that a proxy garbles requests is better told."
_NOT_LISTENING = "That it cannot listen is a failure, which scripts and systemd have to see."
_ALERT = Difference(
    "no connection", "closed", "Our TLS library closes without the alert that would say why; nobody comes in."
)
_SECRET = Difference(True, False, "Tokens are secrets, and logs are shown around.")

DIFFERENCES: Mapping[str, Mapping[str, Difference]] = {
    # Requests
    "the_opening_request": {
        "base64, binary": Difference("400", "101 binary", "Theirs does not strip the space behind a comma."),
        "chat": Difference("400", "101", "A client that offers other subprotocols only gets none, and works."),
        "version 8": Difference("101", "426", "A draft of 2011, which no client of today speaks."),
        **_each("version 14|no version", Difference("400", "426", "RFC 6455, section 4.4, with the version spoken.")),
        "a short key": Difference("101", "400", _RFC),
        "no Connection": Difference("101", "400", _RFC),
    },
    "without_a_web_root": {
        **_each("POST|PUT|DELETE|OPTIONS|POST for a WebSocket", _NOT_THEIR_METHOD),
        "rubbish": Difference(0, 400, "It is said what is wrong; theirs answers as HTTP/0.9 did, or not at all."),
        "an empty line": Difference(0, 405, "RFC 9112, section 2.2: an empty line before a request is skipped."),
        "TLS": Difference("closed", "an alert", "A TLS client then says that TLS failed, not that nobody is there."),
    },
    "a_client_that_says_nothing": {
        "nothing at all": Difference(("", True), ("HTTP/1.1 408", True), "It is said why it is closed."),
    },
    # Sessions
    "data": {
        "text": _TEXT,
        "text in fragments": Difference(1003, "hello", _TEXT.reason),
        "empty first fragment": Difference(1002, "hello", "Theirs forgets that a message has begun; it is legal."),
        **_each("opcode 3|opcode 11|a ping in fragments", _NO_SUCH_FRAME),
        "a long ping": Difference("xxxxxxxx", 1002, "RFC 6455, section 5.5: at most 125 bytes."),
        "a reserved bit": Difference("x", 1002, "RFC 6455, section 5.2: what it means was not agreed on."),
        "a reason that is no text": Difference(1002, 1007, "RFC 6455, section 8.1: text that is no UTF-8."),
    },
    "the_client_s_close": {
        "a code that may not be sent": Difference((1005, ""), (1002, "invalid close code"), "RFC 6455, section 7.4.1."),
        "one byte": Difference((1005, ""), (1002, "invalid close code"), "RFC 6455, section 5.5.1."),
    },
    "the_target_s_end": {
        "it reset": Difference(
            (1006, ""), (1011, "The target broke the connection off"), "An error of the target is told from an end."
        ),
    },
    "the_websockets_library": {"text": Difference(1003, b"text", _TEXT.reason)},
    "heartbeat": {
        "a ping is not answered": Difference(
            "another one", "the end", "The client is gone, or it would answer; theirs keeps its target for ever."
        ),
    },
    "a_name_whose_first_address_refuses": {
        "at ::1 only": Difference(1011, "hello", "All addresses of a name are tried, one after another."),
    },
    # Lines
    **_each(
        "start[short]|start[a colon]|start[tokens]|start[tokens by the whole name]|start[target-config]",
        {"listens at": _BOTH_FAMILIES},
    ),
    **_each(
        "start[unix listen]|start[unix listen and a mode]",
        {
            "said": Difference(
                [*_STARTED_AT_A_SOCKET, "  - proxying from :None to localhost:5900"],
                [*_STARTED_AT_A_SOCKET, "  - proxying from HERE/socket to localhost:5900"],
                "There is no port that could be named.",
            )
        },
    ),
    "lines_that_cannot_start": {
        "70000 localhost:5900": Difference(
            "listens", (2, "stderr"), "There is no such port: theirs listens at 70000 - 65536, as the C library has it."
        ),
        "256.1.1.1:PORT localhost:5900": Difference((0, "stderr"), (1, "stderr"), _NOT_LISTENING),
        "--unix-listen=none/s localhost:5900": Difference((0, "stderr"), (1, "stderr"), _NOT_LISTENING),
        "--inetd localhost:5900": Difference((0, "stderr"), (2, "stderr"), "Nothing can work: stdin is no socket."),
        "PORT localhost:5900 --web=none": Difference(
            (1, "stderr"), (2, "stderr"), "The line is wrong, which theirs says by a traceback."
        ),
    },
    "a_port_that_is_taken": {
        "exit code": Difference(0, 1, _NOT_LISTENING),
        "says that it is taken": Difference(
            "Openening socket failed: [Errno 98]", "websockify: Port TAKEN is used by", "It is said by whom."
        ),
    },
    # TLS
    "tls_only": {
        "plain": Difference("closed", "403", "It is said why."),
        "a plain GET": Difference(0, 403, "It is told that https:// is needed instead of being hung up on."),
    },
    "lowest_version[tlsv1_1]": {
        "1.1": Difference("no connection", "101", "It is what was asked for; theirs cannot with Python 3.10 and later.")
    },
    "client_certificates": {"an unknown one": _ALERT, "none": _ALERT},
    # Files
    "files": {
        "the encoding of text": Difference("", "charset=utf-8", "Pages of today are UTF-8, also when they do not say."),
        **_each("POST|PUT|DELETE|OPTIONS", _NOT_THEIR_METHOD),
        "a range": Difference((200, 256000), (206, 4), "Ranges let downloads go on and players seek."),
        "a folder without its slash": Difference(
            (301, "/list/"), (307, "/list/"), "Browsers keep a 301 for ever, also when the folder has gone."
        ),
    },
    "several_requests_on_a_connection": {
        "/page.html /none": Difference((200, 404, 0), (200, 404, 101), "A 404 is no reason to close the connection."),
    },
    "curl": {
        "/none": Difference(
            ("404", "0", "text/html", ""), ("404", "0", "text/plain", ""), "Errors are plain text: nothing to inject."
        ),
    },
    # Tokens
    "token_file": {
        **_each("NODE|none||#|no|no token", _UNKNOWN_TOKEN),
        "when the file is gone": _NO_LOOK_UP,
    },
    "read_only_token_file": {
        "c": _UNKNOWN_TOKEN,
        "added later": Difference(
            "101", "404", "It is read once, as it says; theirs forks before it has read it, and so reads it each time."
        ),
    },
    "a_file_that_is_not_there": {"before": _NO_LOOK_UP},
    "token_file_name": {**_each("none|../outside|..", _UNKNOWN_TOKEN), "bad": _NO_LOOK_UP},
    "socket_folder": {
        **_each("none|file|.|../none", _UNKNOWN_TOKEN),
        "../sockets-private/node": Difference("101", "404", "Theirs compares the beginning of paths: an escape."),
    },
    **_each("api[BaseTokenAPI]|api[JSONTokenApi]", {"none": _UNKNOWN_TOKEN, "nonsense": _NO_LOOK_UP}),
    "jwt": _each("expired|not yet|another key|no port|rubbish|none", _UNKNOWN_TOKEN),
    "redis": _each("bad|missing", _UNKNOWN_TOKEN),
    "host_token": _each("in capitals|a token beside it|no Host", _UNKNOWN_TOKEN),
    **_each(
        "a_plugin_s_tokens[Listed]|a_plugin_s_tokens[Numbered]", {"none": _UNKNOWN_TOKEN, "it raises": _NO_LOOK_UP}
    ),
    "tokens_in_the_log": _each("of a known one|of an unknown one|the path", _SECRET),
    # Access
    "basic": {
        "in UTF-8": Difference("401", "101", "What browsers send (RFC 7617); in latin-1 it is taken too."),
        "in small letters": Difference("403", "101", "RFC 9110, section 11.1: the scheme has no case."),
    },
    "guessing": {
        "the fourth wrong one waits": Difference(False, True, "Guessing is slowed down; right ones never wait."),
    },
    "a_plugin_of_the_working_directory": {
        "it raises": Difference("closed", "500", "Who asks learns that it is not the password."),
        "an unknown token is asked about first": _UNKNOWN_TOKEN,
    },
    # The process
    **_each(
        "signal[SIGTERM]|signal[SIGINT]",
        {
            "the client sees": Difference(
                (1006, ""), (1001, "The tunnel is stopping"), "Clients learn that it was no fault of the network."
            )
        },
    ),
    "signal[SIGHUP]": {
        "exit code": Difference(-1, 0, "It ends as by SIGTERM: recordings and logs are closed."),
        "the client sees": Difference(
            "its session goes on", (1001, "The tunnel is stopping"), "There is one process, which ends as a whole."
        ),
    },
    "daemon": {
        "its folder": Difference("/", "HERE", "Relative paths go on meaning the same, of plugins and programs too."),
        "umask": Difference("0000", "0077", "What it writes is for its user only; theirs lets everybody write it."),
        "says where to": Difference(False, True, "The command that was typed ends only when the daemon listens."),
    },
    "daemon_without_its_port": {"exit code": Difference(0, 1, _NOT_LISTENING)},
    **_each(
        "unix_listen[default]|unix_listen[0666]",
        {
            "said": Difference(
                "s - - [DATE] s: Plain non-SSL (ws://) WebSocket connection",
                "unix - - [DATE] unix: Plain non-SSL (ws://) WebSocket connection",
                "Clients of a unix socket have no address, and are not the socket either.",
            ),
            "the socket is there afterwards": Difference(True, False, "What nobody listens at is removed."),
        },
    ),
    # Output
    "recording": {
        "mode": Difference("0o644", "0o600", "Recordings have passwords in them."),
        "said": Difference(
            "127.0.0.1 - - [DATE] opening record file: HERE/rec.2",
            "opening record file: HERE/rec.2",
            "What writes it knows the file only; the session's own line stands beside it.",
        ),
    },
    "a_link_in_the_place_of_a_recording": {
        "what it leads to": Difference("var VNC_frame_data", "precious", "Whoever plants a link chose what is lost."),
    },
    "traffic": {
        "symbols": Difference("}>{<" * 3 + "}." + "}>{<", "}>{<" * 4, "A ping moves no data; theirs waits for some.")
    },
    "log_file": {"after SIGUSR1": Difference(-10, "a new file", "Logs can be rotated; theirs dies of it.")},
    "wrap_exit": {"exit code": Difference(0, 7, "The program's own, which theirs means to give but loses.")},
}


def check(scenario: str, theirs: Seen, ours: Seen) -> None:
    """Fail unless both saw the same, but for what the table says, and all that it says."""
    rows = DIFFERENCES.get(scenario, {})
    problems = [f"{name}: of the table, but not looked at" for name in rows if name not in theirs or name not in ours]
    for name in {**theirs, **ours}:
        pair = theirs.get(name, "-"), ours.get(name, "-")
        row = rows.get(name)
        expected = (row.theirs, row.ours) if row is not None else None
        if expected is None and pair[0] != pair[1]:
            problems.append(f"{name}: theirs {pair[0]!r}, ours {pair[1]!r}")
        elif expected is not None and pair != expected:
            problems.append(f"{name}: theirs {pair[0]!r}, ours {pair[1]!r}; in the table {expected!r}")
    assert not problems, "\n" + "\n".join([scenario, *problems])
