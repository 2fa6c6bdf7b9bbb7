"""Spans of clients and workers, by OpenTelemetry's protocol: `POST /v1/traces`, as its specification has it.

Beside the API and not in it, as exporters add `/v1/traces` to the address that they are given. What is wrong with a
request is answered in the request's own form; what there is no room for now is answered 429, which exporters try again,
and which is no failure of this server.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from lightwell.api import problems
from lightwell.api.dependencies import services
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.metrics import count_received
from lightwell.instrumentation.vocabulary import ROUTE_KEY
from lightwell.telemetry.otlp.decoding import BINARY, ENCODINGS, TEXTUAL, TooLarge, form_of, unpacked
from lightwell.telemetry.otlp.shaping import Form, Reason, Undecodable
from lightwell.telemetry.store import TraceStore

PATH: Final = "/v1/traces"

_MOST_AT_ONCE: Final = 8
"""Requests that are read at a time, so that what they hold is bounded together."""
_LARGE: Final = 16_384
"""Bytes from which on the event loop is not kept waiting for the reading."""
_SOON: Final = {"Retry-After": "1"}
_LATER: Final = {"Retry-After": "60"}
_INVALID_ARGUMENT, _RESOURCE_EXHAUSTED, _UNIMPLEMENTED, _UNAVAILABLE = 3, 8, 12, 14
_WORDS: Final[dict[Reason, str]] = {
    "invalid": "without valid ids, or of a time that never was",
    "too_large": "larger than a span may be",
    "too_many": "more than one request may have",
}


class _NoRoom(Exception):
    """The store has enough to do; what this process keeps goes first."""


class _Off(Exception):
    """Trouble keeps the store off."""


class TraceReceiver:
    """Takes spans for the store of traces; 404 where there is none, or `is_on` is False.

    A body of more than `max_body_size` bytes, as it came or once it is unpacked, is answered 413.
    """

    def __init__(self, max_body_size: int, *, is_on: bool = True) -> None:
        self._max_body_size = max_body_size
        self._is_on = is_on
        self._reading = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope[ROUTE_KEY] = PATH
        request = Request(scope, receive)
        answer = await self._answer(request, services(request).traces)
        await answer(scope, receive, send)

    async def _answer(self, request: Request, store: TraceStore | None) -> Response:
        if store is None or not self._is_on:
            raise problems.no_such_path()
        if request.method != "POST":
            raise problems.refused(405, "Method Not Allowed", {"Allow": "POST"})
        found = form_of(request.headers.get("content-type", ""))
        if found is None:
            raise problems.refused(415, f"Spans come as {BINARY} or {TEXTUAL}.", {"Accept": f"{BINARY}, {TEXTUAL}"})
        delivery = Delivery(*found, store)
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ENCODINGS:
            headers = {"Accept-Encoding": ", ".join(ENCODINGS)}
            return delivery.problem(415, _UNIMPLEMENTED, "The Content-Encoding is not known here.", headers)
        body = await request.body()
        if self._reading >= _MOST_AT_ONCE:
            return delivery.problem(429, _RESOURCE_EXHAUSTED, "Too many requests at once.", _SOON)
        self._reading += 1
        try:
            return await self._delivered(delivery, body, is_packed=encoding == "gzip")
        finally:
            self._reading -= 1

    async def _delivered(self, delivery: "Delivery", body: bytes, *, is_packed: bool) -> Response:
        most = self._max_body_size if is_packed else None
        try:
            if most is None and len(body) < _LARGE:
                taken = delivery.take(body, most)
            else:
                taken = await asyncio.to_thread(delivery.take, body, most)
        except TooLarge:
            return delivery.problem(413, _RESOURCE_EXHAUSTED, f"The body is larger than {self._max_body_size} bytes.")
        except Undecodable as error:
            return delivery.problem(400, _INVALID_ARGUMENT, f"The request cannot be decoded: {error}.")
        except _NoRoom:
            return delivery.problem(429, _RESOURCE_EXHAUSTED, "The store of traces is full for now.", _SOON)
        except _Off:
            return delivery.problem(503, _UNAVAILABLE, "The store of traces does not work at present.", _LATER)
        annotate(spans_taken=taken.spans, spans_refused=taken.refused or None)
        return Response(delivery.form.answer(taken.refused, taken.why), media_type=delivery.media_type)


@dataclass(frozen=True, slots=True)
class Taken:
    """How many spans were taken and refused, and why."""

    spans: int
    refused: int
    why: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Spans on their way to the store, in one form of OTLP."""

    media_type: str
    form: Form
    store: TraceStore

    def take(self, body: bytes, most: int | None) -> Taken:
        """Put what the body holds into the store; `most` are the bytes it may have once unpacked, None as it is."""
        received = self.form.decode(body if most is None else unpacked(body, most))
        spans = len(received.spans)
        if spans:
            if not self.store.has_room:
                count_received("queue_full", spans)
                raise _NoRoom
            if not self.store.add(received.spans):
                count_received("off", spans)
                raise _Off
        count_received("taken", spans)
        for reason, number in received.refused.items():
            count_received(reason, number)
        why = "; ".join(f"{number} {_WORDS[reason]}" for reason, number in received.refused.items())
        return Taken(spans, received.refused.total(), why)

    def problem(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> Response:
        """An answer in the request's own form; `code` is one of google.rpc.Code."""
        return Response(self.form.problem(code, message), status, headers, media_type=self.media_type)
