"""The seam of HTTP: one server span, one point of the duration histogram and one canonical log line for each request.

A slim subclass of the OpenTelemetry instrumentor's own middleware: the same spans and names at a third of its cost,
because attributes are made only for what is kept. Websockets are in `sockets.py`.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from time import perf_counter_ns
from typing import Any, Final, cast

from fastapi import FastAPI
from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware, asgi_getter
from opentelemetry.metrics import NoOpMeter
from opentelemetry.propagate import extract
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lightwell.instrumentation import metrics
from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.apart import fail_apart
from lightwell.instrumentation.failures import fail, mark_reported, tell
from lightwell.instrumentation.metrics import GAUGES, SECOND
from lightwell.instrumentation.paths import shown_path, subject_of
from lightwell.instrumentation.recording import CURRENT, Attribute, Recording
from lightwell.instrumentation.roots import Tracing
from lightwell.instrumentation.sampling import apart_from_the_baseline
from lightwell.instrumentation.sockets import Connection
from lightwell.instrumentation.traffic import TRAFFIC
from lightwell.instrumentation.words import log

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})
_OTHER: Final = "_OTHER"
_SERVER_ERROR: Final = 500
_UNAVAILABLE: Final = 503
_HEADER: Final = names.TRACE_ID_HEADER.lower().encode()
_CARRIERS: Final = (b"traceparent", b"baggage")
_INSTRUMENTED: Final = "_is_instrumented_by_opentelemetry"
_OBSERVED: Final = "lightwell.observed"
"""In the scope of what an application around this one observes already."""


def instrument(app: FastAPI, tracing: Tracing, feeds: frozenset[str] = frozenset()) -> None:
    """Observe every request of an application, whatever middleware it has; once is enough, and more does no harm.

    The application must have FastAPI's own telemetry off, and so must those that are mounted on it. `feeds` are paths
    that bring or take telemetry: their requests are never part of the baseline, which would feed on itself.
    """
    if getattr(app, _INSTRUMENTED, False):
        return
    build = app.build_middleware_stack

    def build_observed() -> ASGIApp:
        return ServerTelemetry(build(), tracing, feeds)

    app.build_middleware_stack = build_observed  # type: ignore[method-assign]
    setattr(app, _INSTRUMENTED, True)  # so that a host application's instrumentor leaves it alone


def route_of(scope: Scope) -> str | None:
    """The full template of the route that was matched (`/api/flow_runs/{id}`); None where none was."""
    full = scope.get(names.ROUTE_KEY)
    if full is not None:
        return cast("str", full)
    template = getattr(scope.get("route"), "path_format", None)
    return None if template is None else f"{scope.get('root_path', '')}{template}"


class ServerTelemetry(OpenTelemetryMiddleware):
    """The outermost ASGI layer: nothing that a request does is out of its sight."""

    def __init__(self, app: ASGIApp, tracing: Tracing, feeds: frozenset[str] = frozenset()) -> None:
        super().__init__(
            app, tracer=tracing.server_tracer, meter=NoOpMeter(__name__), exclude_spans=["send", "receive"]
        )
        self._tracing = tracing
        self._feeds = feeds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if _OBSERVED in scope:
            await self.app(scope, receive, send)
            return
        scope[_OBSERVED] = True
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send, self._tracing)
        context = _context_of(scope)
        exchange.begin(apart_from_the_baseline(context) if scope["path"] in self._feeds else context)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except Exception as error:
            if not exchange.end_with(error):
                raise
        finally:
            exchange.end()
            exchange.leave()

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = Connection(scope, receive, send, self._tracing, route_of)
        connection.begin(_context_of(scope))
        try:
            await self.app(scope, connection.receive, connection.send)
        except Exception as error:
            connection.fail(error)
            raise
        finally:
            connection.end()


class Exchange:
    """One request and its answer, as telemetry sees them."""

    __slots__ = (
        "_method",
        "_receive",
        "_recording",
        "_recording_token",
        "_scope",
        "_send",
        "_span_token",
        "_started",
        "_status",
        "_trace_header",
        "_tracing",
        "has_ended",
        "is_answered",
        "is_client_gone",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, tracing: Tracing) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._tracing = tracing
        self._status: int | None = None
        self.is_answered = False
        self.is_client_gone = False
        self.has_ended = False

    def begin(self, context: otel.Context) -> None:
        """Start the server span and make it the present one."""
        scope, tracing = self._scope, self._tracing
        method: str = scope["method"]
        self._method = method if method in _METHODS else _OTHER
        self._started = perf_counter_ns()
        attributes = self._request_attributes() if tracing.tail is None and tracing.live else None
        span = tracing.begin_request(self._shown_method, context, attributes)
        self._recording: Recording = tracing.open_root(span, self._started)
        self._trace_header = (_HEADER, self._recording.trace_id.encode())
        self._span_token = otel.attach(trace.set_span_in_context(span, context))
        self._recording_token = CURRENT.set(self._recording)
        if metrics.LIVE:
            key = (self._method, scope["scheme"])
            GAUGES.active[key] = GAUGES.active.get(key, 0) + 1

    @property
    def _shown_method(self) -> str:
        return "HTTP" if self._method is _OTHER else self._method

    async def receive(self) -> Message:
        """Pass a message of the client on, and notice when it leaves."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self.is_answered:
            self.is_client_gone = True
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on; its last byte ends the request."""
        kind = message["type"]
        if kind == "http.response.start":
            if not self.is_client_gone:
                self._status = message["status"]
            message["headers"] = [*message.get("headers", ()), self._trace_header]
        try:
            await self._send(message)
        except OSError:
            self.is_client_gone = True
            raise
        if kind == "http.response.body" and not message.get("more_body", False):
            self.is_answered = True
            self.end()

    def end_with(self, error: Exception) -> bool:
        """Account for an exception that came out of the application; whether there is nothing left to do about it."""
        if self.is_client_gone:
            return True
        if self.has_ended:
            if error is not self._recording.failure:
                self._fail_in_background(error)
            return True
        fail(error, names.REQUEST_FAILED)
        mark_reported(error)
        return False

    def end(self) -> None:
        """Account for the request, once: span, metric and log line with the same route, status and trace."""
        if self.has_ended:
            return
        self.has_ended = True
        ended = perf_counter_ns()
        recording, status = self._recording, self._status
        route = route_of(self._scope)
        is_failed = recording.failure is not None or (status is not None and status >= _SERVER_ERROR)
        if is_failed and recording.outcome is None:
            recording.outcome = str(status)
        if is_failed:
            for name, value in subject_of(self._scope, route).items():
                recording.facts.setdefault(name, value)
        if self.is_client_gone:
            self._client_left(route)
        self._write_line(route, status, ended - self._started)
        self._tracing.close_root(
            recording,
            ended=ended,
            describe=self._describe,
            name=f"{self._shown_method} {route}" if route else None,
            status=status,
            route=route,
            is_failed=is_failed,
        )
        TRAFFIC.note((self._method, route), status, took=ended - self._started, ended=ended, failed=is_failed)
        if metrics.LIVE:
            key = (self._method, self._scope["scheme"])
            GAUGES.active[key] = GAUGES.active.get(key, 1) - 1
            seconds = (ended - self._started) / SECOND
            metrics.request_ended(seconds, *key, route, status, recording.outcome, recording.pointing)

    def leave(self) -> None:
        """Put back the context that was there before."""
        CURRENT.reset(self._recording_token)
        otel.detach(self._span_token)

    def _client_left(self, route: str | None) -> None:
        tell(names.CLIENT_DISCONNECTED, route=route)
        if metrics.LIVE:
            metrics.client_gone(route)

    def _write_line(self, route: str | None, status: int | None, took: int) -> None:
        recording = self._recording
        fields: dict[str, Any] = {
            "method": self._scope["method"],
            "route": route,
            "status": status,
            "duration_ms": took // 1000 / 1000,
        }
        if route is None:
            fields["path"] = shown_path(self._scope, None)
        if recording.units:
            fields["db_ms"] = sum(unit.ended - unit.asked for unit in recording.units) // 1000 / 1000
        if recording.outcome is not None:
            fields["error_type"] = recording.outcome
        fields |= recording.facts
        say = log.info if recording.outcome is None else log.warning if status == _UNAVAILABLE else log.error
        token = CURRENT.set(recording)
        say(names.REQUEST_LINE.name, **fields)
        CURRENT.reset(token)

    def _request_attributes(self) -> dict[str, Attribute]:
        scope = self._scope
        attributes: dict[str, Attribute] = {
            names.HTTP_METHOD: self._method,
            names.URL_SCHEME: scope["scheme"],
            names.URL_PATH: shown_path(scope, route_of(scope)),
        }
        if self._method is _OTHER:
            attributes[names.HTTP_METHOD_ORIGINAL] = scope["method"]
        if scope.get("http_version"):
            attributes[names.PROTOCOL_VERSION] = scope["http_version"]
        attributes |= peers_of(scope)
        return attributes

    def _describe(self) -> dict[str, Attribute]:
        attributes = self._request_attributes()
        route = route_of(self._scope)
        if route is not None:
            attributes[names.HTTP_ROUTE] = route
            attributes |= {f"lightwell.{name}": value for name, value in subject_of(self._scope, route).items()}
        if self._status is not None:
            attributes[names.HTTP_STATUS] = self._status
        return attributes

    def _fail_in_background(self, error: Exception) -> None:
        route = route_of(self._scope)
        fail_apart(
            self._tracing,
            error,
            names.BACKGROUND_FAILED,
            name=route or self._method,
            route=route,
            causes=[self._recording.span.get_span_context()],
        )


def peers_of(scope: Scope) -> dict[str, Attribute]:
    """Who speaks with whom, as attributes."""
    attributes: dict[str, Attribute] = {}
    if (client := scope.get("client")) and _is_address(client[0]):
        attributes[names.CLIENT_ADDRESS] = client[0]
    if server := scope.get("server"):
        attributes[names.SERVER_ADDRESS] = server[0]
        if server[1] is not None:
            attributes[names.SERVER_PORT] = server[1]
    for name, value in cast("Iterable[tuple[bytes, bytes]]", scope["headers"]):
        if name == b"user-agent":
            attributes[names.USER_AGENT] = value.decode("latin-1")
            break
    return attributes


def _is_address(text: str) -> bool:
    """Whether it is one; behind a trusted proxy it is whatever the caller wrote into `X-Forwarded-For`."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _context_of(scope: Scope) -> otel.Context:
    """The caller's trace context where it sent one, else what the process is in."""
    for name, _ in cast("Iterable[tuple[bytes, bytes]]", scope["headers"]):
        if name in _CARRIERS:
            return extract(cast("dict[str, Any]", scope), getter=asgi_getter)
    return otel.get_current()
