"""What a client's request and connection show to whoever decides who may come in."""

from __future__ import annotations

from wsgui.access.visitor import Visitor
from wsgui.bridge.ends import End
from wsgui.bridge.request import Request
from wsgui.bridge.transport_end import TransportEnd


def visitor_of(request: Request, end: End | None, host: str, *, secure: bool) -> Visitor:
    """Return the visitor that a request comes from.

    Args:
        end: Its connection, which knows the client's certificate.
        host: The client's address without a port; empty for a unix peer.
        secure: Whether it came over TLS.
    """
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.fields.items()}
    name = None
    if isinstance(end, TransportEnd) and not end.closed:
        from wsgui.access.client_certificates import common_name  # loads what plain tunnels do without

        name = common_name(end.ssl_object)
    return Visitor(host, request.target.decode("latin-1"), fields, secure, name)
