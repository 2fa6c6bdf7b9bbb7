"""What is told about many task runs at once: histories, and counts by state and over time."""

from datetime import datetime, timedelta
from typing import Unpack

from sqlalchemy import BigInteger, case, func, literal, type_coerce
from sqlalchemy import select as sql_select

from lightwell.contract.history import HistoryInterval
from lightwell.contract.states import TERMINAL_STATES, CountByState, StateType
from lightwell.contract.ui import TaskRunCount
from lightwell.storage import history as histories
from lightwell.storage.columns import Moment, to_micros
from lightwell.storage.filters import Criteria
from lightwell.storage.filters.related import of_task_runs
from lightwell.storage.tables import task_run
from lightwell.storage.transaction import Reader

_MICROSECOND = timedelta(microseconds=1)
_FAILURES = (StateType.FAILED.value, StateType.CRASHED.value)


def history(
    reader: Reader, *, start: datetime, end: datetime, interval: timedelta, **criteria: Unpack[Criteria]
) -> list[HistoryInterval]:
    """Task runs by state over equal intervals of their expected start; at most 500 intervals."""
    return histories.history(reader, task_run, of_task_runs(criteria), start, end, interval)


def count_by_state(reader: Reader, **criteria: Unpack[Criteria]) -> CountByState:
    """How many task runs that meet all criteria are in a state of each type."""
    statement = (
        sql_select(task_run.c.state_type, func.count())
        .where(task_run.c.state_type.is_not(None), *of_task_runs(criteria))
        .group_by(task_run.c.state_type)
    )
    return CountByState(**{key: int(number) for key, number in reader.execute(statement)})


def count_ended(
    reader: Reader, *, start: datetime, end: datetime, spans: int, **criteria: Unpack[Criteria]
) -> list[TaskRunCount]:
    """How many task runs have ended, well or not, by equal spans between two instants of their start."""
    width = max((end - start) // spans // _MICROSECOND, 1)
    begun = type_coerce(task_run.c.start_time, BigInteger)
    span = ((begun - literal(to_micros(start), BigInteger())) // width).label("span")
    failed = func.sum(case((task_run.c.state_type.in_(_FAILURES), 1), else_=0))
    statement = (
        sql_select(span, func.count(), failed)
        .where(
            task_run.c.start_time >= literal(start, Moment()),
            task_run.c.start_time < literal(end, Moment()),
            task_run.c.state_type.in_(sorted(kind.value for kind in TERMINAL_STATES)),
            *of_task_runs(criteria),
        )
        .group_by(span)
    )
    counts = [TaskRunCount(completed=0, failed=0) for _ in range(spans)]
    for index, ended, failures in reader.execute(statement):
        place = counts[min(index, spans - 1)]
        place.completed += ended - failures
        place.failed += failures
    return counts
