"""How long a run has run and how late it is, so far: in Python for one run, in SQL for many.

A run that runs adds to its time until it leaves the state; one that should have started and has neither started nor
ended gets later until it does.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, case, literal, type_coerce

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.storage.columns import to_micros

_NONE = timedelta(0)
_ENDED = frozenset(kind.value for kind in TERMINAL_STATES)


def run_time(state_type: str | None, state_timestamp: datetime | None, total: timedelta, now: datetime) -> timedelta:
    """How long the run has run."""
    if state_type == StateType.RUNNING and state_timestamp is not None:
        return total + (now - state_timestamp)
    return total


def start_delta(state_type: str | None, start: datetime | None, expected: datetime | None, now: datetime) -> timedelta:
    """How late the run started, or is; never negative."""
    if expected is None:
        return _NONE
    if start is not None:
        return start - expected if start > expected else _NONE
    return now - expected if expected < now and state_type not in _ENDED else _NONE


def run_time_micros(run: FromClause, now: datetime) -> ColumnElement[int]:
    """The same as `run_time` for every row, in microseconds."""
    total = _micros(run.c.total_run_time)
    running = and_(run.c.state_type == StateType.RUNNING.value, run.c.state_timestamp.is_not(None))
    return case((running, total + _present(now) - _micros(run.c.state_timestamp)), else_=total)


def start_delta_micros(run: FromClause, now: datetime) -> ColumnElement[int]:
    """The same as `start_delta` for every row, in microseconds; a run without a state counts as in time."""
    start, expected, present = _micros(run.c.start_time), _micros(run.c.expected_start_time), _present(now)
    waiting = and_(run.c.start_time.is_(None), run.c.state_type.not_in(sorted(_ENDED)), expected < present)
    return case((start > expected, start - expected), (waiting, present - expected), else_=literal(0, BigInteger()))


def _micros(instant: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(instant, BigInteger)


def _present(now: datetime) -> ColumnElement[int]:
    return literal(to_micros(now), BigInteger())
