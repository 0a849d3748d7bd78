"""The short answers that wsgui itself gives to people and programs that ask over HTTP."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from wsgui.display import display
from wsgui.web.response import Response

_STYLE: Final = """
:root { color-scheme: light dark; --bg: #fff; --line: #e3e6eb; --text: #1b1f27; --dim: #5f6777; --accent: #2563eb; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #16181d; --line: #2c313a; --text: #e8eaed; --dim: #969ca8; --accent: #5b9dff; }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--bg); color: var(--text);
  font: 16px/1.5 Inter, system-ui, sans-serif; }
main { max-width: 30rem; margin: 24px; padding: 24px 32px; border: 1px solid var(--line); border-radius: 10px;
  border-top: 4px solid var(--accent); }
h1 { margin: 0 0 8px; font-size: 20px; font-weight: 700; }
p { margin: 0 0 8px; } .dim { color: var(--dim); margin: 0; }
"""

# The target and the tunnel's name are nobody's business who has not been let in.
_INFORMATION: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>wsgui tunnel</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>This is a WebSocket tunnel</h1>
<p>It works, but it has no page of its own to show.</p>
<p class="dim">Connect a program that speaks WebSocket, such as noVNC, to this same address.</p>
</main>
</body>
</html>
""".encode()

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_ALWAYS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_MAX_SENTENCE_CHARACTERS: Final = 1024


def information_page(*, head: bool = False) -> Response:
    """Return the page for a GET on a tunnel that has no web root: what this is, and what to do with it.

    Status 200: nothing went wrong, and a probe that asks whether the tunnel is alive gets its yes.
    """
    return _answer(
        200,
        "text/html; charset=utf-8",
        _INFORMATION,
        f"{_NOTHING}; style-src 'sha256-{_STYLE_HASH}'",
        head=head,
    )


def refusal(
    status: int,
    message: str,
    hint: str = "",
    *,
    headers: tuple[tuple[str, str], ...] = (),
    head: bool = False,
) -> Response:
    """Return an answer of plain text: one sentence what is wrong, one line what to do.

    Args:
        status: The status code, 4xx or 5xx (also 3xx, with a Location among `headers`).
        message: One sentence; controls and invisible characters in it are escaped.
        hint: What to do; escaped in the same way.
        headers: More headers, such as Allow or Location; their values have to be safe.
        head: Whether it answers HEAD: then nothing follows the headers.
    """
    lines = [display(text, limit=_MAX_SENTENCE_CHARACTERS) for text in (message, hint) if text]
    body = "".join(line + "\n" for line in lines).encode()
    return _answer(status, "text/plain; charset=utf-8", body, _NOTHING, headers=headers, head=head)


def _answer(
    status: int,
    content_type: str,
    body: bytes,
    policy: str,
    *,
    headers: tuple[tuple[str, str], ...] = (),
    head: bool,
) -> Response:
    length = ("Content-Length", str(len(body)))
    everything = (("Content-Type", content_type), length, *_ALWAYS, ("Content-Security-Policy", policy), *headers)
    return Response(status, everything, b"" if head else body)
