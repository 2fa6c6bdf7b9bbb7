"""Runs counted by state over equal intervals of their expected start: one statement, whatever their number."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, FromClause, func, literal, select, type_coerce

from lightwell.contract.history import HistoryInterval, HistoryState
from lightwell.storage.columns import Moment, to_micros
from lightwell.storage.estimates import run_time_micros, start_delta_micros
from lightwell.storage.filters.criteria import Clause
from lightwell.storage.filters.dialects import greatest
from lightwell.storage.states import STATE_TYPES
from lightwell.storage.transaction import Reader

MAX_INTERVALS = 500
"""A history ends after so many intervals, wherever it was meant to end."""

_MICROSECOND = timedelta(microseconds=1)


def history(
    reader: Reader, runs: FromClause, where: Sequence[Clause], start: datetime, end: datetime, interval: timedelta
) -> list[HistoryInterval]:
    """Every interval from `start` on that begins before `end`, with its runs by state; `interval` is positive."""
    count = min(-((start - end) // interval), MAX_INTERVALS)
    if count <= 0:
        return []
    last = start + count * interval
    states: list[list[HistoryState]] = [[] for _ in range(count)]
    expected = type_coerce(runs.c.expected_start_time, BigInteger)
    bucket = ((expected - literal(to_micros(start), BigInteger())) // (interval // _MICROSECOND)).label("bucket")
    statement = (
        select(
            bucket,
            runs.c.state_type,
            runs.c.state_name,
            func.count(),
            func.sum(greatest(literal(0, BigInteger()), run_time_micros(runs, reader.now))),
            func.sum(greatest(literal(0, BigInteger()), start_delta_micros(runs, reader.now))),
        )
        .where(
            runs.c.expected_start_time >= literal(start, Moment()),
            runs.c.expected_start_time < literal(last, Moment()),
            runs.c.state_type.is_not(None),
            *where,
        )
        .group_by(bucket, runs.c.state_type, runs.c.state_name)
        .order_by(bucket, runs.c.state_type, runs.c.state_name)
    )
    for index, kind, name, runs_in_it, run_time, lateness in reader.execute(statement):
        states[index].append(
            HistoryState(
                state_type=STATE_TYPES[kind],
                state_name=name,
                count_runs=runs_in_it,
                sum_estimated_run_time=timedelta(microseconds=int(run_time)),
                sum_estimated_lateness=timedelta(microseconds=int(lateness)),
            )
        )
    return [
        HistoryInterval(
            interval_start=start + index * interval, interval_end=start + (index + 1) * interval, states=found
        )
        for index, found in enumerate(states)
    ]
