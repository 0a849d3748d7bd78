"""The options of websockify 0.13, one row each: how they are written, what they take, what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SSL_VERSIONS: Final = ("default", "tlsv1_1", "tlsv1_2", "tlsv1_3")
WRAP_MODES: Final = ("exit", "ignore", "respawn")
TOKEN_MODULE: Final = "websockify.token_plugins."  # noqa: S105
AUTH_MODULE: Final = "websockify.auth_plugins."
DEFAULT_CERT: Final = "self.pem"
DEFAULT_UNIX_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Row:
    """One option.

    Args:
        flags: As they are written, the long one last.
        field: Of `wsgui.profiles.websockify.options.Options`.
        help: What it does, in a sentence or two.
        metavar: What its value is called; empty = it takes none.
        choices: The values it takes; empty = any.
        seconds: Whether the value is a number of seconds.
    """

    flags: tuple[str, ...]
    field: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    seconds: bool = False

    @property
    def written(self) -> str:
        """The option with its value as in a manual: ``-v, --verbose`` or ``--cert FILE``."""
        return f"{', '.join(self.flags)} {self.metavar}".rstrip()


LISTENING: Final = (
    Row(
        ("-6", "--prefer-ipv6"),
        "prefer_ipv6",
        "When source_addr is a name, listen on its IPv6 address rather than on its IPv4 address.",
    ),
    Row(
        ("--unix-listen",),
        "unix_listen",
        "Listen on a unix socket instead of a port; one left over from before is removed.",
        "FILE",
    ),
    Row(
        ("--unix-listen-mode",), "unix_listen_mode", "Permissions of that socket, in octal; 0600 when left out.", "MODE"
    ),
    Row(
        ("--inetd",),
        "inetd",
        "Take the listening socket from the standard input, as inetd and systemd hand it over.",
    ),
)
TARGET: Final = (
    Row(("--unix-target",), "unix_target", "Connect to a unix socket instead of target_addr:target_port.", "FILE"),
    Row(
        ("--ssl-target",),
        "ssl_target",
        "Speak TLS to the target, whose certificate must be signed by an authority that this computer trusts.",
    ),
    Row(
        ("--wrap-mode",),
        "wrap_mode",
        "What to do when the wrapped program ends or goes into the background: exit (the default, with its exit "
        "code), ignore, or respawn, which waits a while when it has ended three times within ten seconds.",
        "MODE",
        WRAP_MODES,
    ),
)
TOKENS: Final = (
    Row(
        ("--token-plugin",),
        "token_plugin",
        "Ask this class where a client's token leads: a name of the table below, or package.module.Class.",
        "CLASS",
    ),
    Row(("--token-source",), "token_source", "What that class is built from; needs --token-plugin.", "ARG"),
    Row(
        ("--host-token",),
        "host_token",
        "The token is the Host header without its port, not the token parameter of the address; needs --token-plugin.",
    ),
    Row(
        ("--target-config",),
        "target_config",
        "Deprecated: the same as --token-plugin TokenFile --token-source FILE.",
        "FILE",
    ),
)
ACCESS: Final = (
    Row(
        ("--auth-plugin",),
        "auth_plugin",
        "Ask this class who may connect: a name of the table below, or package.module.Class.",
        "CLASS",
    ),
    Row(("--auth-source",), "auth_source", "What that class is built from; needs --auth-plugin.", "ARG"),
    Row(("--web-auth",), "web_auth", "Ask it for the files of --web too; needs --web and --auth-plugin."),
)
TLS: Final = (
    Row(
        ("--cert",),
        "cert",
        f"Certificate with its chain (PEM), {DEFAULT_CERT} when left out. When the file is there, the port speaks TLS "
        "beside plain HTTP; when it is not, plain HTTP only.",
        "FILE",
    ),
    Row(("--key",), "key", "Private key, when it is not in the certificate's file.", "FILE"),
    Row(("--key-password",), "key_password", "The key's passphrase. Other users can read it in the process list.", "P"),
    Row(("--ssl-only",), "ssl_only", "Refuse plain connections; an error when the certificate's file is missing."),
    Row(
        ("--ssl-version",),
        "ssl_version",
        "Lowest version of TLS: default (1.2), tlsv1_1, tlsv1_2 or tlsv1_3.",
        "VERSION",
        SSL_VERSIONS,
    ),
    Row(("--ssl-ciphers",), "ssl_ciphers", "The ciphers that are allowed, as an OpenSSL list.", "LIST"),
    Row(("--verify-client",), "verify_client", "Whoever connects by TLS must show a valid certificate."),
    Row(
        ("--cafile",),
        "cafile",
        "The authorities that may have signed it (PEM), with --verify-client; the system's when left out.",
        "FILE",
    ),
)
WEB: Final = (
    Row(
        ("--web",),
        "web",
        "Serve the files of this folder on the same port. Without it, a plain GET is answered 405.",
        "DIR",
    ),
    Row(("--file-only",), "file_only", "List no folders: those without an index.html are answered 404."),
)
PROCESS: Final = (
    Row(("-D", "--daemon"), "daemon", "Go into the background, once the port is bound."),
    Row(("--run-once",), "run_once", "End after one WebSocket connection; plain HTTP requests do not count."),
    Row(
        ("--timeout",),
        "timeout_seconds",
        "End so many seconds after the start, but not while somebody is connected; 0 = never.",
        "SECONDS",
        seconds=True,
    ),
    Row(
        ("--idle-timeout",),
        "idle_timeout_seconds",
        "End when nobody has been connected for so many seconds; 0 = never.",
        "SECONDS",
        seconds=True,
    ),
    Row(
        ("--heartbeat",),
        "heartbeat_seconds",
        "Ping each client every so many seconds, so that proxies keep its connection; 0 = never.",
        "SECONDS",
        seconds=True,
    ),
    Row(("--libserver",), "libserver", "Taken and said at the start, but it changes nothing here."),
)
OUTPUT: Final = (
    Row(("-v", "--verbose"), "verbose", "Log details and every HTTP request."),
    Row(
        ("--traffic",),
        "traffic",
        "Print a symbol on the standard output for each step of the data; a legend comes first.",
    ),
    Row(("--record",), "record", "Record each session into FILE.1, FILE.2 ..., as noVNC's player reads them.", "FILE"),
    Row(("--log-file",), "log_file", "Log into this file too.", "FILE"),
    Row(
        ("--syslog",),
        "syslog",
        "Log to syslog too: a unix socket such as /dev/log, or host:port for UDP; in RFC 5424.",
        "SERVER",
    ),
    Row(("--legacy-syslog",), "legacy_syslog", "In syslog's older form, RFC 3164; needs --syslog."),
    Row(("-h", "--help"), "help", "Show this and end."),
)

GROUPS: Final = {
    "Where clients connect": LISTENING,
    "Where they are taken": TARGET,
    "Tokens: the client says where to": TOKENS,
    "Who may connect": ACCESS,
    "Encryption": TLS,
    "Files": WEB,
    "The process": PROCESS,
    "Output": OUTPUT,
}
ROWS: Final = tuple(row for group in GROUPS.values() for row in group)


def short_name(plugin: str, module: str) -> str:
    """A class of websockify's own `module` by its name alone; any other as it is."""
    name = plugin.removeprefix(module)
    return plugin if "." in name else name
