"""Which index serves the lists, counts and histories that are asked for all the time, over 20,000 runs."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from lightwell.contract.events import EventFilter
from lightwell.contract.logs import LogFilter
from lightwell.contract.queries import FlowRunsQuery, TaskRunsQuery
from lightwell.kit.ids import new_id
from lightwell.storage import (
    events,
    exporter_names,
    flow_run_figures,
    flow_runs,
    logs,
    run_counts,
    tables,
    task_run_figures,
    task_runs,
)
from lightwell.storage.database import Database
from lightwell.storage.filters import criteria_of
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes

SCANS = re.compile(r"SCAN (flow_run|task_run|log|event)$|Seq Scan on (flow_run|task_run|log|event)\b", re.MULTILINE)
SORTS = re.compile(r"USE TEMP B-TREE FOR ORDER BY|^\s*->\s+Sort|^Sort", re.MULTILINE)
RUNS = 20_000
_NEXT = "ix_flow_run__next_scheduled_start_time"
KINDS = ("COMPLETED",) * 90 + ("FAILED",) * 5 + ("CRASHED",) * 2 + ("SCHEDULED", "RUNNING", "PENDING")


@contextmanager
def _spied(reader: Reader) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(reader.connection, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        event.remove(reader.connection, "before_cursor_execute", remember)


def _plans(reader: Reader, query: Callable[[Reader], Any]) -> list[str]:
    """How the database goes about each statement of a query."""
    with _spied(reader) as seen:
        query(reader)
    explain = "EXPLAIN QUERY PLAN " if reader.dialect == "sqlite" else "EXPLAIN "
    plans = []
    for statement, parameters in list(seen):
        rows = reader.connection.exec_driver_sql(explain + statement, parameters).all()
        plans.append("\n".join(str(row[-1]) for row in rows))
    return plans


def _populate(tx: Transaction) -> dict[str, Any]:
    ids = {f"flow{number}": making.flow(tx, f"flow {number}") for number in range(10)}
    ids["deployment"] = making.deployed(tx, ids["flow0"], "nightly")
    flow_ids = [ids[f"flow{number}"] for number in range(10)]
    rows = []
    for number in range(RUNS):
        kind = KINDS[number * 37 % 100]
        waiting = kind in ("SCHEDULED", "PENDING")
        due = minutes(number)
        rows.append(
            {
                **flow_runs._DEFAULTS,  # noqa: SLF001 -- many rows at once, which no verb does
                "id": new_id(),
                "created": NOON,
                "updated": NOON,
                "name": f"run-{number * 7919 % RUNS}",
                "flow_id": flow_ids[number % 10],
                "state_type": kind,
                "state_name": kind.capitalize(),
                "state_timestamp": due,
                "expected_start_time": due,
                "next_scheduled_start_time": due if kind == "SCHEDULED" else None,
                "start_time": None if waiting else due,
                "end_time": None if waiting or kind == "RUNNING" else due + timedelta(seconds=30),
                "total_run_time": timedelta(seconds=30),
                "deployment_id": ids["deployment"] if number % 20 == 0 else None,
                "tags": ["nightly"] if number % 500 == 0 else [],
            }
        )
    tx.execute(tables.flow_run.insert(), rows)
    ids["run"] = rows[5]["id"]
    tasks = [
        {
            **task_runs._DEFAULTS,  # noqa: SLF001 -- many rows at once, which no verb does
            **{name: row[name] for name in row if name in task_runs._DEFAULTS},  # noqa: SLF001
            "id": new_id(),
            "flow_run_id": rows[number // 10]["id"],
            "task_key": f"task-{number % 10}",
            "dynamic_key": "0",
        }
        for number, row in enumerate(rows)
    ]
    tx.execute(tables.task_run.insert(), tasks)
    lines = [
        {
            "id": new_id(),
            "created": NOON,
            "name": "prefect.flow_runs",
            "level": 20,
            "flow_run_id": rows[number // 5]["id"],
            "task_run_id": None,
            "message": "hello",
            "timestamp": minutes(number),
        }
        for number in range(RUNS)
    ]
    tx.execute(tables.log.insert(), lines)
    told: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "occurred": minutes(number),
            "received": minutes(number),
            "event": f"prefect.flow-run.{KINDS[number * 37 % 100].capitalize()}",
            "resource_id": f"prefect.flow-run.{rows[number // 5]['id']}",
            "resource": {},
            "related": [],
            "payload": {},
            "follows": None,
        }
        for number in range(RUNS)
    ]
    tx.execute(tables.event.insert(), told)
    tx.execute(
        tables.event_resource.insert(),
        [
            {"resource_id": one["resource_id"], "occurred": one["occurred"], "event_id": one["id"], "role": ""}
            for one in told
        ],
    )
    if tx.dialect == "postgresql":
        tx.execute(text("ANALYZE"))
    return ids


def _flow_runs(**body: Any) -> Callable[[Reader], Any]:
    query = FlowRunsQuery.model_validate({"limit": 50, **body})

    def listed(reader: Reader) -> object:
        return flow_runs.select(reader, sort=query.sort, limit=query.limit, offset=query.offset, **criteria_of(query))

    return listed


def _count(**body: Any) -> Callable[[Reader], Any]:
    query = FlowRunsQuery.model_validate(body)
    return lambda reader: flow_runs.count(reader, **criteria_of(query))


def _history(start: float, end: float) -> Callable[[Reader], Any]:
    def drawn(reader: Reader) -> object:
        return flow_run_figures.history(
            reader, start=minutes(start), end=minutes(end), interval=timedelta(minutes=(end - start) / 50)
        )

    return drawn


def _task_runs(**body: Any) -> Callable[[Reader], Any]:
    query = TaskRunsQuery.model_validate({"limit": 50, **body})
    return lambda reader: task_runs.select(reader, sort=query.sort, limit=query.limit, **criteria_of(query))


def _task_history(reader: Reader) -> object:
    start, end = minutes(100), minutes(200)
    return task_run_figures.history(reader, start=start, end=end, interval=timedelta(minutes=2))


def _events(**body: Any) -> Callable[[Reader], Any]:
    occurred = {"since": minutes(0).isoformat(), "until": minutes(RUNS).isoformat()}
    criteria = EventFilter.model_validate({"occurred": occurred, **body})
    return lambda reader: events.select(reader, criteria, limit=50)


def _logs(**body: Any) -> Callable[[Reader], Any]:
    return lambda reader: logs.select(reader, LogFilter.model_validate(body), limit=200)


def _named_runs(reader: Reader) -> None:
    """What is told of flow runs by name; flows, deployments, pools and queues are few and are read whole."""
    window = reader.now - minutes(RUNS - 100)
    within = {"after": reader.now - window, "most": 100}
    for statement in (exporter_names.ENDED, exporter_names.RUN_TIMES, exporter_names.RUNS):
        reader.execute(statement, within)


def _cases(ids: dict[str, Any]) -> list[tuple[str, Callable[[Reader], Any], str]]:
    """What is asked, and the indexes of which one must serve it."""
    run, deployment, flow_id = str(ids["run"]), str(ids["deployment"]), str(ids["flow3"])
    recent = {"after_": minutes(RUNS - 100).isoformat()}
    return [
        ("newest", _flow_runs(), "flow_run.*(autoindex|pk)"),
        ("by start", _flow_runs(sort="START_TIME_DESC"), "ix_flow_run__effective_start_time"),
        ("by start, up", _flow_runs(sort="START_TIME_ASC"), "ix_flow_run__effective_start_time"),
        ("by expected start", _flow_runs(sort="EXPECTED_START_TIME_DESC"), "ix_flow_run__expected_start_time"),
        ("by end", _flow_runs(sort="END_TIME_DESC"), "ix_flow_run__end_time"),
        ("by name", _flow_runs(sort="NAME_ASC"), "ix_flow_run__name"),
        (
            "since",
            _flow_runs(flow_runs={"start_time": recent}, sort="START_TIME_DESC"),
            "ix_flow_run__effective_start_time",
        ),
        (
            "of a flow",
            _flow_runs(flows={"id": {"any_": [flow_id]}}, sort="START_TIME_DESC"),
            "ix_flow_run__(flow_id|effective_start_time)",
        ),
        (
            "of a deployment",
            _flow_runs(flow_runs={"deployment_id": {"any_": [deployment]}}, sort="START_TIME_DESC"),
            "ix_flow_run__(deployment_id|effective_start_time)",
        ),
        (
            "running",
            _flow_runs(flow_runs={"state": {"type": {"any_": ["RUNNING"]}}}, sort="START_TIME_DESC"),
            "ix_flow_run__state_type",
        ),
        ("named", _flow_runs(flow_runs={"name": {"any_": ["run-7"]}}), "ix_flow_run__name"),
        (
            "due",
            _flow_runs(
                flow_runs={"next_scheduled_start_time": {"before_": minutes(90).isoformat()}},
                sort="NEXT_SCHEDULED_START_TIME_ASC",
            ),
            "ix_flow_run__next_scheduled_start_time",
        ),
        ("waiting runs", lambda reader: run_counts.scheduled(reader, timedelta(0)), _NEXT),
        ("runs by names", _named_runs, "ix_flow_run__(end_time|effective_start_time)"),
        ("children", _flow_runs(flow_runs={"parent_flow_run_id": {"any_": [run]}}), "ix_flow_run__parent_task_run_id"),
        (
            "count running",
            _count(flow_runs={"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}),
            "ix_flow_run__state_type",
        ),
        (
            "count recent failures",
            _count(flow_runs={"state": {"type": {"any_": ["FAILED", "CRASHED"]}}, "start_time": recent}),
            "ix_flow_run__(state_type|effective_start_time)",
        ),
        ("count late", _count(flow_runs={"state": {"name": {"any_": ["Late"]}}}), "ix_flow_run__state_name"),
        ("count recent", _count(flow_runs={"start_time": recent}), "ix_flow_run__effective_start_time"),
        (
            "count of deployment",
            _count(flow_runs={"deployment_id": {"any_": [deployment]}}),
            "ix_flow_run__deployment_id",
        ),
        ("history", _history(100, 400), "ix_flow_run__expected_start_time"),
        ("task runs of a run", _task_runs(flow_runs={"id": {"any_": [run]}}), "uq_task_run__flow_run_id"),
        ("newest task runs", _task_runs(), "task_run.*(autoindex|pk)"),
        ("task history", _task_history, "ix_task_run__expected_start_time"),
        ("logs of a run", _logs(flow_run_id={"any_": [run]}), "ix_log__flow_run_id"),
        ("newest logs", _logs(), "ix_log__timestamp"),
        ("newest events", _events(), "ix_event__occurred"),
        ("events of a kind", _events(event={"name": ["prefect.flow-run.Crashed"]}), "ix_event__event"),
        ("events of a run", _events(any_resource={"id": [f"prefect.flow-run.{run}"]}), "event_resource.*(PRIMARY|pk)"),
        (
            "events of a run itself",
            _events(resource={"id": [f"prefect.flow-run.{run}"]}),
            "event_resource.*(PRIMARY|pk)",
        ),
    ]


@pytest.mark.timeout(180)
async def test_an_index_serves_what_is_asked_all_the_time(store: Database) -> None:
    """No statement of a list, count or history reads a whole table of runs, logs or events."""
    ids = await store.write(_populate)
    failures = []
    for asked, query, index in _cases(ids):
        for plan in await store.read(_plans, query):
            scans = SCANS.search(plan)
            sorts = asked.startswith(("by ", "newest")) and SORTS.search(plan)
            if scans or sorts or not re.search(index, plan, re.IGNORECASE | re.DOTALL):
                failures.append(f"{asked}:\n{plan}")
    assert not failures, "\n\n".join(failures)
