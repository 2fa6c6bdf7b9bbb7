"""Spans of clients and workers, by OpenTelemetry's protocol: `POST /v1/traces`, as its specification has it.

Beside the API and not in it, as exporters add `/v1/traces` to the address that they are given. What is wrong with a
request is answered in the request's own form; what the store has no room for now is answered 429, which exporters try
again, and which is no failure of this server.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lightwell.api import problems
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.metrics import count_received
from lightwell.instrumentation.vocabulary import ROUTE_KEY
from lightwell.telemetry.otlp.decoding import BINARY, ENCODINGS, TEXTUAL, TooLarge, form_of, unpacked
from lightwell.telemetry.otlp.shaping import Form, Reason, Received, Undecodable
from lightwell.telemetry.records import StoredSpan

Take = Callable[[Sequence[StoredSpan]], bool]
"""Puts spans into the store; False where it has no room for them now."""

PATH: Final = "/v1/traces"

_MOST_AT_ONCE: Final = 8
"""Requests that are read at a time, so that their bodies are bounded together."""
_LARGE: Final = 16_384
"""Bytes from which on the event loop is not kept waiting for the reading."""
_RETRY_AFTER: Final = {"Retry-After": "1"}
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _UNIMPLEMENTED = 3, 8, 12
_WORDS: Final[dict[Reason, str]] = {
    "invalid": "without valid ids, or of a time that never was",
    "too_large": "larger than a span may be",
    "too_many": "more than one request may have",
}


class TraceReceiver:
    """Takes spans at `/v1/traces`.

    `take` is None where nothing is received: 404 then. A body of more than `max_body_size` bytes, as it came or once it
    is unpacked, is answered 413.
    """

    def __init__(self, take: Callable[[], Take | None], max_body_size: int) -> None:
        self._take = take
        self._max_body_size = max_body_size
        self._reading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope[ROUTE_KEY] = PATH
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        take = self._take()
        if take is None:
            raise problems.no_such_path()
        if request.method != "POST":
            raise problems.refused(405, "Method Not Allowed", {"Allow": "POST"})
        found = form_of(request.headers.get("content-type", ""))
        if found is None:
            raise problems.refused(415, f"Spans come as {BINARY} or {TEXTUAL}.", {"Accept": f"{BINARY}, {TEXTUAL}"})
        kind, form = found
        if self._reading >= _MOST_AT_ONCE:
            return _problem(429, kind, form, _RESOURCE_EXHAUSTED, "Too many requests at once.", _RETRY_AFTER)
        self._reading += 1
        try:
            return await self._received(request, kind, form, take)
        finally:
            self._reading -= 1

    async def _received(self, request: Request, kind: str, form: Form, take: Take) -> Response:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ENCODINGS:
            headers = {"Accept-Encoding": ", ".join(ENCODINGS)}
            return _problem(415, kind, form, _UNIMPLEMENTED, "The Content-Encoding is not known here.", headers)
        body = await request.body()
        try:
            if len(body) < _LARGE and encoding == "identity":
                received = self._read(body, encoding, form)
            else:
                received = await asyncio.to_thread(self._read, body, encoding, form)
        except TooLarge:
            message = f"The body is larger than {self._max_body_size} bytes."
            return _problem(413, kind, form, _RESOURCE_EXHAUSTED, message)
        except Undecodable as error:
            return _problem(400, kind, form, _INVALID_ARGUMENT, f"The request cannot be decoded: {error}.")
        return _taken(received, kind, form, take)

    def _read(self, body: bytes, encoding: str, form: Form) -> Received:
        return form.decode(unpacked(body, self._max_body_size) if encoding == "gzip" else body)


def _taken(received: Received, kind: str, form: Form, take: Take) -> Response:
    if received.spans and not take(received.spans):
        count_received("queue_full", len(received.spans))
        return _problem(429, kind, form, _RESOURCE_EXHAUSTED, "The store of traces is full for now.", _RETRY_AFTER)
    count_received("taken", len(received.spans))
    for reason, spans in received.refused.items():
        count_received(reason, spans)
    refused = received.refused.total()
    annotate(spans_taken=len(received.spans), spans_refused=refused or None)
    message = "; ".join(f"{spans} {_WORDS[reason]}" for reason, spans in received.refused.items())
    return Response(form.answer(refused, message), media_type=kind)


def _problem(
    status: int, kind: str, form: Form, code: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    return Response(form.problem(code, message), status, headers, media_type=kind)
