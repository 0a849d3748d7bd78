"""The tokens that a profile itself lists in `[targets]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from wsgui.access.keyed import digest
from wsgui.access.tokens.source import MAX_JWT_BYTES, MAX_TOKEN_BYTES, TokenSource
from wsgui.access.visitor import TargetAddress
from wsgui.errors import FieldError
from wsgui.profiles.access import TokenTarget
from wsgui.profiles.addresses import DialAddress, ReverseAddress


class InlineTargets:
    """Leads to the profile's own targets; tokens are kept as keyed digests alone.

    Raises:
        FieldError: A target is one that tokens cannot lead to, or a token is empty.
    """

    from_outside: ClassVar[bool] = False
    max_token_bytes: ClassVar[int] = MAX_TOKEN_BYTES

    def __init__(self, targets: Mapping[str, TokenTarget]) -> None:
        self._targets: dict[bytes, TargetAddress] = {}
        for token, entry in targets.items():
            if not token:
                raise FieldError("A token is empty.", "Give each of [targets] a token.", field="targets")
            if len(token.encode("utf-8", "surrogatepass")) > MAX_TOKEN_BYTES:
                raise FieldError(
                    f"A token is longer than {MAX_TOKEN_BYTES} bytes.", "Choose a shorter one.", field="targets"
                )
            if isinstance(entry.target, DialAddress | ReverseAddress):
                # Which one is not said: what stands before the = is the token.
                raise FieldError(
                    "A token leads to a target that tokens cannot lead to.",
                    "Give it host:port, tls://host:port, unix:/path or demo:.",
                    field="targets",
                )
            self._targets[_key(token)] = entry.target

    def holds(self, token: str) -> bool:
        """Return whether `token` is one of the profile's own."""
        return _key(token) in self._targets

    async def open(self) -> None:
        """Do nothing: they are here already."""

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where `token` leads; None when it is not listed."""
        return self._targets.get(_key(token))

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """Return whether the profile still takes `token` to `target`."""
        return self._targets.get(_key(token)) == target

    async def close(self) -> None:
        """Do nothing."""


class InlineFirst:
    """Asks the profile's own tokens first, and then a source outside.

    `from_outside` holds for what the source says: `holds` tells which tokens are the profile's own.
    """

    from_outside: ClassVar[bool] = True
    max_token_bytes: ClassVar[int] = MAX_JWT_BYTES

    def __init__(self, inline: InlineTargets, source: TokenSource) -> None:
        self._inline = inline
        self._source = source

    def holds(self, token: str) -> bool:
        """Return whether `token` is one of the profile's own, so that `[tokens] allow` does not concern it."""
        return self._inline.holds(token) or not self._source.from_outside

    async def open(self) -> None:
        """As the source does."""
        await self._source.open()

    async def look_up(self, token: str) -> TargetAddress | None:
        """Return where `token` leads; None when neither knows it.

        Raises:
            LookupFailed: The profile does not list it, and the source could not answer.
        """
        target = await self._inline.look_up(token)
        if target is not None:
            return target
        if len(token.encode("utf-8", "surrogatepass")) > self._source.max_token_bytes:
            return None
        return await self._source.look_up(token)

    async def still_leads(self, token: str, target: TargetAddress) -> bool:
        """As the one does that leads there now."""
        asked: TokenSource = self._inline if self._inline.holds(token) else self._source
        return await asked.still_leads(token, target)

    async def close(self) -> None:
        """As the source does."""
        await self._source.close()


def _key(token: str) -> bytes:
    return digest(token.encode("utf-8", "surrogatepass"))
