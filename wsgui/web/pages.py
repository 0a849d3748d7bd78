"""The short answers that wsgui itself gives to people and programs that ask over HTTP."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import replace
from typing import Final

from wsgui.display import display
from wsgui.web.response import Response

_STYLE: Final = """
:root { color-scheme: light dark; --bg: #fff; --line: #e3e6eb; --text: #1b1f27; --dim: #5f6777; --accent: #2563eb;
  --link: #2563eb; --hover: #f5f6f8; --ok: #0b7a3b; --err: #c2303b; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #16181d; --line: #2c313a; --text: #e8eaed; --dim: #969ca8; --accent: #5b9dff;
    --link: #5b9dff; --hover: #20242b; --ok: #3ecf8e; --err: #ff6b6b; }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--bg); color: var(--text);
  font: 16px/1.5 Inter, system-ui, sans-serif; }
main { max-width: 30rem; margin: 24px; padding: 24px 32px; border: 1px solid var(--line); border-radius: 10px;
  border-top: 4px solid var(--accent); }
h1 { margin: 0 0 8px; font-size: 20px; font-weight: 700; }
p { margin: 0 0 8px; } .dim { color: var(--dim); } p.dim { margin: 0; } .ok { color: var(--ok); font-weight: 600; }
"""

# The target and the tunnel's name are nobody's business who has not been let in.
_ABOUT: Final = """<h1>This is a WebSocket tunnel</h1>
<p>It works, but it has no page of its own to show.</p>
<p class="dim">Connect a program that speaks WebSocket, such as noVNC, to this same address.</p>"""
# Browsers do not ask about certificates of WebSocket connections: people are sent here to be asked.
_ABOUT_SECURE: Final = """<h1>This is a WebSocket tunnel</h1>
<p class="ok">✓ Your browser accepts the tunnel's certificate.</p>
<p>If a page could not connect to this address before, go back to it and try again.</p>
<p class="dim">This tunnel has no page of its own. Programs that speak WebSocket, such as noVNC, connect to this same
address.</p>"""

_REFUSED: Final = "main { border-top-color: var(--err); overflow-wrap: anywhere; }"
_PLAIN: Final = "text/plain; charset=utf-8"
_NOTHING: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_ALWAYS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_MAX_SENTENCE_CHARACTERS: Final = 1024


def information_page(*, secure: bool = False, head: bool = False) -> Response:
    """Return the page for a GET on a tunnel that has no web root: what this is, and what to do with it.

    Status 200: nothing went wrong, and a probe that asks whether the tunnel is alive gets its yes.

    Args:
        secure: Whether the request came through TLS: then the browser has accepted the certificate.
        head: Whether it answers HEAD.
    """
    return page("wsgui tunnel", _ABOUT_SECURE if secure else _ABOUT, head=head)


def refusal_page(answer: Response) -> Response:
    """Return a refusal as a page in wsgui's own look, for a person's browser; any other answer as it is.

    Args:
        answer: What `refusal` has made, not for HEAD.
    """
    if answer.status < 400 or answer.file is not None or answer.header("content-type") != _PLAIN:
        return answer
    message, *hints = html.escape(answer.body.decode()).splitlines()
    body = "\n".join((f"<h1>{message}</h1>", *(f"<p>{hint}</p>" for hint in hints)))
    shown = page(message, f'{body}\n<p class="dim">{answer.status}</p>', style=_REFUSED, status=answer.status)
    own = {name for name, _ in shown.headers}
    further = tuple(header for header in answer.headers if header[0] not in own)
    return replace(shown, headers=(*shown.headers, *further))


def page(title: str, body: str, *, style: str = "", status: int = 200, head: bool = False) -> Response:
    """Return a page of wsgui's own look, in both themes, without script.

    Args:
        title: HTML: everything that comes from outside is escaped already.
        body: What stands in ``main``; HTML likewise.
        style: Further rules, in CSS.
        status: The status code.
        head: Whether it answers HEAD.
    """
    everything = _STYLE + style
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>{everything}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    digest = base64.b64encode(hashlib.sha256(everything.encode()).digest()).decode()
    policy = f"{_NOTHING}; style-src 'sha256-{digest}'"
    return _answer(status, "text/html; charset=utf-8", text.encode(), policy, head=head)


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
    return _answer(status, _PLAIN, body, _NOTHING, headers=headers, head=head)


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
