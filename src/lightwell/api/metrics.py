"""`/metrics`: what Prometheus reads, beside the API and not a part of it."""

import asyncio
import re
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from lightwell.api import problems
from lightwell.api.compression import Gzip
from lightwell.api.gate import is_authenticated
from lightwell.errors import Unauthenticated
from lightwell.instrumentation.exposition.text import OPENMETRICS, PATH, PLAIN
from lightwell.instrumentation.vocabulary import ROUTE_KEY

Read = Callable[[bool], bytes]
"""All metrics as text, of OpenMetrics or (False) of Prometheus's own format. Blocks for some milliseconds."""

_SMALLEST_GZIPPED: Final = 500
_UNDERSTOOD: Final = frozenset({None, "0.0.1", "1.0.0"})
_PARAMETER: Final = re.compile(r'\s*(\w+)\s*=\s*"?([^";]*)"?\s*')


class Metrics:
    """An ASGI application that answers with all metrics; an endpoint for any method, as it refuses most by itself.

    `auth_string` is USER:PASSWORD that a scraper must send as HTTP Basic.
    """

    def __init__(self, read: Read, auth_string: str | None = None) -> None:
        self._read = read
        self._credentials = None if auth_string is None else auth_string.encode()
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope[ROUTE_KEY] = f"{scope.get('root_path', '')}{PATH}"
        if scope["method"] not in {"GET", "HEAD"}:
            raise problems.refused(405, "Method Not Allowed", {"Allow": "GET, HEAD"})
        if self._credentials is not None and not is_authenticated(dict(scope["headers"]), self._credentials):
            raise Unauthenticated("Credentials are missing or wrong")
        openmetrics = prefers_openmetrics(Headers(scope=scope).get("accept", ""))
        # One at a time: scrapers that do not wait for an answer must not take the threads that others need.
        async with self._turn:
            text = await asyncio.to_thread(self._read, openmetrics)
        headers = {"Content-Type": OPENMETRICS if openmetrics else PLAIN, "Vary": "Accept", "Cache-Control": "no-store"}
        await Response(text, headers=headers)(scope, receive, send)


def metrics_route(read: Read, auth_string: str | None = None) -> Route:
    """The route of `/metrics`, whose longer answers are compressed for those who ask for that."""
    return Route(PATH, Gzip(Metrics(read, auth_string), smallest=_SMALLEST_GZIPPED), name="metrics")


def prefers_openmetrics(accept: str) -> bool:
    """Whether a caller who sends this `Accept` would rather have OpenMetrics 1.0 than Prometheus's own format."""
    wanted = {"application/openmetrics-text": 0.0, "text/plain": 0.0, "*/*": 0.0}
    for one in accept.split(","):
        kind, *rest = one.split(";")
        parameters = {found[1]: found[2] for found in map(_PARAMETER.fullmatch, rest) if found is not None}
        kind = kind.strip().lower()
        if kind in wanted and (kind != "application/openmetrics-text" or parameters.get("version") in _UNDERSTOOD):
            wanted[kind] = max(wanted[kind], _weight(parameters.get("q", "1")))
    openmetrics, plain, _anything = wanted.values()
    return openmetrics > 0 and openmetrics >= plain


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
