"""The attributes of spans and metrics, and the few other names that travel."""

from typing import Final

from lightwell.instrumentation.vocabulary.attribute import AttributeName
from lightwell.instrumentation.vocabulary.exporter import EXPORTER_ATTRIBUTES
from lightwell.instrumentation.vocabulary.received import RECEIVED_ATTRIBUTES

SCOPE: Final = "lightwell"
"""The instrumentation scope of everything but the server span and the HTTP metrics."""

TRACE_ID_HEADER: Final = "X-Trace-Id"

ROUTE_KEY: Final = "lightwell.route"
"""Where an index of routes may leave the full template of the route (`/api/flow_runs/{id}`) in the ASGI scope."""

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
DB_STATUS: Final = "db.response.status_code"
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
FLOW_RUN: Final = "lightwell.flow_run_id"
FLOW_RUNS: Final = "lightwell.flow_run_ids"
SIGNAL: Final = "lightwell.signal"
DROP_REASON: Final = "lightwell.drop.reason"
STORE_DROP_REASON: Final = "lightwell.trace_store.drop.reason"
STATE_TYPE: Final = "lightwell.state.type"
LATE_REASON: Final = "lightwell.late.reason"
DUE: Final = "lightwell.due"
QUEUE_KIND: Final = "lightwell.queue.kind"
EVENT_SOURCE: Final = "lightwell.event.source"
EVENT_DROP_REASON: Final = "lightwell.event.drop.reason"
STREAM: Final = "lightwell.stream"
TABLE: Final = "lightwell.db.table"
CPU_MODE: Final = "cpu.mode"


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
    AttributeName(DB_STATUS, "string", "The database's own code of a statement's error: an SQLSTATE, or `SQLITE_...`."),
    AttributeName(
        KEPT,
        "string",
        "Why the trace was kept: `error`, `slow`, `status`, `verdict`, `baseline`, or `remote` where the caller had "
        "sampled it.",
    ),
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
    AttributeName(FLOW_RUN, "string", "The flow run that was worked on; the last one, where there were several."),
    AttributeName(
        FLOW_RUNS, "string[]", "All flow runs that were worked on, where there were several; 100 of them at most."
    ),
    AttributeName(SIGNAL, "string", "`traces`, `metrics` or `logs`."),
    AttributeName(
        DROP_REASON, "string", "`queue_full`, `export_failed`, `too_many_spans`, `too_many_lines` or `shut_down`."
    ),
    AttributeName(
        STORE_DROP_REASON,
        "string",
        "`queue_full`, `off` (trouble keeps the store off), `write_failed`, `unreadable` or `shut_down`.",
    ),
    AttributeName(STATE_TYPE, "string", "The type of a state; `NONE` for a run without one."),
    AttributeName(
        LATE_REASON,
        "string",
        "Why a flow run is late, in the words of its explanation: `no_deployment` (no worker is given it: only who "
        "made it can start it), `pool_paused`, `queue_paused`, `no_worker_polling` (nobody has asked for its runs "
        "for a minute), `awaiting_retry`, `awaiting_concurrency_slot`, or `late` (somebody asks, nobody takes it).",
    ),
    AttributeName(DUE, "string", "`later` where the scheduled time is still to come, `overdue` where it has passed."),
    AttributeName(
        QUEUE_KIND,
        "string",
        "The type of the work pool, where it is one that clients ship with, else `other`; `none` without a queue.",
    ),
    AttributeName(EVENT_SOURCE, "string", "`client` for what clients report, `server` for what this server states."),
    AttributeName(
        EVENT_DROP_REASON,
        "string",
        "`duplicate` (stored before), `invalid` (came by websocket and cannot be read) or `refused` (the database "
        "took the batch of a websocket not now: the client sends it again).",
    ),
    AttributeName(STREAM, "string", "`events` or `logs`."),
    AttributeName(TABLE, "string", "A table of the database."),
    AttributeName(CPU_MODE, "string", "`user` or `system`."),
    *EXPORTER_ATTRIBUTES,
    *RECEIVED_ATTRIBUTES,
)
