"""What is said about a program: what happened to it, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wsgui.command.pacing import Run
from wsgui.command.rebind import PORT_HINT
from wsgui.command.state import ending_in_words

AT_ONCE_SECONDS: Final = 2.0


def ready(name: str, address: str) -> str:
    return f"{name} is ready on {address}, where programs of this computer reach it without the rules of this tunnel."


def open_to_all(name: str, port: int) -> str:
    return (
        f"{name} listens on port {port} of every address of this computer, so it can be reached without the rules "
        "of this tunnel. Let it listen on 127.0.0.1 only."
    )


def left_behind(name: str, processes: Sequence[int]) -> str:
    which = ", ".join(map(str, processes[:8])) + (" …" if len(processes) > 8 else "")
    if len(processes) == 1:
        return f"{name} leaves a process behind ({which}) that went into a session of its own; it is not ended."
    return f"{name} leaves processes behind ({which}) that went into sessions of their own; they are not ended."


def port_taken(name: str, port: int, by: str) -> tuple[str, str]:
    """Message and hint when another program was on the port first."""
    return (
        f"Port {port}, which {name} was to have, was taken by {by}; nobody is connected to that.",
        "End that program, or start the tunnel again.",
    )


def late(name: str, port: int, ports: Sequence[int], *, moved: bool) -> tuple[str, str]:
    """Message and hint for a program that does not listen where it should.

    Args:
        port: The port that it should bind.
        ports: Those that it listens on instead.
        moved: Whether its port is moved by the preload library, rather than told to it.
    """
    if moved and port in ports:
        return f"{name} listens on port {port} itself, so its port could not be moved.", PORT_HINT
    if ports:
        others = " and ".join(map(str, ports))
        hint = (
            f"Name the port that it binds ([command] port = {ports[0]}). {PORT_HINT}"
            if moved
            else "Write {port} where its arguments name the port, or have it take the port from the variable PORT."
        )
        return f"{name} listens on port {others}, but not on port {port}.", hint
    return (
        f"{name} does not listen on port {port} yet, though it has been running for a while.",
        "Look at what it prints in the log; it has to listen for TCP connections on that port.",
    )


def ended(name: str, run: Run, last_words: str, port: int | None) -> tuple[str, str]:
    """Message and hint for a program that has ended.

    Args:
        last_words: The last line that it printed.
        port: The port that it should have bound, when it is moved by the preload library.
    """
    lived = run.ended - run.started
    how = "" if run.status is None else f" {ending_in_words(run.status)}"
    if run.served:
        what, hint = f"The program {name} has ended{how}", ""
    elif lived < AT_ONCE_SECONDS:
        what, hint = f"The program {name} ended at once{how}", "Try the same command in a terminal."
    else:
        what = f"The program {name} ended{how} before anybody could connect to it"
        hint = "Try the same command in a terminal."
    if not run.served and run.status == 0:
        where = f"on port {port}" if port is not None else "on the port that it is told"
        hint = f"It has to go on running and listen {where}."
    words = last_words.rstrip(" .")
    return (f"{what}: {words}." if words and (run.status != 0 or not run.served) else f"{what}."), hint
