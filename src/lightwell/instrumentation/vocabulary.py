"""Every span, metric, attribute and log event of this server by name: public API, the one place that names them.

`docs/telemetry.md` is made from it. OpenTelemetry's stable HTTP and database names come first;
`lightwell.*` is for what they lack.
"""

from dataclasses import dataclass
from typing import Final, Literal

SCOPE: Final = "lightwell"
"""The instrumentation scope of everything but the server span and the HTTP metrics."""

TRACE_ID_HEADER: Final = "X-Trace-Id"

ROUTE_KEY: Final = "lightwell.route"
"""Where an index of routes may leave the full template of the route (`/api/flow_runs/{id}`) in the ASGI scope."""

# --- attributes -------------------------------------------------------------------------------------------------------

HTTP_METHOD: Final = "http.request.method"
HTTP_METHOD_ORIGINAL: Final = "http.request.method_original"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
URL_SCHEME: Final = "url.scheme"
URL_PATH: Final = "url.path"
CLIENT_ADDRESS: Final = "client.address"
USER_AGENT: Final = "user_agent.original"
PROTOCOL_VERSION: Final = "network.protocol.version"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
DB_SYSTEM: Final = "db.system.name"
DB_QUERY_TEXT: Final = "db.query.text"
DB_OPERATION: Final = "db.operation.name"
KEPT: Final = "lightwell.kept.reason"
ENTRIES_DROPPED: Final = "lightwell.entries_dropped"
UNIT_KIND: Final = "lightwell.db.unit.kind"
UNIT_WAIT: Final = "lightwell.db.unit.wait"
UNIT_STATEMENTS: Final = "lightwell.db.unit.statements"
UNIT_GROUP: Final = "lightwell.db.unit.group"
UNIT_RETRIES: Final = "lightwell.db.unit.retries"
OPERATION: Final = "lightwell.operation"
OUTCOME: Final = "lightwell.outcome"
RULE: Final = "lightwell.rule"
VERDICT: Final = "lightwell.verdict"
REASON: Final = "lightwell.reason"
LOOP: Final = "lightwell.loop"
LOOP_LAG: Final = "lightwell.loop.lag"
LOOP_ITEMS: Final = "lightwell.loop.items"
SOCKET_CODE: Final = "lightwell.websocket.close_code"
SOCKET_CLOSER: Final = "lightwell.websocket.closed_by"
SOCKET_MESSAGES: Final = "lightwell.websocket.messages"
RUN_KIND: Final = "lightwell.run.kind"
STATE_FROM: Final = "lightwell.state.from"
STATE_TO: Final = "lightwell.state.to"
RESULT: Final = "result"
SIGNAL: Final = "lightwell.signal"
DROP_REASON: Final = "lightwell.drop.reason"


@dataclass(frozen=True, slots=True)
class AttributeName:
    """An attribute: its type, and what it says."""

    name: str
    type: Literal["string", "int", "double", "boolean", "string[]", "int[]"]
    description: str


ATTRIBUTES: Final = (
    AttributeName(HTTP_METHOD, "string", "The request's method; `_OTHER` for one that HTTP does not know."),
    AttributeName(HTTP_METHOD_ORIGINAL, "string", "The method as it came, where it is none that HTTP knows."),
    AttributeName(
        HTTP_ROUTE, "string", "The full template of the matched route, mounts included; absent for no route."
    ),
    AttributeName(HTTP_STATUS, "int", "The status that was sent; absent when the client left before."),
    AttributeName(URL_SCHEME, "string", "`http` or `https`."),
    AttributeName(
        URL_PATH,
        "string",
        "The path with its ids. Other values in it are left out: a parameter of the route stands by its name, and "
        "where no route matched, what is neither an id nor a plain word is `*`. The query is never recorded.",
    ),
    AttributeName(
        CLIENT_ADDRESS, "string", "The address of the peer, after trusted proxies; absent where that is no IP address."
    ),
    AttributeName(USER_AGENT, "string", "The `User-Agent` header."),
    AttributeName(PROTOCOL_VERSION, "string", "The version of HTTP."),
    AttributeName(SERVER_ADDRESS, "string", "The address that the server listens on."),
    AttributeName(SERVER_PORT, "int", "The port that the server listens on."),
    AttributeName(
        ERROR_TYPE,
        "string",
        "The qualified name of the exception behind a failure, else the status code; absent when nothing failed.",
    ),
    AttributeName(DB_SYSTEM, "string", "`sqlite` or `postgresql`."),
    AttributeName(DB_QUERY_TEXT, "string", "The statement with placeholders; never a value."),
    AttributeName(DB_OPERATION, "string", "The statement's first word."),
    AttributeName(KEPT, "string", "Why the trace was kept: `error`, `status`, `slow`, `verdict` or `baseline`."),
    AttributeName(ENTRIES_DROPPED, "int", "Details that were too many to hold."),
    AttributeName(UNIT_KIND, "string", "`read` or `write`."),
    AttributeName(UNIT_WAIT, "double", "Seconds that the unit waited for the writer or for the pool."),
    AttributeName(UNIT_STATEMENTS, "int", "Statements of the unit."),
    AttributeName(UNIT_GROUP, "int", "Units that were committed together with this one, itself included."),
    AttributeName(UNIT_RETRIES, "int", "How often the unit was tried again."),
    AttributeName(OPERATION, "string", "A verb, such as `flow_runs.set_state`."),
    AttributeName(OUTCOME, "string", "`ok`, or the name of the error's class, such as `NotFound`."),
    AttributeName(RULE, "string", "A rule of orchestration."),
    AttributeName(VERDICT, "string", "What the rule said, such as `ACCEPT`, `REJECT`, `WAIT` or `ABORT`."),
    AttributeName(REASON, "string", "Why it said so."),
    AttributeName(LOOP, "string", "A background loop, such as `late_runs`."),
    AttributeName(LOOP_LAG, "double", "Seconds that the tick began later than planned."),
    AttributeName(LOOP_ITEMS, "int", "What the tick worked on."),
    AttributeName(SOCKET_CODE, "int", "The close code of a websocket."),
    AttributeName(SOCKET_CLOSER, "string", "`server` or `client`."),
    AttributeName(SOCKET_MESSAGES, "int", "Messages of one batch."),
    AttributeName(RUN_KIND, "string", "`flow_run` or `task_run`."),
    AttributeName(STATE_FROM, "string", "The type of the state that was left; `NONE` for a first state."),
    AttributeName(STATE_TO, "string", "The type of the state that was entered."),
    AttributeName(RESULT, "string", "`hit`, `miss` or `bypass`."),
    AttributeName(SIGNAL, "string", "`traces` or `metrics`."),
    AttributeName(DROP_REASON, "string", "`queue_full`, `export_failed`, `too_many_spans` or `shut_down`."),
)

# --- spans ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpanName:
    """A span: its name (with `{placeholders}`), kind, meaning and attributes."""

    name: str
    kind: Literal["server", "internal", "client"]
    description: str
    attributes: tuple[str, ...] = ()


SERVER_SPAN: Final = SpanName(
    "{method} {http.route}",
    "server",
    "One request, until the last byte of its answer; `{method}` alone where no route matched. What was annotated "
    "is on it as `lightwell.*`, failures as an `exception` event.",
    (
        HTTP_METHOD,
        HTTP_METHOD_ORIGINAL,
        HTTP_ROUTE,
        HTTP_STATUS,
        URL_SCHEME,
        URL_PATH,
        CLIENT_ADDRESS,
        USER_AGENT,
        PROTOCOL_VERSION,
        SERVER_ADDRESS,
        SERVER_PORT,
        ERROR_TYPE,
        KEPT,
        ENTRIES_DROPPED,
    ),
)
BACKGROUND_SPAN: Final = SpanName(
    "background {http.route}",
    "internal",
    "Work after the answer that failed; a root, linked to the request's span.",
    (HTTP_ROUTE, ERROR_TYPE),
)
UNIT_SPAN: Final = SpanName(
    "{lightwell.db.unit.kind} {lightwell.operation}",
    "internal",
    "One unit of database work, from when it was asked for to its commit; a failed one is ERROR.",
    (UNIT_KIND, OPERATION, UNIT_WAIT, UNIT_STATEMENTS, UNIT_GROUP, UNIT_RETRIES, OUTCOME, ERROR_TYPE, ENTRIES_DROPPED),
)
OPERATION_SPAN: Final = SpanName(
    "{lightwell.operation}", "internal", "One verb inside its unit.", (OPERATION, OUTCOME, ERROR_TYPE)
)
STATEMENT_SPAN: Final = SpanName(
    "{db.operation.name}", "client", "One statement.", (DB_SYSTEM, DB_QUERY_TEXT, DB_OPERATION)
)
TICK_SPAN: Final = SpanName(
    "loop {lightwell.loop}",
    "internal",
    "One tick of a background loop: a root, linked to what caused its work.",
    (LOOP, LOOP_LAG, LOOP_ITEMS, ERROR_TYPE, KEPT),
)
HANDSHAKE_SPAN: Final = SpanName(
    "websocket {http.route}",
    "server",
    "The opening of a websocket: until it is accepted and authenticated, or closed.",
    (HTTP_ROUTE, HTTP_STATUS, URL_SCHEME, URL_PATH, CLIENT_ADDRESS, USER_AGENT, SOCKET_CODE, SOCKET_CLOSER, KEPT),
)
BATCH_SPAN: Final = SpanName(
    "websocket batch {http.route}",
    "internal",
    "The work on one batch of websocket messages: a root, linked to the handshake.",
    (HTTP_ROUTE, SOCKET_MESSAGES, ERROR_TYPE, KEPT),
)
SPANS: Final = (
    SERVER_SPAN,
    BACKGROUND_SPAN,
    UNIT_SPAN,
    OPERATION_SPAN,
    STATEMENT_SPAN,
    TICK_SPAN,
    HANDSHAKE_SPAN,
    BATCH_SPAN,
)


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """An event on a span: where it stands, what it means, its attributes."""

    name: str
    span: str
    description: str
    attributes: tuple[str, ...] = ()


VERDICT_EVENT: Final = SpanEvent(
    "orchestration.verdict", "the verb's", "What one rule of orchestration said.", (RULE, VERDICT, REASON)
)
EXCEPTION_EVENT: Final = SpanEvent(
    "exception",
    "the root",
    "What failed, once.",
    ("exception.type", "exception.message", "exception.stacktrace", "exception.escaped"),
)
UNIT_BEGAN: Final = SpanEvent(
    "db.unit.began", "the unit's", "The unit got the writer or a connection; before, it waited."
)
SPAN_EVENTS: Final = (VERDICT_EVENT, EXCEPTION_EVENT, UNIT_BEGAN)

# --- metrics ----------------------------------------------------------------------------------------------------------

_FAST: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HTTP: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_TICK: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
_SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its instrument, unit (UCUM), meaning and attributes; never ids, names of users' things or raw paths."""

    name: str
    instrument: Literal["histogram", "counter", "gauge", "updowncounter"]
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


REQUEST_DURATION: Final = Metric(
    "http.server.request.duration",
    "histogram",
    "s",
    "Duration of HTTP server requests.",
    (HTTP_METHOD, URL_SCHEME, HTTP_ROUTE, HTTP_STATUS, ERROR_TYPE),
    _HTTP,
)
ACTIVE_REQUESTS: Final = Metric(
    "http.server.active_requests",
    "updowncounter",
    "{request}",
    "Requests that are being served.",
    (HTTP_METHOD, URL_SCHEME),
)
CLIENTS_GONE: Final = Metric(
    "lightwell.http.client_disconnects", "counter", "{request}", "Requests whose client left.", (HTTP_ROUTE,)
)
OPERATION_DURATION: Final = Metric(
    "lightwell.operation.duration", "histogram", "s", "Duration of verbs.", (OPERATION, OUTCOME), _FAST
)
UNIT_WAITED: Final = Metric(
    "lightwell.db.wait.duration", "histogram", "s", "What units waited for the writer or the pool.", (UNIT_KIND,), _FAST
)
UNIT_DURATION: Final = Metric(
    "lightwell.db.unit.duration",
    "histogram",
    "s",
    "Duration of units of database work, commit included.",
    (UNIT_KIND, OUTCOME),
    _FAST,
)
GROUP_SIZE: Final = Metric(
    "lightwell.db.group.size", "histogram", "{unit}", "Units that one commit held together.", (), _SIZES
)
UNIT_RETRIED_COUNT: Final = Metric(
    "lightwell.db.unit.retries", "counter", "{retry}", "Units that were tried again.", (UNIT_KIND, ERROR_TYPE)
)
TICK_DURATION: Final = Metric(
    "lightwell.loop.tick.duration", "histogram", "s", "Duration of ticks of background loops.", (LOOP, OUTCOME), _TICK
)
TICK_LAG: Final = Metric(
    "lightwell.loop.tick.lag", "histogram", "s", "How much later than planned ticks began.", (LOOP,), _TICK
)
TICK_ITEMS: Final = Metric("lightwell.loop.items", "counter", "{item}", "What background loops worked on.", (LOOP,))
LAST_SUCCESS_AGE: Final = Metric(
    "lightwell.loop.last_success.age", "gauge", "s", "Time since the last tick that succeeded.", (LOOP,)
)
SOCKETS_OPEN: Final = Metric(
    "lightwell.websocket.open", "updowncounter", "{connection}", "Websockets that are open.", (HTTP_ROUTE,)
)
SOCKETS_CLOSED: Final = Metric(
    "lightwell.websocket.closes",
    "counter",
    "{connection}",
    "Websockets that were closed or refused.",
    (HTTP_ROUTE, SOCKET_CODE, SOCKET_CLOSER),
)
SOCKET_MESSAGE_COUNT: Final = Metric(
    "lightwell.websocket.messages", "counter", "{message}", "Messages worked on in batches.", (HTTP_ROUTE,)
)
TRANSITIONS: Final = Metric(
    "lightwell.run.transitions",
    "counter",
    "{transition}",
    "Changes of state that were committed.",
    (RUN_KIND, STATE_FROM, STATE_TO),
)
FACTS: Final = Metric("lightwell.facts", "counter", "{fact}", "Facts that were committed.")
APP_CACHE_REQUESTS: Final = Metric(
    "lightwell.app_cache.requests", "counter", "{request}", "How often an application was asked for.", (RESULT,)
)
APP_CACHE_LIVE: Final = Metric("lightwell.app_cache.live", "gauge", "{application}", "Applications in the cache.")
TRACES_KEPT: Final = Metric("lightwell.traces.kept", "counter", "{trace}", "Traces that were kept.", (KEPT,))
TRACES_PASSED: Final = Metric(
    "lightwell.traces.passed", "counter", "{trace}", "Healthy traces outside of the baseline, which were not kept."
)
SPANS_DROPPED: Final = Metric(
    "lightwell.telemetry.dropped", "counter", "{span}", "Spans of kept traces that were lost.", (DROP_REASON,)
)
SPANS_EXPORTED: Final = Metric("lightwell.telemetry.exported", "counter", "{span}", "Spans that were delivered.")
METRICS: Final = (
    REQUEST_DURATION,
    ACTIVE_REQUESTS,
    CLIENTS_GONE,
    OPERATION_DURATION,
    UNIT_WAITED,
    UNIT_DURATION,
    GROUP_SIZE,
    UNIT_RETRIED_COUNT,
    TICK_DURATION,
    TICK_LAG,
    TICK_ITEMS,
    LAST_SUCCESS_AGE,
    SOCKETS_OPEN,
    SOCKETS_CLOSED,
    SOCKET_MESSAGE_COUNT,
    TRANSITIONS,
    FACTS,
    APP_CACHE_REQUESTS,
    APP_CACHE_LIVE,
    TRACES_KEPT,
    TRACES_PASSED,
    SPANS_DROPPED,
    SPANS_EXPORTED,
)

# --- log events -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A structured event: a log line, and an event on the present span where `on_span` says so."""

    name: str
    level: Literal["debug", "info", "warning", "error"]
    description: str
    fields: tuple[str, ...] = ()
    on_span: bool = False


REQUEST_LINE: Final = LogEvent(
    "http.request",
    "info",
    "The canonical line of a request; `warning` for 503 and `error` for other 5xx. `path` (as `url.path`) only where "
    "no route matched; what was annotated stands beside.",
    ("method", "route", "status", "duration_ms", "path", "error_type", "db_ms"),
)
VALIDATION_FAILED: Final = LogEvent(
    "validation.failed",
    "info",
    "A request was refused with 422. Places and types of what is wrong, never the values.",
    ("count", "locations", "types"),
    on_span=True,
)
CONFLICT: Final = LogEvent(
    "integrity.conflict",
    "info",
    "A change contradicts what is stored (409).",
    ("constraint", "exception_type"),
    on_span=True,
)
OBJECT_NOT_FOUND: Final = LogEvent(
    "object.not_found", "info", "The object that was asked for does not exist (404).", ("object_type",), on_span=True
)
REQUEST_REJECTED: Final = LogEvent(
    "request.rejected",
    "info",
    "The caller can mend it: 4xx for another reason.",
    ("status", "outcome"),
    on_span=True,
)
REQUEST_UNAVAILABLE: Final = LogEvent(
    "request.unavailable", "warning", "Time will mend it: 503 with `Retry-After`.", ("exception_type", "retry_after")
)
REQUEST_FAILED: Final = LogEvent(
    "request.failed", "error", "Unforeseen: 500, or a stream that broke; with the traceback.", ("exception_type",)
)
BACKGROUND_FAILED: Final = LogEvent(
    "background.failed", "error", "Work after the answer failed; with the traceback.", ("route", "exception_type")
)
CLIENT_DISCONNECTED: Final = LogEvent(
    "client.disconnected", "info", "The client left before the end of its answer.", ("route",), on_span=True
)
UNIT_RETRIED: Final = LogEvent(
    "db.unit.retried",
    "debug",
    "A unit is tried again (an event of the unit's span alone).",
    (ERROR_TYPE,),
    on_span=True,
)
SOCKET_OPENED: Final = LogEvent("websocket.opened", "debug", "A websocket was accepted.", ("route",))
SOCKET_CLOSED: Final = LogEvent(
    "websocket.closed", "info", "A websocket was closed or refused.", ("route", "code", "closed_by", "duration_ms")
)
SOCKET_FAILED: Final = LogEvent(
    "websocket.failed", "error", "A websocket's endpoint failed; with the traceback.", ("route", "exception_type")
)
TICK_FAILED: Final = LogEvent(
    "loop.tick_failed",
    "error",
    "A tick of a background loop, or a part of its work, failed; with the traceback.",
    ("loop", "exception_type"),
)
TICK_PUT_OFF: Final = LogEvent(
    "loop.tick_put_off",
    "warning",
    "A tick of a background loop failed for a reason that time will mend.",
    ("loop", "exception_type", "exception_message"),
)
LOOP_RESTARTED: Final = LogEvent(
    "loop.restarted", "error", "A background loop had ended without being asked to, and was started again.", ("loop",)
)
TICK_DONE: Final = LogEvent("loop.tick", "debug", "A tick of a background loop.", ("loop", "items", "duration_ms"))
SUBSCRIBER_FAILED: Final = LogEvent(
    "bus.subscriber_failed",
    "error",
    "A subscriber of committed facts failed; the others had them.",
    ("exception_type",),
)
APP_REQUESTED: Final = LogEvent("app_cache.request", "debug", "An application was asked for.", ("result",))
TELEMETRY_STARTED: Final = LogEvent(
    "telemetry.started", "debug", "Where signals go from this process.", ("traces", "metrics", "baseline_ratio")
)
TELEMETRY_REFUSED: Final = LogEvent(
    "telemetry.refused",
    "warning",
    "An OTEL_* variable asks for what is not to be had.",
    ("variable", "value", "reason"),
)
TELEMETRY_FAILED: Final = LogEvent(
    "telemetry.export_failed", "warning", "Signals could not be delivered; at most once a minute.", ("signal", "lost")
)
TELEMETRY_ABANDONED: Final = LogEvent(
    "telemetry.flush_abandoned", "warning", "The deadline for the last signals passed at shutdown.", ("deadline",)
)
LOG_EVENTS: Final = (
    REQUEST_LINE,
    VALIDATION_FAILED,
    CONFLICT,
    OBJECT_NOT_FOUND,
    REQUEST_REJECTED,
    REQUEST_UNAVAILABLE,
    REQUEST_FAILED,
    BACKGROUND_FAILED,
    CLIENT_DISCONNECTED,
    UNIT_RETRIED,
    SOCKET_OPENED,
    SOCKET_CLOSED,
    SOCKET_FAILED,
    TICK_FAILED,
    TICK_PUT_OFF,
    LOOP_RESTARTED,
    TICK_DONE,
    SUBSCRIBER_FAILED,
    APP_REQUESTED,
    TELEMETRY_STARTED,
    TELEMETRY_REFUSED,
    TELEMETRY_FAILED,
    TELEMETRY_ABANDONED,
)
