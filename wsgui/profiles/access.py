"""The sections of a profile that say who may come in, and where they may go: tls, tokens, access, proxy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from wsgui.profiles.fields import (
    AccessPath,
    AccessPlugin,
    AccessReference,
    AllowedHost,
    CertificateNames,
    Flag,
    Line,
    Network,
    NetworkPorts,
    Origin,
    PathText,
    Reference,
    Seconds,
    Target,
)
from wsgui.profiles.formats import SAME_HOST
from wsgui.profiles.section import Section


class Tls(Section):
    """Encryption of the listening port: a certificate makes it speak TLS too."""

    certificate: CertificateNames = Field(
        (),
        description="Names of certificates that wsgui keeps (wsgui certificate list), or one: each client gets the "
        "one for the name it asks for (SNI) or the address it has come to; the first is for all others.",
    )
    certificate_file: PathText = Field(
        "",
        description="PEM file with a certificate and then its intermediates, instead of one wsgui keeps; read anew "
        "when it changes. Neither = no TLS.",
    )
    key_file: PathText = Field(
        "", description="PEM file with the private key of certificate_file; empty = it is in that file."
    )
    key_password: Reference = Field(
        "", description="Reference to the passphrase of the key in key_file; empty = that key has none."
    )
    only: Flag | None = Field(
        None,
        description="Refuse plain connections. Left out: yes with a certificate on a listener that is not loopback.",
    )
    minimum: Literal["1.2", "1.3"] = Field("1.2", description="Lowest TLS version that is spoken.")
    ciphers: Line = Field("", description="OpenSSL cipher list for TLS 1.2; empty = the system's default.")
    client_authority: AccessPath = Field(
        None,
        description="PEM file with the authorities one of which must have signed a client's certificate; "
        "left out = not asked.",
    )

    @property
    def enabled(self) -> bool:
        """Whether a certificate is named, so that the listener speaks TLS."""
        return bool(self.certificate_file or self.certificate)


class TokenTarget(Section):
    """Where one token of `[targets]` leads."""

    target: Target = Field(description="Address to connect to, as in the profile's target.")
    view_only: Flag = Field(False, description="Whether whoever comes with this token may only watch.")

    @model_validator(mode="before")
    @classmethod
    def _bare_address(cls, value: object) -> object:
        return value if isinstance(value, dict | TokenTarget) else {"target": value}


class Tokens(Section):
    """Where a client's token leads, asked of a source outside the profile."""

    source: Line = Field(
        "",
        description="file:, file-per-token:, redis:, jwt:, https:, unix-directory: or plugin:, each with its place; "
        "empty = no tokens.",
    )
    argument: Line = Field("", description="What a plugin's class is built with.")
    password: Reference = Field("", description="Reference to the password of a Redis source; empty = none.")
    by_host: Flag = Field(False, description="Take the Host header, without its port, as the token.")
    allow: tuple[NetworkPorts, ...] | None = Field(
        None, description="Networks and ports that the source may name, such as 10.0.0.0/8:5900-5999; left out = any."
    )
    deadline_seconds: Seconds = Field(5.0, gt=0, description="Longest time a look-up may take, in seconds.")
    audience: Line = Field("", description="The audience (aud) that a JWT must name; empty = not asked.")


class Access(Section):
    """Who may connect. What is left out is not asked; an empty list lets nobody in."""

    origins: tuple[Origin, ...] = Field(
        (SAME_HOST,),
        description='Origins of web pages that may connect: "same-host", "https://vnc.lab" or "*". '
        "Clients that are no browser send none and are not asked.",
    )
    hosts: tuple[AllowedHost, ...] = Field(
        (), description='Further names by which clients may call this tunnel (Host header), or "*" for any.'
    )
    links_only: Flag = Field(False, description="Let in only those who come with a link.")
    basic: AccessReference = Field(None, description="Reference to user:password, asked as HTTP Basic.")
    client_names: tuple[Line, ...] | None = Field(
        None, description="Common names of client certificates that may connect; left out = any of the authority's."
    )
    anyone: Flag = Field(False, description="Let anybody start the program of a stdio or terminal tunnel.")
    view_only: Flag = Field(False, description="Let VNC clients watch, but not type or point.")
    plugin: AccessPlugin = Field(None, description="Import path of an authentication class; left out = none.")
    plugin_argument: Line = Field("", description="What the plugin's class is built with.")


class Proxy(Section):
    """Proxies in front of this tunnel, and the PROXY protocol."""

    trusted: tuple[Network, ...] = Field((), description="Networks of proxies whose word on client addresses counts.")
    header: Literal["", "Forwarded", "X-Forwarded-For", "X-Real-IP"] = Field(
        "", description="The one header in which trusted proxies name the client; empty = none."
    )
    accept_proxy_protocol: Flag = Field(False, description="Require the PROXY protocol (v1, v2) from trusted proxies.")
    send_proxy_protocol: Flag = Field(False, description="Tell the target who the client is, by PROXY protocol v2.")
