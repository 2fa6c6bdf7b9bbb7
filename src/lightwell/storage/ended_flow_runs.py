"""Flow runs that ended long ago, and what belongs to them, for who deletes a little at a time.

A flow run inside another belongs to that one: it is on its own when the other is gone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, func
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select

from lightwell.contract.states import TERMINAL_STATES
from lightwell.storage.columns import Moment
from lightwell.storage.tables import flow_run, flow_run_state, task_run
from lightwell.storage.transaction import Reader, Transaction


class EndedFlowRun(NamedTuple):
    """A flow run that ended long ago; `parts` is how many task runs and states go with it, and itself."""

    id: UUID
    parts: int


# Not by its state: almost all have ended, and SQLite would sort them all.
_IS_OLD = and_(
    flow_run.c.end_time < bindparam("before", type_=Moment()),
    flow_run.c.parent_task_run_id.is_(None),
    func.coalesce(flow_run.c.state_type, "").in_(sorted(kind.value for kind in TERMINAL_STATES)),
)
_TASK_RUNS = sql_select(func.count()).where(task_run.c.flow_run_id == flow_run.c.id).correlate(flow_run)
_STATES = sql_select(func.count()).where(flow_run_state.c.flow_run_id == flow_run.c.id).correlate(flow_run)
_OLD = (
    sql_select(flow_run.c.id, _TASK_RUNS.scalar_subquery(), _STATES.scalar_subquery())
    .where(_IS_OLD)
    .order_by(flow_run.c.end_time.nulls_first())
    .limit(bindparam("most"))
)
_UNCLAIMED = (
    sql_select(flow_run.c.id)
    .where(flow_run.c.id.in_(bindparam("flow_run_ids", expanding=True)), _IS_OLD)
    .order_by(flow_run.c.id)
    .with_for_update(skip_locked=True)
)
_SOME_TASK_RUNS = (
    sql_select(task_run.c.id).where(task_run.c.flow_run_id == bindparam("flow_run_id")).limit(bindparam("most"))
)
_SOME_STATES = (
    sql_select(flow_run_state.c.id)
    .join(flow_run, flow_run.c.id == flow_run_state.c.flow_run_id)
    .where(flow_run_state.c.flow_run_id == bindparam("flow_run_id"), flow_run_state.c.id != flow_run.c.state_id)
    .order_by(flow_run_state.c.timestamp)
    .limit(bindparam("most"))
)
_DELETE_STATES = sql_delete(flow_run_state).where(flow_run_state.c.id.in_(bindparam("state_ids", expanding=True)))


def select(reader: Reader, before: datetime, most: int) -> list[EndedFlowRun]:
    """At most so many runs, outside of others, that ended before an instant; those that ended first come first."""
    rows = reader.execute(_OLD, {"before": before, "most": most})
    return [EndedFlowRun(flow_run_id, 1 + task_runs + states) for flow_run_id, task_runs, states in rows]


def claim(tx: Transaction, flow_run_ids: Sequence[UUID], before: datetime) -> Sequence[UUID]:
    """Those of these that still are over, and that nobody else is changing; locked."""
    return tx.execute(_UNCLAIMED, {"flow_run_ids": list(flow_run_ids), "before": before}).scalars().all()


def select_task_runs(reader: Reader, flow_run_id: UUID, most: int) -> Sequence[UUID]:
    """At most so many task runs of a flow run."""
    return reader.execute(_SOME_TASK_RUNS, {"flow_run_id": flow_run_id, "most": most}).scalars().all()


def delete_states(tx: Transaction, flow_run_id: UUID, most: int) -> int:
    """Delete at most so many of the states that a run was in before its present one, the oldest first; how many."""
    state_ids = tx.execute(_SOME_STATES, {"flow_run_id": flow_run_id, "most": most}).scalars().all()
    return tx.execute(_DELETE_STATES, {"state_ids": state_ids}).rowcount if state_ids else 0
