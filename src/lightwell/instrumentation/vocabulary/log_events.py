"""The structured events: log lines, some of them events on the present span too."""

from dataclasses import dataclass
from typing import Final, Literal

from lightwell.instrumentation.vocabulary.attributes import (
    ERROR_TYPE,
)


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
    "telemetry.started", "debug", "Where signals go from this process.", ("traces", "metrics", "logs", "baseline_ratio")
)
TELEMETRY_REFUSED: Final = LogEvent(
    "telemetry.refused",
    "warning",
    "An OTEL_* variable asks for what is not to be had.",
    ("variable", "value", "reason"),
)
TELEMETRY_FAILED: Final = LogEvent(
    "telemetry.export_failed",
    "warning",
    "Signals could not be delivered; at most one line a minute in all. `lost` counts the items of every signal since "
    "the last line, `signal` and `reason` are of the latest.",
    ("signal", "lost", "reason"),
)
TELEMETRY_ABANDONED: Final = LogEvent(
    "telemetry.flush_abandoned",
    "warning",
    "The deadline for the last signals passed at shutdown; `waiting` spans and lines were not sent by then.",
    ("deadline", "waiting"),
)
STORE_OFF: Final = LogEvent(
    "trace_store.off",
    "warning",
    "Trouble turned the embedded store of traces off; told once, and tried again every minute.",
    ("trouble", "path", "exception_type"),
)
STORE_ON_AGAIN: Final = LogEvent("trace_store.on", "info", "The embedded store of traces works again.", ("path",))
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
    STORE_OFF,
    STORE_ON_AGAIN,
)
