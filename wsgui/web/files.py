"""Static files beneath one folder, as answers to GET and HEAD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from wsgui.web.response import OpenFile, Response

__all__ = ["FileServer", "OpenFile", "Response"]


class FileServer:
    """Answers requests with the files of one folder."""

    def __init__(self, root: Path, *, own_pages: bool = False, frames: Sequence[str] = ()) -> None:
        self.root = root

    @classmethod
    def of(cls, root: str, frames: Sequence[str] = ()) -> FileServer | None:
        """Return the server of a profile's ``[web] root``: none for "", wsgui's own page for "demo", else a folder."""
        raise NotImplementedError

    def respond(self, method: str, target: str, headers: Mapping[str, str]) -> Response:
        """Answer one request; blocking. `headers` by lower-case names."""
        raise NotImplementedError
