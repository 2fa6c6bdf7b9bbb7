"""The seam of websockets: short spans, because a span for a whole connection would be told when it is over.

The middleware (`http.py`) sees the handshake and the close of every connection; `batch` is for those who work on
messages.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Final

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from lightwell.errors import Unavailable
from lightwell.instrumentation import metrics
from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.apart import fail_apart
from lightwell.instrumentation.failures import is_reported, mark_reported, put_on_span
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.outcomes import failed, qualified_name
from lightwell.instrumentation.paths import shown_path
from lightwell.instrumentation.recording import CURRENT, Attribute, Recording
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.words import log

_KEY: Final = "lightwell.connection"
_ABNORMAL: Final = 1006
_INTERNAL: Final = 1011
_NORMAL: Final = 1000
_UNMATCHED: Final = "unmatched"
_SWITCHING: Final = 101
_FORBIDDEN: Final = 403


class Connection:
    """One websocket as telemetry sees it: a handshake, batches, a close."""

    __slots__ = (
        "_closer",
        "_code",
        "_find_route",
        "_is_accepted",
        "_is_counted",
        "_receive",
        "_recording",
        "_scope",
        "_send",
        "_started",
        "tracing",
    )

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, tracing: Tracing, find_route: Callable[[Scope], str | None]
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._find_route = find_route
        self.tracing = tracing
        self._is_accepted = False
        self._is_counted = False
        self._code: int | None = None
        self._closer = ""

    @property
    def route(self) -> str:
        """The template of the endpoint's path."""
        return self._find_route(self._scope) or _UNMATCHED

    @property
    def handshake(self) -> trace.SpanContext:
        """What later spans of this connection link to."""
        return self._recording.span.get_span_context()

    def begin(self, context: otel.Context) -> None:
        """Start the handshake's span; it is the present one for the endpoint's task."""
        self._started = perf_counter_ns()
        span = self.tracing.server_tracer.start_span("websocket", context, SpanKind.SERVER)
        self._recording: Recording = self.tracing.open_root(span, self._started)
        self._scope[_KEY] = self
        otel.attach(trace.set_span_in_context(span, context))
        CURRENT.set(self._recording)

    async def receive(self) -> Message:
        """Pass a message of the client on; its leaving ends the connection."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._close(message.get("code") or _ABNORMAL, "client")
        return message

    async def send(self, message: Message) -> None:
        """Pass a message of the server on; its first one, or accepting without a subprotocol, ends the handshake."""
        kind = message["type"]
        try:
            await self._send(message)
        except OSError:
            self._close(_ABNORMAL, "client")
            raise
        if kind == "websocket.accept":
            self._is_accepted = True
            self._is_counted = True
            GAUGES.sockets[self.route] = GAUGES.sockets.get(self.route, 0) + 1
            log.debug(names.SOCKET_OPENED.name, route=self.route)
            if message.get("subprotocol") is None:
                self._end_handshake(perf_counter_ns())
        elif kind == "websocket.close":
            self._close(message.get("code") or _NORMAL, "server")
        elif kind == "websocket.http.response.start":
            self._close(_ABNORMAL, "server")
        elif kind == "websocket.send" and not self._recording.closed:
            self._end_handshake(perf_counter_ns())

    def fail(self, error: Exception) -> None:
        """Account for an exception that came out of the endpoint."""
        if self._recording.closed and not is_reported(error):
            fail_apart(
                self.tracing,
                error,
                names.SOCKET_FAILED,
                name=self.route,
                route=self.route,
                causes=[self.handshake],
            )
        elif not self._recording.closed:
            self._recording.failure = error
            self._recording.outcome = qualified_name(error)
            put_on_span(self._recording.span, error)
        self.report(error)
        self._close(_INTERNAL, "server")

    def report(self, error: Exception) -> None:
        """Write the line of a failure, once: in the trace of the batch that failed, where it was one."""
        if not is_reported(error):
            log.error(names.SOCKET_FAILED.name, route=self.route, exception_type=qualified_name(error), exc_info=error)
            mark_reported(error)

    def end(self) -> None:
        """Account for a connection whose endpoint has returned."""
        self._close(_NORMAL, "server")

    def _close(self, code: int, closer: str) -> None:
        if self._code is not None:
            return
        self._code, self._closer = code, closer
        route = self.route
        if self._is_counted:
            GAUGES.sockets[route] -= 1
        if metrics.LIVE:
            metrics.socket_closed(route, code, closer)
        ended = perf_counter_ns()
        token = CURRENT.set(self._recording)
        log.info(
            names.SOCKET_CLOSED.name,
            route=route,
            code=code,
            closed_by=closer,
            duration_ms=(ended - self._started) // 1000 / 1000,
            **self._recording.facts,
        )
        CURRENT.reset(token)
        self._end_handshake(ended)

    def _end_handshake(self, ended: int) -> None:
        recording = self._recording
        if recording.closed:
            return
        self.tracing.close_root(
            recording,
            ended=ended,
            may_be_slow=False,  # it waits for what the client says
            describe=self._describe,
            name=f"websocket {self.route}",
            is_failed=recording.failure is not None,
        )

    def _describe(self) -> dict[str, Attribute]:
        scope = self._scope
        attributes: dict[str, Attribute] = {
            names.URL_SCHEME: scope.get("scheme", "ws"),
            names.URL_PATH: shown_path(scope, self._find_route(scope)),
            names.HTTP_STATUS: _SWITCHING if self._is_accepted else _FORBIDDEN,
        }
        route = self._find_route(scope)
        if route is not None:
            attributes[names.HTTP_ROUTE] = route
        if self._code is not None:
            attributes[names.SOCKET_CODE] = self._code
            attributes[names.SOCKET_CLOSER] = self._closer
        return attributes


@contextmanager
def batch(scope: Scope, messages: int = 1) -> Iterator[None]:
    """Observe the work on some messages of a websocket: a span of its own, linked to the handshake.

    That the client has left is no failure. Where the connection is not observed, nothing is.
    """
    connection = scope.get(_KEY)
    if not isinstance(connection, Connection):
        yield
        return
    tracing, route = connection.tracing, connection.route
    started = perf_counter_ns()
    span = tracing.tracer.start_span(
        f"websocket batch {route}", otel.Context(), links=[trace.Link(connection.handshake)]
    )
    recording = tracing.open_root(span, started)
    span_token = otel.attach(trace.set_span_in_context(span, otel.Context()))
    recording_token = CURRENT.set(recording)
    try:
        yield
    except WebSocketDisconnect:
        raise
    except Exception as error:
        if failed(error):
            recording.failure = error
            recording.outcome = qualified_name(error)
            put_on_span(span, error)
            if not isinstance(error, Unavailable):
                connection.report(error)
        raise
    finally:
        ended = perf_counter_ns()
        CURRENT.reset(recording_token)
        otel.detach(span_token)
        tracing.close_root(
            recording,
            ended=ended,
            name=f"websocket batch {route}",
            describe=lambda: {names.HTTP_ROUTE: route, names.SOCKET_MESSAGES: messages},
            is_failed=recording.failure is not None,
        )
        if metrics.LIVE:
            metrics.socket_messages(route, messages)
