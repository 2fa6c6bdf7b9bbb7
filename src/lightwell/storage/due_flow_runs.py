"""Flow runs that the clock makes due: who is late, paused for too long, or left behind by somebody's cancellation.

Each kind is looked for with `select_...`, without a lock, and taken with `claim_...`, which asks the same again of the
runs that it locks: of several that look at once, one takes a run.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, exists, func, not_, type_coerce
from sqlalchemy import select as sql_select

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.storage import flow_runs
from lightwell.storage.columns import Moment, from_text
from lightwell.storage.flow_runs import FlowRunRecord
from lightwell.storage.tables import flow_run, flow_run_state, task_run
from lightwell.storage.transaction import Reader, Transaction

_UNDER_WAY = sorted(kind.value for kind in StateType if kind not in TERMINAL_STATES)
_before = bindparam("before", type_=Moment())
_around = flow_run.alias("around")
_column = flow_run.c

# Not by their state: most scheduled runs are not due yet, and SQLite would begin with that index.
_IS_LATE = and_(
    _column.next_scheduled_start_time <= _before,
    func.coalesce(_column.state_type, "") == StateType.SCHEDULED.value,
    func.coalesce(_column.state_name, "") == "Scheduled",
)
_IS_PAUSED = _column.state_type == StateType.PAUSED.value
_IS_STUCK = and_(_column.state_type == StateType.CANCELLING.value, _column.state_timestamp <= _before)
_IS_LEFT_BEHIND = and_(
    _column.state_type.in_(_UNDER_WAY),
    _column.parent_task_run_id.is_not(None),
    # A worker is told to stop a run of a deployment, and that once.
    not_(and_(_column.state_type == StateType.CANCELLING.value, _column.deployment_id.is_not(None))),
    exists()
    .where(
        task_run.c.id == _column.parent_task_run_id,
        _around.c.id == task_run.c.flow_run_id,
        _around.c.state_type == StateType.CANCELLED.value,
    )
    .correlate(flow_run),
)


def _due(condition: ColumnElement[bool], order: ColumnElement[datetime | None] | None = None) -> Select[tuple[UUID]]:
    return sql_select(_column.id).where(condition).order_by(order).limit(bindparam("most"))


_LATE = _due(_IS_LATE, _column.next_scheduled_start_time)
_STUCK = _due(_IS_STUCK, _column.state_timestamp)
_LEFT_BEHIND = _due(_IS_LEFT_BEHIND)
_PAUSED = (
    sql_select(_column.id, type_coerce(flow_run_state.c.state_details, Text))
    .join(flow_run_state, flow_run_state.c.id == _column.state_id)
    .where(_IS_PAUSED, type_coerce(flow_run_state.c.state_details, Text).contains('"pause_timeout"'))
)


def select_late(reader: Reader, before: datetime, most: int) -> Sequence[UUID]:
    """At most so many runs that wait for a time before `before` and are not marked late, the oldest first."""
    return reader.execute(_LATE, {"before": before, "most": most}).scalars().all()


def claim_late(tx: Transaction, flow_run_ids: Sequence[UUID], before: datetime) -> list[FlowRunRecord]:
    """Those of these that still are, locked."""
    return flow_runs.claim(tx, flow_run_ids, _IS_LATE, before=before)


def select_expired_pauses(reader: Reader, most: int) -> list[UUID]:
    """At most so many runs that are paused for longer than they wanted to be."""
    expired = []
    for flow_run_id, details in reader.execute(_PAUSED):
        if datetime.fromisoformat(from_text(details)["pause_timeout"]) < reader.now:
            expired.append(flow_run_id)
        if len(expired) >= most:
            break
    return expired


def claim_expired_pauses(tx: Transaction, flow_run_ids: Sequence[UUID]) -> list[FlowRunRecord]:
    """Those of these that still are, locked."""
    return [run for run in flow_runs.claim(tx, flow_run_ids, _IS_PAUSED) if _has_expired(run, tx.now)]


def select_stuck(reader: Reader, before: datetime, most: int) -> Sequence[UUID]:
    """At most so many runs that have been being cancelled since before `before`, the oldest first."""
    return reader.execute(_STUCK, {"before": before, "most": most}).scalars().all()


def claim_stuck(tx: Transaction, flow_run_ids: Sequence[UUID], before: datetime) -> list[FlowRunRecord]:
    """Those of these that still are, locked."""
    return flow_runs.claim(tx, flow_run_ids, _IS_STUCK, before=before)


def select_left_behind(reader: Reader, most: int) -> Sequence[UUID]:
    """At most so many runs that go on inside a run that was cancelled."""
    return reader.execute(_LEFT_BEHIND, {"most": most}).scalars().all()


def claim_left_behind(tx: Transaction, flow_run_ids: Sequence[UUID]) -> list[FlowRunRecord]:
    """Those of these that still do, locked."""
    return flow_runs.claim(tx, flow_run_ids, _IS_LEFT_BEHIND)


def _has_expired(run: FlowRunRecord, now: datetime) -> bool:
    timeout = None if run.state is None else run.state.state_details.pause_timeout
    return timeout is not None and timeout < now
