"""The metrics: instruments, units and buckets."""

from typing import Final

from lightwell.instrumentation.vocabulary.attributes import (
    DROP_REASON,
    ERROR_TYPE,
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    KEPT,
    LOOP,
    OPERATION,
    OUTCOME,
    RESULT,
    RULE,
    RUN_KIND,
    SIGNAL,
    SOCKET_CLOSER,
    SOCKET_CODE,
    STATE_FROM,
    STATE_TO,
    UNIT_KIND,
    URL_SCHEME,
    VERDICT,
)
from lightwell.instrumentation.vocabulary.business import BUSINESS_METRICS
from lightwell.instrumentation.vocabulary.exporter import EXPORTER_METRICS
from lightwell.instrumentation.vocabulary.metric import Metric
from lightwell.instrumentation.vocabulary.received import RECEIVED_METRICS
from lightwell.instrumentation.vocabulary.trace_store import STORE_METRICS

_FAST: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HTTP: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_TICK: Final = (0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
_SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


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
STATEMENTS: Final = Metric(
    "lightwell.db.statements", "counter", "{statement}", "Statements that units executed.", (UNIT_KIND,)
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
PATIENCE: Final = Metric(
    "lightwell.loop.patience", "gauge", "s", "Time without success after which a loop is stale.", (LOOP,)
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
VERDICTS: Final = Metric(
    "lightwell.run.verdicts",
    "counter",
    "{verdict}",
    "Objections of rules of orchestration to proposed states, before the commit.",
    (RULE, VERDICT),
)
FACTS: Final = Metric("lightwell.facts", "counter", "{fact}", "Facts that were committed.")
APP_CACHE_REQUESTS: Final = Metric(
    "lightwell.app_cache.requests", "counter", "{request}", "How often an application was asked for.", (RESULT,)
)
APP_CACHE_LIVE: Final = Metric(
    "lightwell.app_cache.live", "gauge", "{application}", "Applications in the cache.", across="sum"
)
TRACES_KEPT: Final = Metric("lightwell.traces.kept", "counter", "{trace}", "Traces that were kept.", (KEPT,))
TRACES_PASSED: Final = Metric(
    "lightwell.traces.passed", "counter", "{trace}", "Healthy traces outside of the baseline, which were not kept."
)
TRACES_OVERFLOWED: Final = Metric(
    "lightwell.traces.overflowed",
    "counter",
    "{trace}",
    "Traces whose details were given up before their end, because too many were open.",
)
TRACES_LIVE: Final = Metric("lightwell.traces.live", "gauge", "{trace}", "Traces that are open.")
SPANS_DROPPED: Final = Metric(
    "lightwell.telemetry.dropped",
    "counter",
    "{item}",
    "Spans and log lines of kept traces, and points of metrics, that were lost.",
    (SIGNAL, DROP_REASON),
)
SPANS_EXPORTED: Final = Metric(
    "lightwell.telemetry.exported",
    "counter",
    "{item}",
    "Spans, log lines and points of metrics that were delivered.",
    (SIGNAL,),
)
TELEMETRY_QUEUED: Final = Metric(
    "lightwell.telemetry.queued", "gauge", "{item}", "Spans and log lines that wait to be sent.", (SIGNAL,)
)
METRICS: Final = (
    REQUEST_DURATION,
    ACTIVE_REQUESTS,
    CLIENTS_GONE,
    OPERATION_DURATION,
    UNIT_WAITED,
    UNIT_DURATION,
    GROUP_SIZE,
    STATEMENTS,
    UNIT_RETRIED_COUNT,
    TICK_DURATION,
    TICK_LAG,
    TICK_ITEMS,
    LAST_SUCCESS_AGE,
    PATIENCE,
    SOCKETS_OPEN,
    SOCKETS_CLOSED,
    SOCKET_MESSAGE_COUNT,
    TRANSITIONS,
    VERDICTS,
    FACTS,
    APP_CACHE_REQUESTS,
    APP_CACHE_LIVE,
    TRACES_KEPT,
    TRACES_PASSED,
    SPANS_DROPPED,
    SPANS_EXPORTED,
    TRACES_OVERFLOWED,
    TRACES_LIVE,
    TELEMETRY_QUEUED,
    *BUSINESS_METRICS,
    *EXPORTER_METRICS,
    *RECEIVED_METRICS,
    *STORE_METRICS,
)
