"""The window's own small settings: theme, which tunnels ran, where the window was."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from wsgui.display import display

_log = logging.getLogger(__name__)
_LARGEST_BYTES: Final = 1 << 20
# The window's thread and the engine's both write: each change reads what is there first.
_lock = threading.Lock()


class WindowHints(BaseModel):
    """Where the window was; sizes in device-independent pixels, 0 when not known."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    width: int = Field(default=0, ge=0, le=100_000)
    height: int = Field(default=0, ge=0, le=100_000)
    maximized: bool = False
    sidebar: int = Field(default=0, ge=0, le=100_000)
    selected: str = ""
    """The tunnel that was shown."""


class Settings(BaseModel):
    """All of `settings.toml`; unknown keys (of a newer version) are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: Literal["system", "light", "dark"] = "system"
    wanted: tuple[str, ...] | None = None
    """The tunnels that were switched on; None before the first start has noted any."""
    window: WindowHints = WindowHints()
    told: tuple[str, ...] = ()
    """What was said once and need not be said again ("keeps-running")."""


def load(file: Path) -> Settings:
    """Read `file` (blocking). A missing one gives the defaults; a broken one too, and is kept aside, never lost."""
    with _lock:
        return _load(file)


def update(file: Path, **changes: Any) -> Settings:
    """Change some settings and write the file (blocking, atomic, 0600); the folder must exist.

    Raises:
        ValidationError: A value that cannot be.
        OSError: The file cannot be written; the old one is still whole.
    """
    with _lock:
        old = _load(file)
        new = Settings.model_validate({**old.model_dump(), **changes})
        if new != old or not file.exists():
            _write(file, new)
        return new


def _load(file: Path) -> Settings:
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES)
        return Settings.model_validate(tomlkit.parse(content.decode()).unwrap())
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        _log.warning("%s cannot be read (%s): the defaults are used.", display(str(file)), error.strerror)
        return Settings()
    except (UnicodeDecodeError, TOMLKitError, ValidationError, ValueError):
        aside = file.with_name(f"{file.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
        with contextlib.suppress(OSError):
            file.replace(aside)
        _log.warning("%s is damaged: the defaults are used, the old one is kept as %s.", display(str(file)), aside.name)
        return Settings()


def _write(file: Path, settings: Settings) -> None:
    text = tomlkit.dumps(settings.model_dump(mode="json", exclude_none=True))
    # mkstemp makes it 0600 and follows no link.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
