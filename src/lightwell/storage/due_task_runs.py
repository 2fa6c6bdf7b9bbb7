"""Task runs that go on inside a flow run that was cancelled; looked for and taken as in `due_flow_runs.py`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, exists
from sqlalchemy import select as sql_select

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.storage import task_runs
from lightwell.storage.columns import Moment
from lightwell.storage.tables import flow_run, task_run
from lightwell.storage.task_runs import TaskRunRecord
from lightwell.storage.transaction import Reader, Transaction

_UNDER_WAY = sorted(kind.value for kind in StateType if kind not in TERMINAL_STATES)

# From the few task runs under way to their flow runs: a flow run that was cancelled can have any number that ended.
_IS_LEFT_BEHIND = and_(
    task_run.c.state_type.in_(_UNDER_WAY),
    exists()
    .where(
        flow_run.c.id == task_run.c.flow_run_id,
        flow_run.c.state_type == StateType.CANCELLED.value,
        flow_run.c.end_time >= bindparam("since", type_=Moment()),
    )
    .correlate(task_run),
)
_LEFT_BEHIND = sql_select(task_run.c.id).where(_IS_LEFT_BEHIND).limit(bindparam("most"))


def select_left_behind(reader: Reader, since: datetime, most: int) -> Sequence[UUID]:
    """At most so many task runs that go on inside a flow run that was cancelled at `since` or later."""
    return reader.execute(_LEFT_BEHIND, {"since": since, "most": most}).scalars().all()


def claim_left_behind(tx: Transaction, task_run_ids: Sequence[UUID], since: datetime) -> list[TaskRunRecord]:
    """Those of these that still do, locked."""
    return task_runs.claim(tx, task_run_ids, _IS_LEFT_BEHIND, since=since)
