"""Tables for people: aligned whatever the letters, and harmless whatever the names."""

from __future__ import annotations

from typing import Any

from wsgui.cli.tables import status_lines, table, width

HOSTILE = "\x1b]8;;http://evil\x07x\u202e\n"


def tunnel(name: str, **values: Any) -> dict[str, Any]:
    return {
        "name": name,
        "state": "running",
        "running_since": 100.0,
        "page_url": "http://127.0.0.1:6080/",
        "websocket_url": "ws://127.0.0.1:6080/",
        "listen": "127.0.0.1:6080",
        "target": "office:5901",
        "connections": [{}, {}],
        "to_client_bytes": 12_400_000,
        "to_target_bytes": 999,
        "reason": None,
        "target_problem": None,
    } | values


def answer(*tunnels: dict[str, Any], name: str = "Lab", problems: tuple[str, ...] = ()) -> dict[str, Any]:
    process = {"name": name, "role": "headless", "pid": 7, "version": "1"}
    return {"process": process, "snapshot": {"time": 3725.0, "tunnels": list(tunnels)}, "problems": list(problems)}


def test_a_process_and_its_tunnels() -> None:
    assert status_lines(answer(tunnel("Office"))) == [
        "Lab (headless, pid 7)",
        "  TUNNEL  STATE              ADDRESS                 TARGET       CLIENTS  TO CLIENTS  TO TARGET",
        "  Office  running 1 h 0 min  http://127.0.0.1:6080/  office:5901        2     12.4 MB      999 B",
    ]


def test_what_stands_in_the_way_stands_below() -> None:
    reason = {"message": "Port 6080 is used.", "hint": "Use 6081."}
    lines = status_lines(answer(tunnel("Office", state="waiting", running_since=None, reason=reason), tunnel("Lab")))

    assert lines[3] == "    Port 6080 is used. Use 6081."
    assert lines[4].startswith("  Lab ")


def test_broken_files_come_last() -> None:
    assert status_lines(answer(problems=("a.toml:1: x\nb.toml:2: y",)))[-2:] == ["  a.toml:1: x", "  b.toml:2: y"]


def test_nothing_in_it_steers_the_terminal() -> None:
    reason = {"message": HOSTILE, "hint": HOSTILE}
    hostile = tunnel(HOSTILE, state=HOSTILE, page_url=HOSTILE, target=HOSTILE, reason=reason)

    lines = status_lines(answer(hostile, name=HOSTILE, problems=(HOSTILE,)))

    assert all(line.isprintable() for line in lines)


def test_a_target_s_query_is_not_shown() -> None:
    assert "hush" not in "".join(status_lines(answer(tunnel("Gate", target="wss://gate/ssh?token=hush"))))


def test_wide_letters_and_combining_marks_keep_the_columns() -> None:
    lines = table(("A", "B"), [("日本", "x"), ("e\u0301", "y")], to_the_right=frozenset())

    assert [width(line.rpartition(" ")[0]) for line in lines] == [5, 5, 5]
