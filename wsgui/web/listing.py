"""The page that lists a folder."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from wsgui.display import display
from wsgui.units import size
from wsgui.web.entries import Entries, Entry
from wsgui.web.pages import page
from wsgui.web.request_path import escaped
from wsgui.web.response import Response

_STYLE: Final = """
main { max-width: 60rem; width: calc(100% - 48px); box-sizing: border-box; margin: 24px auto; }
body { place-items: start stretch; }
h1 { overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-size: 13px; color: var(--dim); border-bottom: 1px solid var(--line); }
th, td { padding: 4px 8px; vertical-align: top; } td:first-child { overflow-wrap: anywhere; }
tbody tr:hover { background: var(--hover); }
.number, .time { text-align: right; white-space: nowrap; color: var(--dim); } th.number, th.time { text-align: right; }
a { color: var(--link); text-decoration: none; } a:hover, a:focus-visible { text-decoration: underline; }
@media (max-width: 40rem) {
  .time { display: none; } main { padding: 16px; margin: 8px auto; width: calc(100% - 16px); }
}
"""
MOST_CHARACTERS: Final = 1_000_000
"""Of all rows: a thousand slow readers of a folder of long names would hold a thousand such pages."""


def listing_page(names: Sequence[str], entries: Entries, *, head: bool = False) -> Response:
    """Return the page for a folder.

    Args:
        names: The folder's path below the root, as it was asked for.
        entries: What lies in it.
        head: Whether it answers HEAD.
    """
    path = html.escape("/" + "".join(f"{_shown(name)}/" for name in names))
    rows = [_PARENT] if names else []
    room = MOST_CHARACTERS
    complete = entries.complete
    for entry in entries.entries:
        row = _row(entry)
        room -= len(row)
        if room < 0:
            complete = False
            break
        rows.append(row)
    if not entries.entries:
        rows.append('<tr><td colspan="3" class="dim">There is nothing here to be served.</td></tr>')
    more = "" if complete else '<p class="dim">This folder holds more than can be listed here.</p>'
    body = f"""<h1><bdi>{path}</bdi></h1>
<table>
<thead><tr><th scope="col">Name</th><th scope="col" class="number">Size</th>\
<th scope="col" class="time">Changed (UTC)</th></tr></thead>
<tbody>
{chr(10).join(rows)}
</tbody>
</table>
{more}"""
    return page(path, body, style=_STYLE, head=head)


_PARENT: Final = '<tr><td><a href="../">../</a> <span class="dim">(folder above)</span></td><td></td><td></td></tr>'


def _row(entry: Entry) -> str:
    slash = "/" if entry.folder else ""
    name = html.escape(_shown(entry.name))
    amount = "" if entry.folder else size(entry.size)
    return (
        f'<tr><td><a href="./{escaped(entry.name)}{slash}"><bdi>{name}</bdi>{slash}</a></td>'
        f'<td class="number">{amount}</td><td class="time">{_time(entry.modified)}</td></tr>'
    )


def _shown(name: str) -> str:
    return display(name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))


def _time(moment: float) -> str:
    try:
        when = datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%Y-%m-%d %H:%M}</time>'
