"""What is spoken over a connection, guessed from the first bytes each way."""

from __future__ import annotations


def guess(to_client: bytes, to_target: bytes) -> str:
    """Return the protocol's name, such as "VNC (RFB 3.8)", or "" when it is not known."""
    raise NotImplementedError
