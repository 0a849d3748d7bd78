"""Authentication classes for plugins to derive from, with the interface that websockify documents."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, NoReturn

from wsgui.access.basic import MalformedError, parse_basic
from wsgui.access.websockify_authentication import CHALLENGE


class AuthenticationError(Exception):
    """Denies access, with an HTTP answer.

    Args:
        log_msg: For the log only.
        response_code: The status.
        response_headers: Further fields of the answer.
        response_msg: For the client.
    """

    def __init__(
        self,
        log_msg: str | None = None,
        response_code: int = 403,
        response_headers: Mapping[str, str] | None = None,
        response_msg: str | None = None,
    ) -> None:
        self.code = response_code
        self.headers = dict(response_headers or {})
        self.msg = response_msg
        super().__init__(f"{response_code} {response_msg if log_msg is None else log_msg}")


class InvalidOriginError(AuthenticationError):
    """The Origin field names another page than those expected, or none."""

    def __init__(self, expected: object, actual: str | None) -> None:
        self.expected_origin = expected
        self.actual_origin = actual
        super().__init__(f"Invalid Origin: {actual!r} is not among {expected}", response_msg="Invalid Origin")


class BasePlugin:
    """Lets everybody in.

    Args:
        src: What `--auth-source` says.
    """

    def __init__(self, src: str | None = None) -> None:
        self.source = src

    def authenticate(self, headers: Any, target_host: str | None, target_port: int | str | None) -> None:
        """Return to let the client in, raise AuthenticationError not to."""


class BasicHTTPAuth(BasePlugin):
    """Asks for a user and a password; `src` is `user:password`."""

    def __init__(self, src: str | None = None) -> None:
        super().__init__(src)
        self.src = src

    def authenticate(self, headers: Any, target_host: str | None, target_port: int | str | None) -> None:
        field = headers.get("Authorization")
        if not field:
            self.demand_auth()
        try:
            credentials = parse_basic(field, strict=False)
        except MalformedError:
            credentials = None
        if credentials is None:
            self.auth_error()
        user, password = credentials
        if not self.validate_creds(user.decode("latin-1"), password.decode("latin-1")):
            self.demand_auth()

    def validate_creds(self, username: str, password: str) -> bool:
        """Return whether these are right; what most plugins override."""
        return self.src is not None and hmac.compare_digest(f"{username}:{password}".encode(), self.src.encode())

    def auth_error(self) -> NoReturn:
        """Deny a malformed request."""
        raise AuthenticationError(response_code=403)

    def demand_auth(self) -> NoReturn:
        """Ask for a user and a password."""
        raise AuthenticationError(response_code=401, response_headers={"WWW-Authenticate": CHALLENGE})


class ExpectOrigin(BasePlugin):
    """Lets pages of listed origins in; `src` has white space between them."""

    source: Any

    def __init__(self, src: str | None = None) -> None:
        super().__init__(src)
        self.source = (src or "").split()

    def authenticate(self, headers: Any, target_host: str | None, target_port: int | str | None) -> None:
        origin = headers.get("Origin")
        if origin not in self.source:
            raise InvalidOriginError(expected=self.source, actual=origin)


class ClientCertCNAuth(BasePlugin):
    """Lets client certificates with listed common names in; `src` has white space between them."""

    source: Any

    def __init__(self, src: str | None = None) -> None:
        super().__init__(src)
        self.source = (src or "").split()

    def authenticate(self, headers: Any, target_host: str | None, target_port: int | str | None) -> None:
        if headers.get("SSL_CLIENT_S_DN_CN") not in self.source:
            raise AuthenticationError(response_code=403)
