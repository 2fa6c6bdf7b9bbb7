"""What is told about many flow runs at once: histories, averages, and points of a drawing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Unpack
from uuid import UUID

from sqlalchemy import Double, cast, exists, func
from sqlalchemy import select as sql_select

from lightwell.contract.flow_runs import FlowRunSort
from lightwell.contract.history import HistoryInterval
from lightwell.contract.ui import SimpleFlowRun, SimpleNextFlowRun
from lightwell.storage import history as histories
from lightwell.storage.estimates import run_time, start_delta, start_delta_micros
from lightwell.storage.filters import Criteria
from lightwell.storage.filters.dialects import is_one_of
from lightwell.storage.filters.flow_runs import order
from lightwell.storage.filters.related import of_flow_runs
from lightwell.storage.states import STATE_TYPES
from lightwell.storage.tables import flow_run, task_run
from lightwell.storage.transaction import Reader

_MICROS = 1_000_000
_subflow_run = flow_run.alias("subflow_run")


def history(
    reader: Reader, *, start: datetime, end: datetime, interval: timedelta, **criteria: Unpack[Criteria]
) -> list[HistoryInterval]:
    """Flow runs by state over equal intervals of their expected start; at most 500 intervals."""
    return histories.history(reader, flow_run, of_flow_runs(criteria), start, end, interval)


def lateness(reader: Reader, **criteria: Unpack[Criteria]) -> float | None:
    """How late the flow runs that meet all criteria started, or are, on average, in seconds; None of no runs."""
    late = cast(start_delta_micros(flow_run, reader.now), Double)
    average = reader.execute(sql_select(func.avg(late)).where(*of_flow_runs(criteria))).scalar_one()
    return None if average is None else float(average) / _MICROS


def points(
    reader: Reader,
    *,
    sort: FlowRunSort = FlowRunSort.EXPECTED_START_TIME_DESC,
    limit: int = 1000,
    offset: int = 0,
    **criteria: Unpack[Criteria],
) -> list[SimpleFlowRun]:
    """Flow runs as points of a drawing; only those that have a state and a time can be drawn."""
    columns = flow_run.c
    statement = (
        sql_select(
            columns.id,
            columns.state_type,
            columns.state_timestamp,
            columns.start_time,
            columns.expected_start_time,
            columns.total_run_time,
        )
        .where(columns.state_type.is_not(None), columns.effective_start_time.is_not(None), *of_flow_runs(criteria))
        .order_by(*order(sort))
        .limit(limit)
        .offset(offset)
    )
    now = reader.now
    return [
        SimpleFlowRun.trusted(
            {
                "id": run_id,
                "state_type": STATE_TYPES[kind],
                "timestamp": start or expected,
                "duration": run_time(kind, timestamp, total, now),
                "lateness": start_delta(kind, start, expected, now),
            }
        )
        for run_id, kind, timestamp, start, expected, total in reader.execute(statement)
    ]


def next_by_flow(reader: Reader, flow_ids: Sequence[UUID]) -> dict[UUID, SimpleNextFlowRun | None]:
    """The scheduled run of each flow that is due first, or None."""
    columns = flow_run.c
    place = func.row_number().over(
        partition_by=columns.flow_id, order_by=(columns.next_scheduled_start_time, columns.id)
    )
    due = (
        sql_select(
            columns.id,
            columns.flow_id,
            columns.name,
            columns.state_name,
            columns.state_type,
            columns.next_scheduled_start_time,
            place.label("place"),
        )
        .where(
            is_one_of(columns.flow_id, flow_ids),
            columns.state_type == "SCHEDULED",
            columns.next_scheduled_start_time.is_not(None),
        )
        .subquery("due")
    )
    found: dict[UUID, SimpleNextFlowRun | None] = dict.fromkeys(flow_ids)
    for row in reader.execute(
        sql_select(*[column for column in due.c if column.name != "place"]).where(due.c.place == 1)
    ):
        found[row.flow_id] = SimpleNextFlowRun.trusted(
            {**row._mapping, "state_type": STATE_TYPES[row.state_type]}  # noqa: SLF001 -- SQLAlchemy's public name
        )
    return found


def task_runs_by_flow_run(reader: Reader, flow_run_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many task runs each flow run has, without those that stand for subflows."""
    stands_for_one = exists().where(_subflow_run.c.parent_task_run_id == task_run.c.id).correlate(task_run)
    statement = (
        sql_select(task_run.c.flow_run_id, func.count())
        .where(is_one_of(task_run.c.flow_run_id, flow_run_ids), ~stands_for_one)
        .group_by(task_run.c.flow_run_id)
    )
    return dict.fromkeys(flow_run_ids, 0) | {key: int(number) for key, number in reader.execute(statement)}
