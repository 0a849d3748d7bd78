"""The names of the secrets that wsgui has put into the keyring, as keyrings cannot be listed portably."""

from __future__ import annotations

from wsgui.app.paths import Paths


class SecretIndex:
    """Names of secrets, in a file; the secrets themselves are in the keyring only. All methods block."""

    def __init__(self, paths: Paths) -> None:
        self._file = paths.data / "secret-names.toml"

    def names(self) -> tuple[str, ...]:
        """The names, in alphabetical order."""
        raise NotImplementedError

    def set(self, name: str, value: str) -> None:
        """Keep `value` in the keyring as `name`; raises SecretError."""
        raise NotImplementedError

    def remove(self, name: str) -> bool:
        """Remove the secret `name` from the keyring; whether there was one. Raises SecretError."""
        raise NotImplementedError
