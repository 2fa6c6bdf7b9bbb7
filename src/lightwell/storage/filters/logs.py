"""Which lines of logs."""

from sqlalchemy import and_

from lightwell.contract.logs import LogFilter, LogSort
from lightwell.contract.text_search import TextSearchFilter
from lightwell.storage.filters.criteria import Clause, Column, Members, of_column, of_members
from lightwell.storage.filters.text_search import concatenation, found
from lightwell.storage.tables import log

_SEARCHED = concatenation(log.c.message, log.c.name)


def clause(criteria: LogFilter) -> Clause:
    """The lines that a filter object means."""
    return of_members(criteria, _MEMBERS)


def order(sort: LogSort) -> tuple[Column, ...]:
    """By what lines are ordered; of one instant, in the order that they came."""
    return _ORDER[sort]


def _text(criteria: TextSearchFilter) -> Clause:
    return and_(True, *found(_SEARCHED, criteria))  # noqa: FBT003 -- the neutral clause


_MEMBERS: Members = {
    "level": of_column(log.c.level),
    "timestamp": of_column(log.c.timestamp),
    "flow_run_id": of_column(log.c.flow_run_id),
    "task_run_id": of_column(log.c.task_run_id),
    "text": _text,
}

_ORDER: dict[LogSort, tuple[Column, ...]] = {
    LogSort.TIMESTAMP_ASC: (log.c.timestamp.asc(), log.c.id.asc()),
    LogSort.TIMESTAMP_DESC: (log.c.timestamp.desc(), log.c.id.desc()),
}
