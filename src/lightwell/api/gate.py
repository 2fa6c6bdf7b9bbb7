"""Who may pass: body size, API version, credentials and CSRF token of every HTTP request, in one pure ASGI layer.

One layer and no `Depends`, because each dependency costs 9 µs a request, and because what is refused here must be
refused for unknown paths too.
"""

import base64
import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from lightwell.api import problems

TokenCheck = Callable[[str, str], Awaitable[bool]]
"""Whether a CSRF token is the one that the client was given: `(client, token)`."""

_VERSION = re.compile(r"\d{1,9}\.\d{1,9}\.\d{1,9}", re.ASCII)
_LONGEST_NUMBER = 100
_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a request must bring.

    `max_body_size` is in bytes; `open_paths` are the exact paths that need no credentials for GET, `probe_paths` those
    that a client of any API version may ask; `check_token` is None where CSRF protection is off.
    """

    least_api_version: str
    max_body_size: int
    auth_string: str | None = None
    open_paths: frozenset[str] = frozenset({"/health", "/ready"})
    probe_paths: frozenset[str] = frozenset({"/health", "/version"})
    check_token: TokenCheck | None = None


class Gate:
    """Answers by itself what may not pass (400, 401, 403, 413) and lets everything else through."""

    def __init__(self, app: ASGIApp, rules: GateRules) -> None:
        self._app = app
        self._limited_app = RequestBodyLimitMiddleware(app, max_body_size=rules.max_body_size)
        self._rules = rules
        self._least_version = _version(rules.least_api_version)
        self._credentials = rules.auth_string.encode() if rules.auth_string is not None else None
        self._accepted_versions: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; websockets authenticate by a message of their own."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        refusal = self._refusal(scope, headers) or await self._csrf_refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif b"content-length" not in headers and scope["method"] in _CHANGES:
            await self._limited_app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> ASGIApp | None:
        length = headers.get(b"content-length")
        if length is not None and not (len(length) < _LONGEST_NUMBER and length.isdigit()):
            return problems.bad_request(scope, "Invalid Content-Length header.")
        if length is not None and int(length) > self._rules.max_body_size:
            return problems.content_too_large(scope, self._rules.max_body_size)
        version = headers.get(b"x-prefect-api-version")
        if version and version not in self._accepted_versions and _own_path(scope) not in self._rules.probe_paths:
            reason = self._version_refusal(version)
            if reason is not None:
                return problems.bad_request(scope, reason)
        if self._credentials is not None and not self._is_authenticated(scope, headers, self._credentials):
            return problems.unauthorized(scope)
        return None

    def _version_refusal(self, header: bytes) -> str | None:
        text = header.decode("latin-1")
        if not _VERSION.fullmatch(text):
            return "Invalid X-PREFECT-API-VERSION header: expected a version of the form x.y.z."
        if _version(text) < self._least_version:
            return f"API version {text} is not served any more: {self._rules.least_api_version} or higher is needed."
        if len(self._accepted_versions) < 64:  # noqa: PLR2004 -- a bound, so that a caller cannot grow the set
            self._accepted_versions.add(header)
        return None

    def _is_authenticated(self, scope: Scope, headers: dict[bytes, bytes], expected: bytes) -> bool:
        if scope["method"] == "GET" and _own_path(scope) in self._rules.open_paths:
            return True
        return is_authenticated(headers, expected)

    async def _csrf_refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> ASGIApp | None:
        check_token = self._rules.check_token
        if check_token is None or scope["method"] not in _CHANGES:
            return None
        token = headers.get(b"prefect-csrf-token")
        client = headers.get(b"prefect-csrf-client")
        if token is None:
            return problems.forbidden(scope, "Missing CSRF token.")
        if client is None:
            return problems.forbidden(scope, "Missing client identifier.")
        if not await check_token(client.decode("latin-1"), token.decode("latin-1")):
            return problems.forbidden(scope, "Invalid CSRF token or client identifier.")
        return None


def is_authenticated(headers: dict[bytes, bytes], expected: bytes) -> bool:
    """Whether a request brings these credentials (`USER:PASSWORD`) as HTTP Basic."""
    scheme, _, encoded = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"basic":
        return False
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(given, expected)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _own_path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
