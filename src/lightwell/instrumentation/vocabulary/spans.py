"""The spans, and the events on them."""

from dataclasses import dataclass
from typing import Final, Literal

from lightwell.instrumentation.vocabulary.attributes import (
    CLIENT_ADDRESS,
    DB_OPERATION,
    DB_QUERY_TEXT,
    DB_STATUS,
    DB_SYSTEM,
    ENTRIES_DROPPED,
    ERROR_TYPE,
    FLOW_RUN,
    FLOW_RUNS,
    HTTP_METHOD,
    HTTP_METHOD_ORIGINAL,
    HTTP_ROUTE,
    HTTP_STATUS,
    KEPT,
    LOOP,
    LOOP_ITEMS,
    LOOP_LAG,
    OPERATION,
    OUTCOME,
    PROTOCOL_VERSION,
    REASON,
    RULE,
    SERVER_ADDRESS,
    SERVER_PORT,
    SOCKET_CLOSER,
    SOCKET_CODE,
    SOCKET_MESSAGES,
    UNIT_GROUP,
    UNIT_KIND,
    UNIT_RETRIES,
    UNIT_STATEMENTS,
    UNIT_WAIT,
    URL_PATH,
    URL_SCHEME,
    USER_AGENT,
    VERDICT,
)


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
        FLOW_RUN,
        FLOW_RUNS,
    ),
)
BACKGROUND_SPAN: Final = SpanName(
    "background {http.route}",
    "internal",
    "Work that nobody waits for and that failed: after an answer, after a handshake (linked to that), of a subscriber "
    "of committed facts (`background bus`), or a task that nobody awaits (`background task`). A root.",
    (HTTP_ROUTE, ERROR_TYPE, KEPT),
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
    "{db.operation.name}",
    "client",
    "One statement; ERROR if it failed for a reason that is not the caller's to mend.",
    (DB_SYSTEM, DB_QUERY_TEXT, DB_OPERATION, DB_STATUS, ERROR_TYPE),
)
TICK_SPAN: Final = SpanName(
    "loop {lightwell.loop}",
    "internal",
    "One tick of a background loop: a root, linked to what caused its work.",
    (LOOP, LOOP_LAG, LOOP_ITEMS, ERROR_TYPE, KEPT, FLOW_RUN, FLOW_RUNS),
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
    (HTTP_ROUTE, SOCKET_MESSAGES, ERROR_TYPE, KEPT, FLOW_RUN, FLOW_RUNS),
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
