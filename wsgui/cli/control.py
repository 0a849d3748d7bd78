"""`wsgui status`, `start`, `stop` and `reload`: speak to the wsgui processes that are running."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from wsgui.app.control import ControlClient, Peer, peers
from wsgui.app.paths import paths
from wsgui.cli.parser import Parser, complain, seconds
from wsgui.cli.tables import status_lines
from wsgui.display import display
from wsgui.errors import EXIT_FAILED, EXIT_OK, ControlError, WsguiError

_BEYOND_GRACE_SECONDS: Final = 15.0
_START_SECONDS: Final = 60.0


def status(arguments: Sequence[str]) -> int:
    """Print what every running process (or the one of ``--to``) does."""
    parser = _parser("status", "What the running wsgui processes do.")
    parser.add_argument("--json", action="store_true", help="everything there is to know, for programs")
    options = parser.parse_args(arguments)
    found = _addressed(options.to)
    answers: list[dict[str, Any]] = []
    code = EXIT_OK if found else EXIT_FAILED
    for peer in found:
        try:
            with ControlClient(peer.path) as client:
                answers.append(client.request("status"))
        except WsguiError as error:
            code = complain(error)
    if options.json:
        print(json.dumps({"processes": answers}, indent=2))
    elif not found:
        complain(_none_running())
    for answer in answers if not options.json else ():
        for line in status_lines(answer):
            print(line)
    return code


def start(arguments: Sequence[str]) -> int:
    """Switch a tunnel on."""
    parser = _parser("start", "Switch a tunnel of a running wsgui on.")
    parser.add_argument("name", metavar="NAME", help="the tunnel")
    options = parser.parse_args(arguments)
    peer = with_tunnel(options.name, options.to)
    with ControlClient(peer.path) as client:
        tunnel = client.request("start", name=options.name, timeout_seconds=_START_SECONDS)
    address = tunnel["page_url"] or tunnel["websocket_url"] or tunnel["listen"]
    reason = tunnel["reason"]
    why = f": {reason['message']} {reason['hint']}" if reason else f": {address}"
    print(display(f"{tunnel['name']} is {tunnel['state']}{why}", limit=2000))
    return EXIT_OK


def stop(arguments: Sequence[str]) -> int:
    """Switch a tunnel off."""
    parser = _parser("stop", "Switch a tunnel of a running wsgui off.")
    parser.add_argument("name", metavar="NAME", help="the tunnel")
    parser.add_argument(
        "--grace", type=seconds, default=0.0, metavar="SECONDS", help="let its clients go on for so long (default 0)"
    )
    options = parser.parse_args(arguments)
    peer = with_tunnel(options.name, options.to)
    with ControlClient(peer.path) as client:
        limit = options.grace + _BEYOND_GRACE_SECONDS
        tunnel = client.request("stop", name=options.name, grace_seconds=options.grace, timeout_seconds=limit)
    print(display(f"{tunnel['name']} is {tunnel['state']}.", limit=2000))
    return EXIT_OK


def reload(arguments: Sequence[str]) -> int:
    """Have processes read their profiles again."""
    options = _parser("reload", "Have running wsgui processes read their profiles again.").parse_args(arguments)
    found = _addressed(options.to)
    if not found:
        raise _none_running()
    code = EXIT_OK
    for peer in found:
        try:
            with ControlClient(peer.path) as client:
                done = client.request("reload", timeout_seconds=_START_SECONDS)
        except WsguiError as error:
            code = complain(error)
            continue
        print(display(f"{peer.name}: reloaded {', '.join(done['profiles']) or 'nothing'}.", limit=2000))
        for problem in done["problems"]:
            code = complain(ControlError(str(problem)))
    return code


def _parser(name: str, description: str) -> Parser:
    parser = Parser(prog=f"wsgui {name}", description=description)
    parser.add_argument(
        "--to", metavar="PROCESS", default="", help="only the process of this name or pid, as wsgui status shows them"
    )
    return parser


def _addressed(process: str) -> tuple[Peer, ...]:
    """The processes that `process` (a name or a pid; empty: all) means.

    Raises:
        ControlError: `process` is given, but none is called so.
    """
    everybody = peers(paths().runtime, on_silence=complain)
    if not process:
        return everybody
    chosen = tuple(p for p in everybody if p.name.casefold() == process.casefold() or str(p.pid) == process)
    if not chosen:
        names = ", ".join(peer.name for peer in everybody)
        raise ControlError(
            f'No wsgui process called "{process}" is running.', f"There are: {names}." if names else "There is none."
        )
    return chosen


def with_tunnel(name: str, process: str) -> Peer:
    """The one process that has a tunnel called `name`; raises ControlError when there is none, or more than one."""
    chosen = _addressed(process)
    if not chosen:
        raise _none_running()
    having: list[Peer] = []
    known: list[str] = []
    for peer in chosen:
        with suppress(ControlError), ControlClient(peer.path) as client:
            names = [str(tunnel["name"]) for tunnel in client.request("status")["snapshot"]["tunnels"]]
            known += names
            if name.casefold() in (one.casefold() for one in names):
                having.append(peer)
    if not having:
        raise ControlError(
            f'No running wsgui has a tunnel called "{name}".', f"There are: {', '.join(known) or 'none'}."
        )
    if len(having) > 1:
        names = [peer.name for peer in having]
        raise ControlError(
            f'More than one running wsgui has a tunnel called "{name}".', f"Say which: --to {' or --to '.join(names)}."
        )
    return having[0]


def _none_running() -> ControlError:
    return ControlError("No wsgui is running.", "Start one: wsgui, or wsgui --profile NAME.")
