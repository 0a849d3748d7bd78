"""Static files beneath one folder, as answers to GET and HEAD."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from wsgui import assets
from wsgui.errors import WsguiError
from wsgui.web.beneath import open_file
from wsgui.web.media_types import content_type
from wsgui.web.pages import refusal
from wsgui.web.request_path import BadTargetError, RequestPath, parse_target
from wsgui.web.response import OpenFile, Response

__all__ = ["FileServer", "OpenFile", "Response"]

INDEX: Final = "index.html"
OWN_PAGES: Final = {"demo": "web/demo"}
"""What ``[web] root`` may name of wsgui's own, and where that lies among its resources."""

_OUT_OF_DESCRIPTORS: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
_NOT_ALLOWED: Final = (errno.EACCES, errno.EPERM)
# What a CSP source may be; IPv6 literals are none, there 'self' has to do.
_SOURCE: Final = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
_FRAME: Final = re.compile(r"'self'|[a-z][a-z0-9+.-]*:(//(\*\.)?[A-Za-z0-9.-]+(:([0-9]+|\*))?)?")


class FileServer:
    """Answers requests with the files of one folder; it keeps nothing open between them.

    Args:
        root: The folder. Links in it may lead to other files in it, relatively; none may lead out of it.
        own_pages: Whether these are wsgui's own pages, which get a Content-Security-Policy.
        frames: ``[web] frames``: the origins that may frame wsgui's own pages.

    Raises:
        WsguiError: `root` is no folder, or `frames` holds something other than origins.
    """

    def __init__(self, root: Path, *, own_pages: bool = False, frames: Sequence[str] = ()) -> None:
        if not root.is_dir():
            raise WsguiError(
                f"The web folder {root} does not exist.", "Create it, or name another one.", field="web.root"
            )
        for frame in frames:
            if not _FRAME.fullmatch(frame):
                raise WsguiError(
                    "A page that may frame this one is not written as an origin.",
                    "Write it like https://intranet.lab.",
                    field="web.frames",
                )
        self.root = root
        self._own_pages = own_pages
        self._frames = tuple(frames)

    @classmethod
    def of(cls, root: str, frames: Sequence[str] = ()) -> FileServer | None:
        """Return the server for a profile's ``[web] root``: a folder, the name of an own page, or "" for none.

        Raises:
            WsguiError: As the class does.
        """
        if not root:
            return None
        if root in OWN_PAGES:
            return cls(assets.path(OWN_PAGES[root]), own_pages=True, frames=frames)
        return cls(Path(root), frames=frames)

    def respond(self, method: str, target: str, headers: Mapping[str, str]) -> Response:
        """Return the answer to one request; blocking, so call it in a thread.

        Args:
            method: The request's method.
            target: The request's target as it came, query included.
            headers: The request's headers by their names in lower case; ``host`` and ``if-none-match`` are looked at.

        Returns:
            An answer whose open file, if it has one, the caller has to close.
        """
        head = method == "HEAD"
        if method not in ("GET", "HEAD"):
            return refusal(
                405,
                "Files can only be read here.",
                "Use GET or HEAD, or connect by WebSocket.",
                headers=(("Allow", "GET, HEAD"),),
            )
        try:
            path = parse_target(target)
        except BadTargetError as error:
            return refusal(error.status, error.message, error.hint, head=head)
        try:
            response = self._open(path, headers)
        except IsADirectoryError:
            if path.folder:  # a folder that is called index.html
                return _missing(head=head)
            # Another time it may be a file, so this is not for ever (301).
            return refusal(307, "This is a folder.", headers=(("Location", path.location()),), head=head)
        except UnicodeEncodeError:  # a locale that cannot write this name has no such file
            return _missing(head=head)
        except OSError as error:
            return _failed(error, head=head)
        return response.without_body() if head else response

    def _open(self, path: RequestPath, headers: Mapping[str, str]) -> Response:
        names = (*path.names, INDEX) if path.folder else path.names
        descriptor, status = open_file(self.root, names)
        tag = f'W/"{status.st_mtime_ns:x}-{status.st_size:x}"'
        common = (("ETag", tag), ("Cache-Control", "no-cache"), *self._protection(headers.get("host", "")))
        if _matches(tag, headers.get("if-none-match", "")):
            os.close(descriptor)
            return Response(304, common)
        described = (("Content-Type", content_type(names[-1])), ("Content-Length", str(status.st_size)))
        return Response(200, (*described, *common), file=OpenFile(descriptor, status.st_size))

    def _protection(self, host: str) -> tuple[tuple[str, str], ...]:
        always = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
        if not self._own_pages:
            return always
        # Newer browsers count the own WebSocket address as 'self'; the others have to be told.
        sockets = f" ws://{host} wss://{host}" if _SOURCE.fullmatch(host) else ""
        ancestors = " ".join(self._frames) or "'none'"
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
            f"connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors {ancestors}"
        )
        more = () if self._frames else (("X-Frame-Options", "DENY"),)
        return (*always, ("Content-Security-Policy", policy), *more, ("Cross-Origin-Resource-Policy", "same-origin"))


def _matches(tag: str, if_none_match: str) -> bool:
    """Return whether `tag` is among an If-None-Match header's (RFC 9110, 13.1.2: compared weakly)."""
    offered = {item.strip().removeprefix("W/") for item in if_none_match.split(",")}
    return "*" in offered or tag.removeprefix("W/") in offered


def _missing(*, head: bool) -> Response:
    return refusal(404, "There is no such file here.", "Check the address.", head=head)


def _failed(error: OSError, *, head: bool) -> Response:
    if error.errno in _NOT_ALLOWED:
        return refusal(
            403,
            "wsgui may not read this file.",
            "Let the user that runs wsgui read it, and enter its folders.",
            head=head,
        )
    if error.errno in _OUT_OF_DESCRIPTORS:
        return refusal(
            503, "Too many files are open just now.", "Try again soon.", headers=(("Retry-After", "1"),), head=head
        )
    if error.errno == errno.EIO:
        return refusal(500, "This file could not be read.", "Look at the disk it lies on.", head=head)
    return _missing(head=head)
