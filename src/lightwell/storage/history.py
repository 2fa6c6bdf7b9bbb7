"""Runs counted by state over equal intervals of their expected start: one statement, whatever their number."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Double, FromClause, cast, func, literal, select, type_coerce

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
_MOST_MICROS = timedelta.max // _MICROSECOND


def history(
    reader: Reader, runs: FromClause, where: Sequence[Clause], start: datetime, end: datetime, interval: timedelta
) -> list[HistoryInterval]:
    """Every interval from `start` on that begins before `end`, with its runs by state; `interval` is positive."""
    count = min(-((start - end) // interval), MAX_INTERVALS)
    if count <= 0:
        return []
    edges = [_moved(start, index * interval) for index in range(count + 1)]
    states: list[list[HistoryState]] = [[] for _ in range(count)]
    expected = type_coerce(runs.c.expected_start_time, BigInteger)
    bucket = ((expected - literal(to_micros(start), BigInteger())) // (interval // _MICROSECOND)).label("bucket")
    statement = (
        select(
            bucket,
            runs.c.state_type,
            runs.c.state_name,
            func.count(),
            _sum_of_positive(run_time_micros(runs, reader.now)),
            _sum_of_positive(start_delta_micros(runs, reader.now)),
        )
        .where(
            runs.c.expected_start_time >= literal(start, Moment()),
            runs.c.expected_start_time < literal(edges[-1], Moment()),
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
                sum_estimated_run_time=_span(run_time),
                sum_estimated_lateness=_span(lateness),
            )
        )
    return [
        HistoryInterval(interval_start=edges[index], interval_end=edges[index + 1], states=found)
        for index, found in enumerate(states)
    ]


def _moved(start: datetime, by: timedelta) -> datetime:
    try:
        return start + by
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _sum_of_positive(micros: ColumnElement[int]) -> ColumnElement[float]:
    # As doubles: a sum of integers can be too large for SQLite, and is then an error.
    return func.sum(cast(greatest(literal(0, BigInteger()), micros), Double))


def _span(micros: float) -> timedelta:
    return timedelta(microseconds=min(round(micros), _MOST_MICROS))
