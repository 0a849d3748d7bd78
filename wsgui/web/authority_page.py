"""The page by which a phone or another computer gets the local authority's certificate and learns to trust it."""

from __future__ import annotations

import hashlib
import html
import re
import warnings
from dataclasses import dataclass, field
from typing import Final, Self

from wsgui.display import display
from wsgui.errors import CertificateError
from wsgui.web.pages import page, refusal
from wsgui.web.response import Response

MEDIA_TYPE: Final = "application/x-x509-ca-cert"
"""What Android, iOS and Firefox know a certificate of an authority by."""

_GROUP: Final = 8
"""Bytes of a fingerprint on one line: what the narrowest phones have room for."""

_STYLE: Final = """
main { max-width: 34rem; overflow-wrap: anywhere; }
.print { margin: 0 0 16px; padding: 8px 12px; border: 1px solid var(--line); border-radius: 7px;
  font: 14px/1.6 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.print span { display: block; }
.get { display: block; margin: 0 0 16px; padding: 12px 16px; border-radius: 7px; background: var(--button);
  color: var(--on-button); font-weight: 600; text-align: center; text-decoration: none; }
.get:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
:root { --button: #2563eb; --on-button: #fff; }
details { border-top: 1px solid var(--line); }
summary { padding: 12px 0; font-weight: 600; cursor: pointer; }
ol { margin: 0 0 12px; padding-left: 24px; } li { margin: 0 0 8px; }
code { font: 14px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
h2 { margin: 24px 0 8px; font-size: 16px; }
@media (max-width: 480px) {
  body { display: block; } main { margin: 0; padding: 16px; border-width: 4px 0 0; border-radius: 0; }
  .print { padding: 8px; font-size: 13px; }
}
@media (prefers-color-scheme: dark) { :root { --button: #5b9dff; --on-button: #16181d; } }
"""

# How each system shows SHA-256 of a certificate decides when it can be compared: before or after it is trusted.
_STEPS: Final[tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]] = (
    (
        "Android",
        re.compile(r"Android"),
        (
            "Download. If the browser warns that the download is not secure, keep it: you compare it in step 3.",
            "Open Settings, search there for “CA certificate”, and choose Install a certificate, then CA certificate, "
            "then Install anyway. Pick <b>{file}</b> under Downloads.",
            "Open Settings, search for “Trusted credentials”, go to the User tab and tap <b>{name}</b>. The SHA-256 "
            "fingerprint there has to be the one that wsgui shows; if it is not, choose Uninstall.",
            "Firefox only: open its Settings, About Firefox, tap the logo five times, go back, and in Secret Settings "
            "switch on Use third party CA certificates.",
        ),
    ),
    (
        "iPhone and iPad",
        re.compile(r"iPhone|iPad|iPod"),
        (
            "Open this page in Safari, download, and tap Allow.",
            "Open Settings, General, VPN &amp; Device Management, and tap <b>{name}</b>, More Details, and the "
            "certificate. The SHA-256 fingerprint at the end has to be the one that wsgui shows; if it is not, remove "
            "the profile.",
            "Go back, tap Install, and confirm.",
            "Open Settings, General, About, Certificate Trust Settings, and switch on <b>{name}</b>.",
        ),
    ),
    (
        "Windows",
        re.compile(r"Windows"),
        (
            "Download. In the folder of the file, open a terminal and run <code>certutil -hashfile {file} SHA256</code>"
            ". It has to show the fingerprint that wsgui shows; if it does not, delete the file.",
            "Run <code>certutil -user -addstore Root {file}</code> and confirm. Chrome and Edge know it at once.",
            "Firefox only: it takes Windows' authorities by itself; restart it.",
        ),
    ),
    (
        "Mac",
        re.compile(r"Macintosh"),
        (
            "Download. In a terminal, in the folder of the file, run <code>shasum -a 256 {file}</code>. It has to show "
            "the fingerprint that wsgui shows; if it does not, delete the file.",
            "Open the file: Keychain Access adds it to the login keychain. Double-click <b>{name}</b> there, open "
            "Trust, and choose Always Trust.",
            "Firefox only: it takes the keychain's authorities by itself; restart it.",
        ),
    ),
    (
        "Linux, and Firefox anywhere",
        re.compile(r"Linux|X11|CrOS"),
        (
            "Download. In a terminal, in the folder of the file, run <code>sha256sum {file}</code>. It has to show the "
            "fingerprint that wsgui shows; if it does not, delete the file.",
            "Firefox: Settings, Privacy &amp; Security, View Certificates, Authorities, Import. Tick Trust this CA to "
            "identify websites.",
            "Chrome: Settings, Privacy and security, Security, Manage certificates; import it among the authorities. "
            "Or run <code>certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n wsgui -i {file}</code>",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """An authority's certificate, as it is offered."""

    der: bytes = field(repr=False)
    name: str
    """What systems list it as: its common name, or its whole subject; from outside."""
    fingerprint: str
    """SHA-256 of `der`, as `AB:CD:…`."""

    @property
    def file_name(self) -> str:
        """What it is saved as; each authority has its own."""
        return f"wsgui-authority-{self.fingerprint[:11].replace(':', '').lower()}.crt"

    @classmethod
    def of(cls, der: bytes) -> Self:
        """Return the certificate that these bytes are.

        Raises:
            CertificateError: They are none: nothing but a certificate may be handed out.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                certificate = x509.load_der_x509_certificate(der)
                names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
                name = str(names[0].value) if names else certificate.subject.rfc4514_string()
        except ValueError as error:
            raise CertificateError(
                "This is no certificate in DER form.",
                "Offer the certificate of the authority that signed the tunnel's.",
            ) from error
        der = certificate.public_bytes(Encoding.DER)
        return cls(der, name, hashlib.sha256(der).digest().hex(":").upper())


def authority_page(certificate: Certificate, path: str, user_agent: str = "") -> Response:
    """Return the page: the fingerprint, one download, and what to do with it on each system.

    Args:
        path: The page's own, which the download's begins with.
        user_agent: As the browser calls itself: its system's steps are shown at once, the others behind a click.
    """
    name, file = html.escape(display(certificate.name)), html.escape(certificate.file_name)
    here = next((system for system, pattern, _ in _STEPS if pattern.search(user_agent)), "")
    systems = "\n".join(
        f"<details{' open' if system == here else ''}><summary>{system}</summary>\n<ol>\n"
        + "\n".join(f"<li>{step.format(name=name, file=file)}</li>" for step in steps)
        + "\n</ol></details>"
        for system, _, steps in sorted(_STEPS, key=lambda entry: entry[0] != here)
    )
    pairs = certificate.fingerprint.split(":")
    lines = [":".join(pairs[at : at + _GROUP]) for at in range(0, len(pairs), _GROUP)]
    shown = "".join(f"<span>{line}</span>" for line in (*(f"{line}:" for line in lines[:-1]), lines[-1]))
    body = f"""<h1>Trust this tunnel on this device</h1>
<p>Once you have installed it, this certificate lets you open encrypted tunnels of the computer that offers it without
a warning. It is called <b>{name}</b>.</p>
<p class="dim">Its fingerprint (SHA-256)</p>
<p class="print">{shown}</p>
<p>wsgui shows the same one where you got this address. Compare the two, and once more the one that this device shows
in the steps below: only then is it that computer's certificate.</p>
<p><a class="get" href="{html.escape(path)}/{file}">Download the certificate</a></p>
<p class="dim">It can be downloaded once, by one device.</p>
<h2>How to install it</h2>
{systems}"""
    return page("Trust this tunnel", body, style=_STYLE)


def certificate_file(certificate: Certificate) -> Response:
    """Return the download itself.

    It is inline: told that it is an attachment, iOS and Firefox would save it instead of offering to trust it.
    """
    headers = (
        ("Content-Type", MEDIA_TYPE),
        ("Content-Length", str(len(certificate.der))),
        ("Content-Disposition", f'inline; filename="{certificate.file_name}"'),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    )
    return Response(200, headers, certificate.der)


def nothing_here() -> Response:
    """Return the answer to everybody for whom there is no download, whatever the reason."""
    return refusal(
        404,
        "There is no certificate to download here.",
        "A download works once, for 10 minutes, and within the same network: ask for a new one in wsgui.",
    )
