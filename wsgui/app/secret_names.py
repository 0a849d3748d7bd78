"""The names of the secrets that wsgui has put into the keyring, as keyrings cannot be listed portably."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Set
from typing import Final

import tomlkit

from wsgui.app.paths import Paths
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles import keyring_access
from wsgui.profiles.disk import DiskError, create_file, make_private_folder, read_regular, replace_file
from wsgui.profiles.file_lock import file_lock

MAX_BYTES: Final = 1 << 20
_COMMENT: Final = "# Names of secrets that wsgui has put into the keyring; the secrets themselves are there.\n"
_FILE: Final = "secret-names.toml"


class SecretIndex:
    """Names of secrets, in a file; the secrets themselves are in the keyring only. All methods block."""

    def __init__(self, paths: Paths) -> None:
        self._file = paths.data / _FILE

    def names(self) -> tuple[str, ...]:
        """The names, in alphabetical order.

        Raises:
            WsguiError: The file is damaged or cannot be read.
        """
        return self._read(self._content())

    def set(self, name: str, value: str) -> None:
        """Keep `value` in the keyring as `name`, in the place of what had that name.

        Raises:
            SecretError: The keyring does not keep it, or name or value is none.
            WsguiError: The names' file is damaged or cannot be written; nothing was stored.
        """
        is_new = name not in self.names()
        self._change(lambda names: names | {name})
        try:
            keyring_access.store(name, value)
        except BaseException:
            if is_new:
                self._change(lambda names: names - {name})
            raise

    def remove(self, name: str) -> bool:
        """Remove the secret `name` from the keyring; whether there was one, or was said to be.

        Raises:
            SecretError: The keyring cannot be asked.
            WsguiError: The names' file is damaged or cannot be written; the keyring then has no such secret.
        """
        removed = keyring_access.remove(name)
        if name in self.names():
            self._change(lambda names: names - {name})
            removed = True
        return removed

    def _change(self, change: Callable[[frozenset[str]], Set[str]]) -> None:
        make_private_folder(self._file.parent)
        with file_lock(self._file.with_suffix(".lock")):
            before = self._content()
            names = frozenset(self._read(before))
            after = change(names)
            if after == names:
                return
            text = (_COMMENT + tomlkit.dumps({"names": sorted(after)})).encode()
            if before is None:
                self._create(text)
            else:
                replace_file(self._file, text, expected=before)

    def _create(self, text: bytes) -> None:
        try:
            create_file(self._file, text)
        except FileExistsError as error:
            raise DiskError(f"{display(str(self._file))} was made by somebody else meanwhile.", "Try again.") from error

    def _content(self) -> bytes | None:
        try:
            return read_regular(self._file, MAX_BYTES)[0]
        except FileNotFoundError:
            return None
        except OSError as error:
            why = error.strerror or type(error).__name__
            message = f"The file {display(str(self._file))} cannot be read: {why}."
            raise DiskError(message, "Let the user who runs wsgui read it.") from error

    def _read(self, content: bytes | None) -> tuple[str, ...]:
        if content is None:
            return ()
        try:
            names = tomllib.loads(content.decode())["names"]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError
        except (ValueError, KeyError, RecursionError):
            raise WsguiError(
                f"The file {display(str(self._file))} is damaged.",
                "Remove it; the secrets themselves are in the keyring, and their names in the profiles.",
            ) from None
        return tuple(sorted(set(names)))
