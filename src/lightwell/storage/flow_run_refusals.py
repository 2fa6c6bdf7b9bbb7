"""Rows of what was proposed for flow runs and refused.

Who notes a refusal has locked the run, so nobody else numbers its refusals at the same time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, Table, bindparam, func
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update
from sqlalchemy.dialects import postgresql, sqlite

from lightwell.storage.columns import Id, Moment, TraceId
from lightwell.storage.tables import flow_run_refusal
from lightwell.storage.tables.metadata import Words
from lightwell.storage.transaction import Reader, Transaction

MOST: Final = 50
"""How many refusals of a run are kept; the oldest go."""

_LONGEST_NAME = 200


class Refusal(NamedTuple):
    """What was proposed, for a run in a state of which type, and what was said to it by which rule."""

    from_type: str | None
    proposed_type: str
    proposed_name: str
    rule: str
    verdict: str
    reason: str | None


class RefusalRecord(NamedTuple):
    """A refusal as it is stored; `times` counts how often it was given in a row, `trace_id` is the last one's."""

    from_type: str | None
    proposed_type: str
    proposed_name: str
    rule: str
    verdict: str
    reason: str | None
    first: datetime
    last: datetime
    times: int
    trace_id: str | None


_row = flow_run_refusal.c
_of_run = _row.flow_run_id == bindparam("of_run", type_=Id())
_earlier = flow_run_refusal.alias("earlier")
_of_run_too = _earlier.c.flow_run_id == bindparam("of_run", type_=Id())
_newest = sql_select(func.max(_earlier.c.number)).where(_of_run_too)
_given = {
    **{name: bindparam(f"its_{name}", type_=Words) for name in Refusal._fields},
    "trace_id": bindparam("its_trace_id", type_=TraceId()),
}
_now = bindparam("now", type_=Moment())

_COUNT_UP = (
    sql_update(flow_run_refusal)
    .where(
        _of_run,
        _row.number == _newest.scalar_subquery(),
        *(_row[name].is_not_distinct_from(_given[name]) for name in Refusal._fields),
    )
    .values(last=_now, times=_row.times + 1, trace_id=_given["trace_id"])
)
_next = func.coalesce(func.max(_earlier.c.number), 0) + 1
_VALUES = {
    "flow_run_id": bindparam("of_run", type_=Id()),
    "slot": _next % MOST,
    "number": _next,
    "first": _now,
    "last": _now,
    "times": bindparam("once", 1, type_=Integer()),
    **_given,
}
_ADD = sql_select(*(value.label(name) for name, value in _VALUES.items())).where(_of_run_too)


def _ring(insert: "type[sqlite.Insert | postgresql.Insert]", table: Table) -> "sqlite.Insert | postgresql.Insert":
    statement = insert(table).from_select(list(_VALUES), _ADD)
    changed = {name: statement.excluded[name] for name in _VALUES}
    return statement.on_conflict_do_update(index_elements=["flow_run_id", "slot"], set_=changed)


_INSERT = {
    "sqlite": _ring(sqlite.Insert, flow_run_refusal),
    "postgresql": _ring(postgresql.Insert, flow_run_refusal),
}
_BY_RUN = (
    sql_select(*(_row[name] for name in RefusalRecord._fields))
    .where(_row.flow_run_id == bindparam("flow_run_id"))
    .order_by(_row.number)
)


def note(tx: Transaction, flow_run_id: UUID, refusal: Refusal, trace_id: str | None) -> None:
    """Remember a refusal of a run that is locked; the same as the last one is counted up."""
    kept = refusal._replace(proposed_name=refusal.proposed_name[:_LONGEST_NAME])
    values = {
        "of_run": flow_run_id,
        "now": tx.now,
        "its_trace_id": trace_id,
        **{f"its_{name}": value for name, value in kept._asdict().items()},
    }
    if tx.execute(_COUNT_UP, values).rowcount == 0:
        tx.execute(_INSERT[tx.dialect], values)


def select(reader: Reader, flow_run_id: UUID) -> Sequence[RefusalRecord]:
    """What was refused to a run, the oldest first."""
    return [RefusalRecord._make(row) for row in reader.execute(_BY_RUN, {"flow_run_id": flow_run_id})]
