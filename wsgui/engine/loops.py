"""The engine's event loop: uvloop, or winloop on Windows, or the standard library's."""

from __future__ import annotations

import asyncio
import sys


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop of the fastest kind that is installed.

    On the standard library's loop TLS still goes through aiofastnet's transports, as everywhere.
    """
    try:
        if sys.platform == "win32":
            import winloop  # type: ignore[import-not-found,unused-ignore]

            loop: asyncio.AbstractEventLoop = winloop.new_event_loop()
        else:
            import uvloop

            loop = uvloop.new_event_loop()
    except ImportError:
        return asyncio.new_event_loop()
    return loop
