"""What all sections of a profile share: frozen, no unknown fields, and no value ever in an error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of a profile.

    Errors leave out what was typed, as it may be a secret in the wrong place.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        validate_default=False,
        arbitrary_types_allowed=True,
        defer_build=True,  # whoever only names the models, as websockify's line does, need not wait for them
    )
