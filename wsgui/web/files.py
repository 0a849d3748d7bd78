"""Static files beneath one folder or several, as answers to GET and HEAD."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from wsgui import assets
from wsgui.errors import WsguiError
from wsgui.web.beneath import open_file
from wsgui.web.conditional import Validators
from wsgui.web.entries import entries_of
from wsgui.web.listing import listing_page
from wsgui.web.media_types import content_type
from wsgui.web.pages import refusal
from wsgui.web.policy import ALWAYS, Fields, Policy
from wsgui.web.ranges import UnsatisfiableError, part_of
from wsgui.web.request_path import BadTargetError, RequestPath, parse_target
from wsgui.web.response import OpenFile, Response
from wsgui.web.viewers import VIEWERS, viewer

__all__ = ["FileServer", "OpenFile", "Response"]

INDEXES: Final = ("index.html", "index.htm")
OWN_PAGES: Final = {"demo": "web/demo"}
"""What ``[web] root`` may name of wsgui's own beside the viewers, and where that lies among its resources."""

_OUT_OF_DESCRIPTORS: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
_NOT_ALLOWED: Final = (errno.EACCES, errno.EPERM)


class FileServer:
    """Answers requests with the files of its folders; it keeps nothing open between them.

    Args:
        root: The folder; None where there are only `mounts`. Links in it may lead to other files in it, relatively;
            none may lead out of it.
        own_pages: Whether these are wsgui's own pages, which get a Content-Security-Policy.
        frames: ``[web] frames``: the origins that may frame wsgui's own pages.
        listing: Whether a folder without an index is listed.
        lenient: As websockify serves files: hidden ones too, links lead anywhere, and every name is taken that a file
            of this system may have; and browsers may guess types. A path with ".." in it leads nowhere all the same.
        mounts: Further folders by the beginning of the path that they answer to, without slashes around
            (``vendor/novnc``); "" stands for `root`. The longest that fits counts.
        front: Makes of a request's query the Location that "/" leads to; None for the folder's own index.
        sources: First segment of a path → directive → what own pages there need beside their own files.

    Raises:
        WsguiError: One of the folders is none, or `frames` holds something other than origins.
    """

    def __init__(
        self,
        root: Path | None,
        *,
        own_pages: bool = False,
        frames: Sequence[str] = (),
        listing: bool = False,
        lenient: bool = False,
        mounts: Mapping[str, Path] | None = None,
        front: Callable[[str], str] | None = None,
        sources: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        folders = dict(mounts or {})
        if root is not None:
            folders[""] = root
        for folder in folders.values():
            if not folder.is_dir():
                raise WsguiError(
                    f"The web folder {folder} does not exist.", "Create it, or name another one.", field="web.root"
                )
        by_names = {tuple(name for name in prefix.split("/") if name): folder for prefix, folder in folders.items()}
        self._mounts = sorted(by_names.items(), key=lambda mount: -len(mount[0]))
        self._front = front
        self._listing = listing
        self._lenient = lenient
        policy = Policy(frames)
        self._policy = policy if own_pages else None
        self._policies = {first: Policy(frames, further) for first, further in (sources or {}).items()}

    @classmethod
    def of(
        cls, root: str, frames: Sequence[str] = (), *, listing: bool = False, lenient: bool = False
    ) -> FileServer | None:
        """Return the server for a profile's ``[web] root``: a folder, the name of an own page, or "" for none.

        Args:
            root: Absolute or below the working directory of now. With `lenient` always a folder: websockify knows no
                names of pages.
            frames: As for the class.
            listing: As for the class.
            lenient: As for the class.

        Raises:
            WsguiError: As the class does, or what a viewer stands on is missing.
        """
        if not root:
            return None
        if root in OWN_PAGES and not lenient:
            return cls(assets.path(OWN_PAGES[root]), own_pages=True, frames=frames)
        if root in VIEWERS and not lenient:
            found = viewer(root)
            return cls(
                None,
                own_pages=found.own_pages,
                frames=frames,
                mounts=found.mounts,
                front=found.location,
                sources=found.sources,
            )
        return cls(Path(root).absolute(), frames=frames, listing=listing, lenient=lenient)

    def respond(self, method: str, target: str, headers: Mapping[str, str]) -> Response:
        """Return the answer to one request; blocking, so call it in a thread.

        Args:
            method: The request's method.
            target: The request's target as it came, query included.
            headers: The request's headers by their names in lower case; ``host``, ``range`` and the conditions
                (RFC 9110, 13.1) are looked at.

        Returns:
            An answer whose open file, if it has one, the caller has to close. Its Content-Length is what is sent.
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
            path = parse_target(target, lenient=self._lenient)
        except BadTargetError as error:
            return refusal(error.status, error.message, error.hint, head=head)
        try:
            return self._answer(path, headers, head=head)
        except IsADirectoryError:
            # Another time it may be a file, so this is not for ever (301).
            return refusal(307, "This is a folder.", headers=(("Location", path.location()),), head=head)
        except UnicodeEncodeError:  # a locale that cannot write this name has no such file
            return _missing(head=head)
        except OSError as error:
            return _failed(error, head=head)

    def _answer(self, path: RequestPath, headers: Mapping[str, str], *, head: bool) -> Response:
        if not path.names and self._front is not None:
            location = ("Location", self._front(path.query))
            return refusal(307, "The page is elsewhere.", headers=(location,), head=head)
        found = self._place(path.names)
        if found is None:
            return _missing(head=head)
        folder, names = found
        if not path.folder:
            return self._file(folder, names, path, headers, head=head)
        for index in INDEXES:
            try:
                return self._file(folder, (*names, index), path, headers, head=head)
            except (FileNotFoundError, IsADirectoryError):
                continue
        if self._listing:
            return listing_page(path.names, entries_of(folder, names, lenient=self._lenient), head=head)
        if not path.names:
            return refusal(404, "This tunnel has files, but no front page.", "Ask for a file by its name.", head=head)
        return _missing(head=head)

    def _place(self, names: Sequence[str]) -> tuple[Path, tuple[str, ...]] | None:
        """The folder that answers to a path, and what is left of the path below it."""
        for prefix, folder in self._mounts:
            if tuple(names[: len(prefix)]) == prefix:
                return folder, tuple(names[len(prefix) :])
        return None

    def _file(
        self, folder: Path, names: Sequence[str], path: RequestPath, headers: Mapping[str, str], *, head: bool
    ) -> Response:
        descriptor, status = open_file(folder, names, follow=self._lenient)
        validators = Validators.of(status, time.time_ns())
        first = path.names[0] if path.names else ""
        common = (*validators.headers(), ("Cache-Control", "no-cache"), *self._protection(headers, first))
        response = _selected(OpenFile(descriptor, status.st_size), validators, names[-1], headers, common, head=head)
        return response.without_body() if head else response

    def _protection(self, headers: Mapping[str, str], first: str) -> Fields:
        if self._lenient:
            return ()  # noNVC's playback page takes recordings in as scripts, whatever their type is said to be
        if self._policy is None:
            return ALWAYS
        return self._policies.get(first, self._policy).fields(headers.get("host", ""))


def _selected(
    file: OpenFile, validators: Validators, name: str, headers: Mapping[str, str], common: Fields, *, head: bool
) -> Response:
    """The answer with a file that is there: all of it, a part, or only that it is (not) as it was."""
    verdict = validators.judge(headers)
    if verdict == 304:
        file.close()
        return Response(304, common)
    if verdict == 412:
        file.close()
        return refusal(412, "The file is not as the request wants it.", "Ask for it without a condition.", head=head)
    described = (("Content-Type", content_type(name)), ("Accept-Ranges", "bytes"), *common)
    wanted = headers.get("range")
    if wanted is None or head or not validators.still(headers.get("if-range")):  # ranges are GET's alone (14.2)
        return Response(200, (*described, ("Content-Length", str(file.size))), file=file)
    try:
        part = part_of(wanted, file.size)
    except UnsatisfiableError:
        file.close()
        size = ("Content-Range", f"bytes */{file.size}")
        return refusal(416, "The file has no such part.", "Ask for one range within its size.", headers=(size,))
    if part is None:
        return Response(200, (*described, ("Content-Length", str(file.size))), file=file)
    partial = (("Content-Range", part.content_range(file.size)), ("Content-Length", str(part.size)))
    return Response(206, (*described, *partial), file=OpenFile.part(file.fd, part.size, part.start))


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
