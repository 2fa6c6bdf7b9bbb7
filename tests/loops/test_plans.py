"""How the databases find what is due: by an index, and without sorting what is not."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import event, text

from lightwell.kit.ids import new_id
from lightwell.storage import due_flow_runs, due_task_runs, ended_flow_runs, flow_runs, task_runs
from lightwell.storage.database import Database
from lightwell.storage.tables import flow_run, task_run
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes

RUNS = 5000
DAY = timedelta(days=1)
CASES: Sequence[tuple[str, Callable[[Reader], Any], str]] = (
    ("late", lambda reader: due_flow_runs.select_late(reader, NOON, 500), "ix_flow_run__next_scheduled_start_time"),
    ("paused", lambda reader: due_flow_runs.select_expired_pauses(reader, 500), "ix_flow_run__state_type"),
    ("stuck", lambda reader: due_flow_runs.select_stuck(reader, NOON, 500), "ix_flow_run__state_type"),
    (
        "subflows",
        lambda reader: due_flow_runs.select_left_behind(reader, 500),
        "ix_flow_run__(state_type|parent_task_run_id)",
    ),
    (
        "task runs",
        lambda reader: due_task_runs.select_left_behind(reader, NOON - DAY, 500),
        "ix_task_run__state_type|uq_task_run__flow_run_id",
    ),
    ("ended", lambda reader: ended_flow_runs.select(reader, NOON - DAY, 500), "ix_flow_run__end_time"),
)


def _populate(tx: Transaction) -> None:
    flow_id = making.flow(tx)
    rows = []
    for number in range(RUNS):
        ended = number % 10 != 0
        kind = "COMPLETED" if ended else ("SCHEDULED", "RUNNING", "PAUSED", "CANCELLING", "PENDING")[number // 10 % 5]
        at = minutes(number - RUNS)
        rows.append(
            {
                **flow_runs._DEFAULTS,  # noqa: SLF001 -- many rows at once, which no verb does
                "id": new_id(),
                "created": at,
                "updated": at,
                "name": f"run-{number}",
                "flow_id": flow_id,
                "state_type": kind,
                "state_name": kind.capitalize(),
                "state_timestamp": at,
                "expected_start_time": at,
                "next_scheduled_start_time": minutes(number + 1) if kind == "SCHEDULED" else None,
                "end_time": at if ended else None,
            }
        )
    tx.execute(flow_run.insert(), rows)
    tasks = [
        {
            **task_runs._DEFAULTS,  # noqa: SLF001 -- many rows at once, which no verb does
            **{name: row[name] for name in row if name in task_runs._DEFAULTS},  # noqa: SLF001
            "id": new_id(),
            "flow_run_id": row["id"],
            "task_key": "task",
            "dynamic_key": str(number),
        }
        for row in rows
        for number in range(2)
    ]
    tx.execute(task_run.insert(), tasks)
    if tx.dialect == "postgresql":
        tx.execute(text("ANALYZE"))


def _plan(reader: Reader, query: Callable[[Reader], Any]) -> str:
    seen: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(reader.connection, "before_cursor_execute", remember)
    try:
        query(reader)
    finally:
        event.remove(reader.connection, "before_cursor_execute", remember)
    ((statement, parameters),) = seen
    explain = "EXPLAIN QUERY PLAN " if reader.dialect == "sqlite" else "EXPLAIN "
    return "\n".join(str(row[-1]) for row in reader.connection.exec_driver_sql(explain + statement, parameters))


async def test_an_index_finds_what_is_due(store: Database) -> None:
    """One statement each, that never reads all runs or task runs."""
    await store.write(_populate)
    for name, query, index in CASES:
        plan = await store.read(_plan, query)
        assert re.search(index, plan), f"{name}:\n{plan}"
        assert not re.search(r"SCAN (flow_run|task_run)$|Seq Scan on (flow_run|task_run)\b", plan, re.MULTILINE), (
            f"{name}:\n{plan}"
        )
