"""The metrics of what the server is for, and of what it lives on: runs, events, leases, database, disk and process.

What is read from the database is the same whichever process tells it: where several share a database, a panel takes
the `max` of such a gauge, and never the sum.
"""

from typing import Final, Literal

from lightwell.instrumentation.vocabulary.attributes import (
    CPU_MODE,
    DUE,
    EVENT_DROP_REASON,
    EVENT_SOURCE,
    LATE_REASON,
    QUEUE_KIND,
    RUN_KIND,
    STATE_TYPE,
    STREAM,
    TABLE,
    UNIT_KIND,
)
from lightwell.instrumentation.vocabulary.metric import Metric

_RUN: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 10_800.0, 43_200.0, 86_400.0)
_DELAY: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_LAG: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

LateReason = Literal[
    "awaiting_retry",
    "pool_paused",
    "queue_paused",
    "awaiting_concurrency_slot",
    "no_deployment",
    "no_worker_polling",
    "late",
]
"""Why a run that is due has not begun, as far as its row tells."""

RUNS: Final = Metric(
    "lightwell.runs",
    "gauge",
    "{run}",
    "Runs in the database by the type of their state; `NONE` for those without one.",
    (RUN_KIND, STATE_TYPE),
)
RUN_DURATION: Final = Metric(
    "lightwell.run.duration",
    "histogram",
    "s",
    "How long runs that ended had been running in all; those that never ran are not among them.",
    (RUN_KIND, STATE_TYPE),
    _RUN,
)
RUN_START_DELAY: Final = Metric(
    "lightwell.run.start.delay",
    "histogram",
    "s",
    "How much later than expected runs began to run for the first time.",
    (RUN_KIND,),
    _DELAY,
)
RUNS_SCHEDULED: Final = Metric(
    "lightwell.runs.scheduled", "gauge", "{run}", "Flow runs that wait for their scheduled time, or past it.", (DUE,)
)
RUNS_LATE: Final = Metric(
    "lightwell.runs.late",
    "gauge",
    "{run}",
    "Flow runs past their scheduled time by more than `late_runs.after`, by why they wait.",
    (LATE_REASON,),
)
RUNS_LATE_AGE: Final = Metric(
    "lightwell.runs.late.age",
    "gauge",
    "s",
    "How far past its scheduled time the latest of the late flow runs is; 0 without one.",
    (LATE_REASON,),
)
QUEUE_DEPTH: Final = Metric(
    "lightwell.queue.depth", "gauge", "{run}", "Flow runs that are due and wait to be picked up.", (QUEUE_KIND,)
)
QUEUE_AGE: Final = Metric(
    "lightwell.queue.age", "gauge", "s", "How long the oldest flow run that is due has waited.", (QUEUE_KIND,)
)
LEASES_HELD: Final = Metric("lightwell.leases.held", "gauge", "{lease}", "Leases of concurrency slots that hold.")
LEASES_AGE: Final = Metric(
    "lightwell.leases.age", "gauge", "s", "Age of the oldest lease of concurrency slots that holds; 0 without one."
)
EVENTS_INGESTED: Final = Metric(
    "lightwell.events.ingested", "counter", "{event}", "Events that were stored, each once.", (EVENT_SOURCE,)
)
EVENTS_DELAY: Final = Metric(
    "lightwell.events.delay",
    "histogram",
    "s",
    "How long after they happened the events of clients were received.",
    (),
    _DELAY,
)
EVENTS_DROPPED: Final = Metric(
    "lightwell.events.dropped",
    "counter",
    "{event}",
    "Events of clients that came and were not stored.",
    (EVENT_DROP_REASON,),
)
LOG_LINES: Final = Metric("lightwell.log_lines.received", "counter", "{line}", "Log lines of runs that were stored.")
STREAM_BACKLOG: Final = Metric(
    "lightwell.stream.backlog", "gauge", "{item}", "What waits to be sent to the slowest websocket.", (STREAM,)
)
UNITS_WAITING: Final = Metric(
    "lightwell.db.units.waiting",
    "gauge",
    "{unit}",
    "Units of database work that wait for the writer or a connection.",
    (UNIT_KIND,),
    across="sum",
)
UNITS_RUNNING: Final = Metric(
    "lightwell.db.units.running", "gauge", "{unit}", "Units of database work that run.", (UNIT_KIND,), across="sum"
)
POOL_SIZE: Final = Metric(
    "lightwell.db.pool.size", "gauge", "{connection}", "Connections that units of database work share.", across="sum"
)
TABLE_ROWS: Final = Metric(
    "lightwell.db.table.rows",
    "gauge",
    "{row}",
    "Rows of each table, as the database estimates them; SQLite's estimate is never too low.",
    (TABLE,),
)
TABLE_SIZE: Final = Metric(
    "lightwell.db.table.size", "gauge", "By", "Size of each table with its indexes; PostgreSQL alone knows.", (TABLE,)
)
DATABASE_SIZE: Final = Metric("lightwell.db.size", "gauge", "By", "Size of the database.")
DISK_FREE: Final = Metric(
    "lightwell.disk.free", "gauge", "By", "What is free on the disk of the server's home directory.", across="min"
)
DISK_SIZE: Final = Metric("lightwell.disk.size", "gauge", "By", "Size of the disk of the server's home directory.")
EVENT_LOOP_LAG: Final = Metric(
    "lightwell.event_loop.lag", "histogram", "s", "How much later than asked the event loop called back.", (), _LAG
)
CPU_TIME: Final = Metric("process.cpu.time", "counter", "s", "Processor time of the process.", (CPU_MODE,))
MEMORY: Final = Metric("process.memory.usage", "updowncounter", "By", "Resident memory of the process.")
FILE_DESCRIPTORS: Final = Metric(
    "process.open_file_descriptors",
    "updowncounter",
    "{file_descriptor}",
    "File descriptors that the process has open.",
)
THREADS: Final = Metric("process.threads", "updowncounter", "{thread}", "Threads of the process.")
START_TIME: Final = Metric("process.start_time", "gauge", "s", "When the process began, in seconds of Unix time.")

BUSINESS_METRICS: Final = (
    RUNS,
    RUN_DURATION,
    RUN_START_DELAY,
    RUNS_SCHEDULED,
    RUNS_LATE,
    RUNS_LATE_AGE,
    QUEUE_DEPTH,
    QUEUE_AGE,
    LEASES_HELD,
    LEASES_AGE,
    EVENTS_INGESTED,
    EVENTS_DELAY,
    EVENTS_DROPPED,
    LOG_LINES,
    STREAM_BACKLOG,
    UNITS_WAITING,
    UNITS_RUNNING,
    POOL_SIZE,
    TABLE_ROWS,
    TABLE_SIZE,
    DATABASE_SIZE,
    DISK_FREE,
    DISK_SIZE,
    EVENT_LOOP_LAG,
    CPU_TIME,
    MEMORY,
    FILE_DESCRIPTORS,
    THREADS,
    START_TIME,
)
