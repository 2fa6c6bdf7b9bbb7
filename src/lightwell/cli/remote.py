"""The REST API of a running server, as commands ask it; by the standard library, which starts fast and is always there.

What keeps an answer from coming is raised as one of our own errors, whose message says what to do about it.
"""

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Annotated, Any, NoReturn
from urllib.error import HTTPError
from urllib.parse import SplitResult, quote, unquote, urlencode, urlsplit, urlunsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import typer

from lightwell.errors import Forbidden, Invalid, NotFound, Rejected, Unauthenticated, Unavailable
from lightwell.settings import load

Url = Annotated[
    str | None, typer.Option("--url", help="The API of the server to ask. [default: http://127.0.0.1:4200/api]")
]
"""The option of every command that asks a running server."""

_PATIENCE_SECONDS = 30.0
_LONGEST_SHOWN = 300
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _INVALID, _BROKEN = 401, 403, 404, 422, 500

Query = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Remote:
    """A running server; `auth_string` is USER:PASSWORD, None where its API is open."""

    api_url: str
    auth_string: str | None = field(default=None, repr=False)

    def get(self, path: str, query: Query | None = None) -> Any:
        """What the API answers at `path`, which begins with a slash; members of the query that are None are left out.

        Raises NotFound, Invalid, Unauthenticated, Forbidden, another Rejected, or Unavailable.
        """
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{self.api_url}{path}" + (f"?{urlencode(wanted, doseq=True)}" if wanted else "")
        return self._answer(Request(target))  # noqa: S310 -- `remote` has seen the scheme

    def post(self, path: str, body: object) -> Any:
        """What the API answers to a question that takes a body; raises as `get` does."""
        sent, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
        target = f"{self.api_url}{path}"
        try:
            return self._answer(Request(target, sent, kind))  # noqa: S310
        except Forbidden:
            # Whatever is no GET needs a token where the server protects its pages' users.
            return self._answer(Request(target, sent, {**kind, **self._token()}))  # noqa: S310

    def _token(self) -> dict[str, str]:
        client = str(uuid4())
        return {
            "Prefect-Csrf-Client": client,
            "Prefect-Csrf-Token": self.get("/csrf-token", {"client": client})["token"],
        }

    def _answer(self, request: Request) -> Any:
        request.add_header("Accept", "application/json")
        if self.auth_string is not None:
            credentials = base64.b64encode(self.auth_string.encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {credentials}")
        try:
            with urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
                return self._read(answer.read())
        except HTTPError as error:
            with error:
                self._refused(error.code, error.read())
        except HTTPException as error:
            raise Unavailable(f"What answers at {self.api_url} does not speak HTTP as it should") from error
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise Unavailable(
                f"No server answers at {self.api_url} ({getattr(reason, 'strerror', None) or reason}); start one with "
                "`lightwell serve`, or name another one by --url or LIGHTWELL_API_URL"
            ) from error

    def _read(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except ValueError as error:
            raise Unavailable(f"What answers at {self.api_url} is no API: its address often ends with /api") from error

    def _refused(self, status: int, body: bytes) -> NoReturn:
        said = _said(body)
        if status == _UNAUTHORIZED:
            raise Unauthenticated(
                f"{self.api_url} asks for credentials"
                + (", and those in LIGHTWELL_API_AUTH_STRING are wrong" if self.auth_string else "")
                + ": set LIGHTWELL_API_AUTH_STRING to its USER:PASSWORD"
            )
        if status == _FORBIDDEN:
            raise Forbidden(said or f"{self.api_url} does not allow it")
        if status == _NOT_FOUND:
            raise NotFound("answer", said or f"{self.api_url} has no such thing")
        if status == _INVALID:
            raise Invalid(said or f"{self.api_url} does not understand what it is asked")
        if status >= _BROKEN:
            raise Unavailable(f"{self.api_url} answers {status}" + (f": {said}" if said else ""))
        raise Rejected(f"{self.api_url} refuses with {status}" + (f": {said}" if said else ""))


def remote(url: str | None = None) -> Remote:
    """The server at `url`, else at the one that the settings name, else the local one.

    Raises SettingsError for an environment that cannot be read, Invalid for what is no address of a server.
    """
    settings = load()
    secret = settings.api.auth_string
    auth_string = None if secret is None else secret.get_secret_value()
    chosen = url or settings.api.url or f"http://127.0.0.1:{settings.listen.port}/api"
    parts = _parts(chosen.strip())
    if parts.username is not None:
        auth_string = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    place = parts.netloc.rpartition("@")[2]
    path = parts.path.rstrip("/") or "/api"
    return Remote(urlunsplit((parts.scheme, place, quote(path, safe="/%"), "", "")), auth_string)


def _parts(url: str) -> SplitResult:
    with suppress(ValueError):  # of a port that is no number, or half an IPv6 address
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    raise Invalid(f"{url.rpartition('@')[2]} is no address of a server: http://HOST:PORT/api is one")


def _said(body: bytes) -> str:
    """What the server gives as its reason, with the trace id where there is one."""
    try:
        answer = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(answer, dict):
        return ""
    reason = answer.get("exception_message") or answer.get("detail") or ""
    detail = answer.get("exception_detail")
    if isinstance(detail, list):
        reason = f"{reason} {'; '.join(_complaint(one) for one in detail if isinstance(one, dict))}"
    trace = f" (trace {answer['trace_id']})" if answer.get("trace_id") else ""
    return f"{str(reason).strip()[:_LONGEST_SHOWN]}{trace}"


def _complaint(one: Mapping[str, Any]) -> str:
    return f"{'.'.join(str(part) for part in one.get('loc', ())[1:])}: {one.get('msg', '')}"
