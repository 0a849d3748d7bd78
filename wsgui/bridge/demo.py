"""The target inside the program (``demo:``): echo, a ticking clock, a source and a sink of bytes."""

from __future__ import annotations

import asyncio


class DemoProtocol(asyncio.Protocol):
    """Speaks the demo's protocol over one connection; give it to `loop.create_connection(…, sock=…)`."""
