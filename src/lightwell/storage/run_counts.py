"""How many runs there are, state by state, and which of them wait: for metrics, not for answers.

Each query reads an index, or the runs that are due: none reads rows of runs that have ended.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from sqlalchemy import BigInteger, and_, bindparam, case, func, or_, type_coerce
from sqlalchemy import select as sql_select

from lightwell.contract.states import StateType
from lightwell.instrumentation.vocabulary.business import LateReason
from lightwell.storage.columns import Moment, to_micros
from lightwell.storage.tables import deployment, flow_run, task_run, work_pool, work_queue
from lightwell.storage.transaction import Reader

POLLING = timedelta(minutes=1)
"""How long after a worker has asked for runs one still counts as asking."""

_SECOND = 1_000_000
_column = flow_run.c
_now = bindparam("now", type_=Moment())
_polled_after = bindparam("polled_after", type_=Moment())
_BY_STATE = {
    "flow_run": sql_select(_column.state_type, func.count()).group_by(_column.state_type),
    "task_run": sql_select(task_run.c.state_type, func.count()).group_by(task_run.c.state_type),
}
_LATER = sql_select(func.count()).select_from(flow_run).where(_column.next_scheduled_start_time > _now)
_REASON = case(
    (_column.state_name == "AwaitingRetry", "awaiting_retry"),
    (work_pool.c.is_paused, "pool_paused"),
    (work_queue.c.is_paused, "queue_paused"),
    (_column.state_name == "AwaitingConcurrencySlot", "awaiting_concurrency_slot"),
    (and_(_column.deployment_id.is_(None), _column.work_queue_id.is_(None)), "no_deployment"),
    (or_(work_queue.c.last_polled >= _polled_after, deployment.c.last_polled >= _polled_after), "late"),
    else_="no_worker_polling",
)
# Inside, because a parameter that stands in GROUP BY, too, is not the same one to PostgreSQL.
_due = (
    sql_select(
        work_pool.c.type.label("pool_type"),
        _REASON.label("reason"),
        case((_column.next_scheduled_start_time <= bindparam("late_before", type_=Moment()), 1), else_=0).label("late"),
        type_coerce(_column.next_scheduled_start_time, BigInteger).label("due"),
    )
    .select_from(flow_run)
    .outerjoin(work_queue, work_queue.c.id == _column.work_queue_id)
    .outerjoin(work_pool, work_pool.c.id == work_queue.c.work_pool_id)
    .outerjoin(deployment, deployment.c.id == _column.deployment_id)
    # Not by their state: most scheduled runs are not due yet, and SQLite would begin with that index.
    .where(
        _column.next_scheduled_start_time <= _now,
        func.coalesce(_column.state_type, "") == StateType.SCHEDULED.value,
    )
    .subquery("due")
)
_OVERDUE = sql_select(_due.c.pool_type, _due.c.reason, _due.c.late, func.count(), func.min(_due.c.due)).group_by(
    _due.c.pool_type, _due.c.reason, _due.c.late
)


class Overdue(NamedTuple):
    """Flow runs that are due, for one reason, in queues of one kind.

    `pool_type` is None for those without a queue; `oldest_age` is in seconds, since the oldest was due.
    """

    pool_type: str | None
    reason: LateReason
    is_late: bool
    number: int
    oldest_age: float


class Scheduled(NamedTuple):
    """How many flow runs wait for their time, and those whose time has come."""

    later: int
    overdue: Sequence[Overdue]


def by_state(reader: Reader, kind: Literal["flow_run", "task_run"]) -> dict[str | None, int]:
    """How many runs are in a state of each type; None for those without a state."""
    return {row[0]: row[1] for row in reader.execute(_BY_STATE[kind])}


def scheduled(reader: Reader, late_after: timedelta) -> Scheduled:
    """The flow runs that wait; late are those that have waited for longer than `late_after`."""
    now = reader.now
    later: int = reader.execute(_LATER, {"now": now}).scalar_one()
    parameters = {"now": now, "late_before": now - late_after, "polled_after": now - POLLING}
    overdue = [
        Overdue(pool_type, reason, bool(is_late), number, (to_micros(now) - oldest) / _SECOND)
        for pool_type, reason, is_late, number, oldest in reader.execute(_OVERDUE, parameters)
    ]
    return Scheduled(later, overdue)
