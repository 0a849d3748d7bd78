"""websockify's authentication classes and what they are built from, as `[access]` says the same, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from wsgui.display import display
from wsgui.errors import UsageError
from wsgui.profiles.access import Access
from wsgui.profiles.formats import ANY, SAME_HOST, FormatError, canonical_origin, is_import_path
from wsgui.profiles.websockify.outcome import Lost
from wsgui.profiles.websockify.table import AUTH_MODULE, short_name

BASIC: Final = "BasicHTTPAuth"
ORIGIN: Final = "ExpectOrigin"
CERTIFICATE: Final = "ClientCertCNAuth"
NAMES: Final = (BASIC, ORIGIN, CERTIFICATE)
USER_AND_PASSWORD: Final = "USER:PASSWORD"  # noqa: S105  # words to be replaced

_SAME_HOST_ONLY: Final = Lost(
    "pages and names",
    "websockify lets in any web page, by any name. A profile lets in pages of its own host and clients that are no "
    "browsers, by addresses and local names: add others to origins and hosts in [access].",
)


@dataclass(frozen=True, slots=True)
class AccessInProfile:
    """An authentication class as fields of `[access]`."""

    settings: dict[str, Any] = field(repr=False)
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessOnLine:
    """`[access]` as ``--auth-plugin`` and ``--auth-source``; without a plugin nothing of it can be said."""

    plugin: str = ""
    source: str = field(default="", repr=False)
    lost: tuple[Lost, ...] = ()


def in_profile(plugin: str, source: str | None, unbound_basic: Callable[[], str]) -> AccessInProfile:
    """The fields of `[access]` that mean ``--auth-plugin PLUGIN --auth-source SOURCE``; an empty plugin is none.

    Args:
        unbound_basic: Called when there is a user and password; returns the reference to write in their place.

    Raises:
        UsageError: there is no such class.
    """
    name = short_name(plugin, AUTH_MODULE)
    if name == ORIGIN:
        return _origins_in_profile((source or "").split())
    if not name:
        return AccessInProfile({}, (_SAME_HOST_ONLY,))
    if name == BASIC:
        return AccessInProfile({"basic": unbound_basic()}, (_SAME_HOST_ONLY,))
    if name == CERTIFICATE:
        return AccessInProfile({"client_names": (source or "").split()}, (_SAME_HOST_ONLY,))
    if not is_import_path(name):
        raise UsageError(
            f'--auth-plugin: there is no class "{display(name, limit=80)}".',
            f"Write package.module.Class, or one of {', '.join(NAMES)}.",
        )
    lost = [_SAME_HOST_ONLY]
    lost.append(Lost("--auth-plugin", "A profile does not look for the module in the working directory: install it."))
    if source:
        why = "It stands in the profile's file as it was typed, which matters if it is a secret."
        lost.append(Lost("--auth-source", why))
    return AccessInProfile({"plugin": name} | ({"plugin_argument": source} if source else {}), tuple(lost))


def on_line(access: Access) -> AccessOnLine:
    """The class of websockify's that asks for what `access` asks for; it takes one only, so the strictest."""
    asked: dict[str, tuple[str, str]] = {}
    lost: list[Lost] = []
    if access.plugin is not None:
        asked["plugin"] = (access.plugin, access.plugin_argument)
    if access.basic is not None:
        asked["basic"] = (BASIC, USER_AND_PASSWORD)
    if access.client_names is not None:
        asked["client_names"] = (CERTIFICATE, " ".join(access.client_names))
    origins = [origin for origin in access.origins if origin != SAME_HOST]
    if ANY not in origins and (origins or not access.origins):
        asked["origins"] = (ORIGIN, " ".join(origins))
    if SAME_HOST in access.origins and ANY not in origins:
        rest = "and no rule for Host: it lets in any page." if not origins else "to name this host's pages by."
        lost.append(Lost("access.origins", f'websockify has no "{SAME_HOST}" {rest}'))
    if not asked:
        return AccessOnLine(lost=tuple(lost))
    chosen, *others = asked
    why = f"websockify asks one class only, here {asked[chosen][0]}: this is not asked."
    lost += [Lost(f"access.{other}", why) for other in others]
    if chosen == "basic":
        why = f"Write the user and password in place of {USER_AND_PASSWORD}."
        lost.append(Lost("access.basic", f"{why} Other users can read them in the process list."))
    if chosen == "client_names" and any(len(name.split()) != 1 for name in access.client_names or ()):
        lost.append(Lost("access.client_names", "websockify takes no names with spaces in them: it takes them apart."))
    if chosen == "origins":
        lost.append(Lost("access.origins", "websockify refuses clients that send no Origin too, as ssh clients do."))
    return AccessOnLine(*asked[chosen], tuple(lost))


def _origins_in_profile(texts: list[str]) -> AccessInProfile:
    why = "Clients that send no Origin, which are no browsers, are let in."
    lost = [Lost("--auth-plugin", why)]
    origins = []
    for text in texts:
        try:
            # To websockify these two are no keywords, and no page's origin either.
            if text in (ANY, SAME_HOST):
                raise FormatError("", "")
            origins.append(canonical_origin(text))
        except FormatError:
            lost.append(Lost("--auth-source", f'"{display(text, limit=80)}" is no origin that a page can have.'))
    return AccessInProfile({"origins": origins}, tuple(lost))
