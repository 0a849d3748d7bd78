"""`wsgui doctor`, all but the window's part: looks at everything that a tunnel rests on, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from wsgui.app.certificates import Certificates
from wsgui.app.doctor.certificates import certificate_files, keyring, managed_certificates, trust_stores
from wsgui.app.doctor.check import Check, Level
from wsgui.app.doctor.folders import folders
from wsgui.app.doctor.ports import ports
from wsgui.app.doctor.program import event_loop, viewers, wrapping
from wsgui.app.doctor.secrets import authorities, files, secrets
from wsgui.app.paths import Paths
from wsgui.certificates.trust.store import TrustStore
from wsgui.display import display
from wsgui.errors import WsguiError
from wsgui.profiles.model import Profile
from wsgui.profiles.store import ProfileStore

Look = Callable[[], Sequence[Check]]


def examine(
    paths: Paths, *, environment: Mapping[str, str] | None = None, stores: Sequence[TrustStore] | None = None
) -> Iterator[Check]:
    """Look at one thing after the other. Blocking, for seconds: programs are run, and the keyring is asked.

    Args:
        environment: The process's when None.
        stores: This computer's trust stores; None = those of its platform.
    """
    given = os.environ if environment is None else environment
    profiles, broken = _profiles(paths)
    certificates = Certificates(paths, lambda: profiles, stores=stores)
    yield from broken
    looks: tuple[tuple[str, Look], ...] = (
        ("Folders", lambda: folders(paths)),
        ("Keyring", lambda: keyring(certificates, profiles)),
        ("Secrets", lambda: secrets(profiles)),
        ("Secrets", lambda: files(certificates, profiles)),
        ("Certificates", lambda: managed_certificates(certificates, profiles)),
        ("Certificates", lambda: authorities(certificates)),
        ("Certificates", lambda: certificate_files(profiles)),
        ("Trust", lambda: trust_stores(certificates)),
        ("Ports", lambda: ports(profiles, paths.runtime)),
        ("Event loop", event_loop),
        ("Wrapping", lambda: wrapping(profiles, given)),
        ("Viewers", lambda: viewers(profiles)),
    )
    for name, look in looks:
        try:
            yield from look()
        except WsguiError as error:
            yield Check(name, Level.PROBLEM, display(error.message, limit=500), display(error.hint, limit=500))


def _profiles(paths: Paths) -> tuple[tuple[Profile, ...], list[Check]]:
    try:
        loaded = ProfileStore(paths.profiles).load()
    except WsguiError as error:
        return (), [Check("Profiles", Level.PROBLEM, display(error.message, limit=500), display(error.hint, limit=500))]
    broken = [
        Check("Profiles", Level.PROBLEM, display(line, limit=500), "Correct the file, then run: wsgui profile check")
        for problem in loaded.problems
        for line in str(problem).split("\n")
    ]
    return loaded.profiles, broken
