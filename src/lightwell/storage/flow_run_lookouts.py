"""Flow runs that the clock has something to do with: what loops look for, in batches."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, exists
from sqlalchemy import select as sql_select

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables import flow_run, task_run
from lightwell.storage.transaction import Reader

_FIRST = UUID(int=0)
_ENDED = sorted(kind.value for kind in TERMINAL_STATES)

_LATE = (
    sql_select(flow_run.c.id)
    .where(
        flow_run.c.next_scheduled_start_time <= bindparam("before", type_=Moment()),
        flow_run.c.state_type == StateType.SCHEDULED.value,
        flow_run.c.state_name == "Scheduled",
    )
    .order_by(flow_run.c.next_scheduled_start_time)
    .limit(bindparam("most"))
)
_IN_STATE = (
    sql_select(flow_run.c.id)
    .where(
        flow_run.c.state_type == bindparam("kind"),
        flow_run.c.state_timestamp <= bindparam("before", type_=Moment()),
        flow_run.c.id > bindparam("after", type_=Id()),
    )
    .order_by(flow_run.c.id)
    .limit(bindparam("most"))
)
_UNENDED_TASK_RUNS = (
    sql_select(task_run.c.id)
    .where(task_run.c.flow_run_id == bindparam("flow_run_id"), task_run.c.state_type.not_in(_ENDED))
    .order_by(task_run.c.id)
    .limit(bindparam("most"))
)
_UNENDED_SUBFLOW_RUNS = (
    sql_select(flow_run.c.id)
    .join(task_run, task_run.c.id == flow_run.c.parent_task_run_id)
    .where(task_run.c.flow_run_id == bindparam("flow_run_id"), flow_run.c.state_type.not_in(_ENDED))
    .order_by(flow_run.c.id)
    .limit(bindparam("most"))
)
_CANCELLED = (
    sql_select(flow_run.c.id)
    .where(
        flow_run.c.state_type == StateType.CANCELLED.value,
        flow_run.c.end_time >= bindparam("since", type_=Moment()),
        exists().where(task_run.c.flow_run_id == flow_run.c.id, task_run.c.state_type.not_in(_ENDED)),
    )
    .order_by(flow_run.c.id)
    .limit(bindparam("most"))
)
_OLD = (
    sql_select(flow_run.c.id)
    .where(flow_run.c.end_time < bindparam("before", type_=Moment()), flow_run.c.state_type.in_(_ENDED))
    .order_by(flow_run.c.end_time)
    .limit(bindparam("most"))
)


def late(reader: Reader, *, before: datetime, most: int) -> Sequence[UUID]:
    """Scheduled flow runs that were due before an instant and are not called late yet, the longest due first."""
    return list(reader.execute(_LATE, {"before": before, "most": most}).scalars())


def in_state(
    reader: Reader,
    kind: StateType,
    *,
    before: datetime,
    after: UUID = _FIRST,
    most: int,
) -> Sequence[UUID]:
    """Flow runs in a state of this type since before an instant, by id, with ids above `after`: for batches."""
    values = {"kind": kind.value, "before": before, "after": after, "most": most}
    return list(reader.execute(_IN_STATE, values).scalars())


def cancelled_with_unended_task_runs(reader: Reader, *, since: datetime, most: int) -> Sequence[UUID]:
    """Flow runs that were cancelled since an instant and have task runs that have not ended."""
    return list(reader.execute(_CANCELLED, {"since": since, "most": most}).scalars())


def unended_task_runs(reader: Reader, flow_run_id: UUID, *, most: int) -> Sequence[UUID]:
    """The task runs of a flow run that have not ended, by id."""
    return list(reader.execute(_UNENDED_TASK_RUNS, {"flow_run_id": flow_run_id, "most": most}).scalars())


def unended_subflow_runs(reader: Reader, flow_run_id: UUID, *, most: int) -> Sequence[UUID]:
    """The subflows of a flow run that have not ended, by id."""
    return list(reader.execute(_UNENDED_SUBFLOW_RUNS, {"flow_run_id": flow_run_id, "most": most}).scalars())


def ended_before(reader: Reader, before: datetime, *, most: int) -> Sequence[UUID]:
    """Flow runs that ended before an instant, the longest ended first: for retention."""
    return list(reader.execute(_OLD, {"before": before, "most": most}).scalars())
