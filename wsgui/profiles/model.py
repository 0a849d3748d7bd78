"""A profile: a tunnel that somebody wants to have, whole and valid."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from wsgui.profiles.access import Access, Proxy, Tls, Tokens, TokenTarget
from wsgui.profiles.addresses import TcpAddress, is_local
from wsgui.profiles.checks import problems_of
from wsgui.profiles.fields import Flag, Group, Listen, Name, Target
from wsgui.profiles.section import Section
from wsgui.profiles.sections import Command, Limits, Metrics, Record, Remote, Reverse, Web

__all__ = [
    "Access",
    "Command",
    "Limits",
    "Metrics",
    "Profile",
    "Proxy",
    "Record",
    "Remote",
    "Reverse",
    "Tls",
    "TokenTarget",
    "Tokens",
    "Web",
    "json_schema",
]

DEFAULT_PORT = 6080


class Profile(Section):
    """A tunnel: where clients come in, where they are taken, who may, and how much.

    Raises:
        pydantic.ValidationError: on construction from values that are no profile. Files are read by
            `wsgui.profiles.reading`, which turns that into a `ProfileError` with places and remedies.
    """

    name: Name = Field("", description="What people call the tunnel; left out in a file: the file's name.")
    listen: Listen = Field(
        TcpAddress("127.0.0.1", DEFAULT_PORT),
        description='Where clients connect: "127.0.0.1:6080", "*:443" (all, IPv4 and IPv6), "[::1]:80", '
        '"unix:/run/office.sock" or "fd:3". A bare port is on 127.0.0.1; port 0 is any free one.',
    )
    target: Target | None = Field(
        None,
        description='Where they are taken: "office:5901", "tls://host:port", "unix:/path", "demo:", "wss://host/path", '
        '"listen:5500". A bare port is on localhost.',
    )
    autostart: Flag = Field(True, description="Start the tunnel when the tray app starts.")
    group: Group = Field("", description="Group in the list; empty = none.")
    # Unchecked defaults: a check would have each section's validator built as this module is imported.
    tls: Tls = Field(Tls.model_construct(), description="Encryption of the listening port.")
    targets: dict[str, TokenTarget] = Field({}, description="Tokens and where each leads.", repr=False)
    tokens: Tokens = Field(
        Tokens.model_construct(), description="A source outside the profile that says where tokens lead."
    )
    access: Access = Field(Access.model_construct(), description="Who may connect.")
    web: Web = Field(Web.model_construct(), description="Pages and files on the same port.")
    command: Command = Field(Command.model_construct(), description="A program that runs with the tunnel.")
    remote: Remote = Field(Remote.model_construct(), description="How to dial a WebSocket server.")
    reverse: Reverse = Field(Reverse.model_construct(), description="Servers that call in.")
    proxy: Proxy = Field(Proxy.model_construct(), description="Proxies in front, and the PROXY protocol.")
    record: Record = Field(Record.model_construct(), description="Recordings.")
    limits: Limits = Field(Limits.model_construct(), description="How much of everything.")
    metrics: Metrics = Field(Metrics.model_construct(), description="Figures for Prometheus.")

    @property
    def tls_only(self) -> bool:
        """Whether plain connections are refused: as `[tls] only` says, else with a certificate off loopback."""
        if self.tls.only is not None:
            return self.tls.only
        return self.tls.enabled and not is_local(self.listen)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        problems = problems_of(self)
        if problems:
            first = problems[0]
            # Readers take all of them from the context; whoever builds a profile in code reads the first.
            context = {"message": f"{first.field}: {first}", "hint": first.hint, "problems": problems}
            raise PydanticCustomError("profile", "{message}", context)
        return self

    def settings(self) -> dict[str, Any]:
        """What differs from the defaults, as plain values that a TOML file can hold; the name always is among them."""
        changed = self.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        return {"name": self.name} | {key: _whole_numbers(value) for key, value in changed.items()}


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a profile file: every field with default, description and unit."""
    schema = Profile.model_json_schema(mode="validation")
    defaults = Profile.model_construct().model_dump(mode="json")
    sections = {type(getattr(Profile.model_construct(), name)).__name__: name for name in defaults}
    for name, part in [("", schema), *schema["$defs"].items()]:
        values = defaults if not name else defaults.get(sections.get(name, ""), {})
        for field, value in values.items():
            # pydantic shows addresses and sizes here as they are in memory, not as they are written.
            part["properties"][field]["default"] = value
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _whole_numbers(value: Any) -> Any:
    """`value` with 30.0 as 30, as a person would write it."""
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value
