"""What the community's `prometheus-prefect-exporter` tells, by aggregates instead of by paging the API.

The members of each tuple are that exporter's labels. Flow runs are those of a window until now, so that an index finds
them; of everything there are at most so many rows.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, bindparam, cast, func, type_coerce
from sqlalchemy import select as sql_select

from lightwell.storage.columns import Moment
from lightwell.storage.tables import deployment, flow, flow_run, work_pool, work_queue
from lightwell.storage.transaction import Reader

_NULL = "null"
_SECOND = 1_000_000
_after = bindparam("after", type_=Moment())
_most: BindParameter[int] = bindparam("most")

L = TypeVar("L")


class FlowLabels(NamedTuple):
    """A flow."""

    flow_name: str


class DeploymentLabels(NamedTuple):
    """A deployment."""

    flow_name: str
    is_schedule_active: str
    deployment_name: str
    path: str
    paused: str
    work_pool_name: str
    work_queue_name: str
    status: str
    tags: str


class RunTimeLabels(NamedTuple):
    """The run time of flow runs that have ended."""

    flow_name: str
    deployment_name: str


class RunLabels(NamedTuple):
    """Flow runs in one state."""

    deployment_name: str
    flow_name: str
    state_name: str
    work_queue_name: str


class PoolLabels(NamedTuple):
    """A work pool."""

    is_paused: str
    work_pool_name: str
    type: str
    status: str


class QueueLabels(NamedTuple):
    """A work queue; what the exporter does not find in a list of queues is `null`."""

    is_paused: str
    work_queue_name: str
    priority: str
    type: str
    work_pool_name: str
    status: str
    healthy: str = _NULL
    late_runs_count: str = _NULL
    last_polled: str = _NULL
    health_check_policy_maximum_late_runs: str = _NULL
    health_check_policy_maximum_seconds_since_last_polled: str = _NULL


class Told(NamedTuple, Generic[L]):
    """Values by their labels, and how many there are in all."""

    values: Mapping[L, float]
    total: int


class Names(NamedTuple):
    """Everything; `flow_runs` is how many ended within the window."""

    flows: Told[FlowLabels]
    deployments: Told[DeploymentLabels]
    flow_runs: int
    run_times: Told[RunTimeLabels]
    runs: Told[RunLabels]
    pools: Told[PoolLabels]
    queues: Told[QueueLabels]


def _limited(statement: Select[Any], *order: ColumnElement[Any]) -> Select[Any]:
    """Its first rows, each with the number of all rows as its last column."""
    return statement.add_columns(func.count().over()).order_by(*order).limit(_most)


_FLOWS = _limited(sql_select(flow.c.name), flow.c.updated.desc())
_DEPLOYMENTS = _limited(
    sql_select(
        flow.c.name,
        deployment.c.paused,
        deployment.c.name,
        deployment.c.path,
        work_pool.c.name,
        func.coalesce(work_queue.c.name, deployment.c.work_queue_name),
        deployment.c.status,
        deployment.c.tags,
    )
    .select_from(deployment)
    .join(flow, flow.c.id == deployment.c.flow_id)
    .outerjoin(work_queue, work_queue.c.id == deployment.c.work_queue_id)
    .outerjoin(work_pool, work_pool.c.id == work_queue.c.work_pool_id),
    deployment.c.updated.desc(),
)
ENDED = sql_select(func.count()).select_from(flow_run).where(flow_run.c.end_time > _after)
_of_runs = flow_run.join(flow, flow.c.id == flow_run.c.flow_id).outerjoin(
    deployment, deployment.c.id == flow_run.c.deployment_id
)
# A sum of integers is of another type to PostgreSQL.
_ran = cast(func.sum(type_coerce(flow_run.c.total_run_time, BigInteger)), BigInteger)
RUN_TIMES = _limited(
    sql_select(flow.c.name, deployment.c.name, _ran)
    .select_from(_of_runs)
    .where(flow_run.c.end_time > _after)
    .group_by(flow.c.name, deployment.c.name),
    func.count().desc(),
)
RUNS = _limited(
    sql_select(deployment.c.name, flow.c.name, flow_run.c.state_name, flow_run.c.work_queue_name, func.count())
    .select_from(_of_runs)
    .where(flow_run.c.effective_start_time > _after)
    .group_by(deployment.c.name, flow.c.name, flow_run.c.state_name, flow_run.c.work_queue_name),
    func.count().desc(),
)
_POOLS = _limited(
    sql_select(work_pool.c.is_paused, work_pool.c.name, work_pool.c.type, work_pool.c.status), work_pool.c.name
)
_QUEUES = _limited(
    sql_select(work_queue.c.is_paused, work_queue.c.name, work_queue.c.priority, work_pool.c.name, work_queue.c.status)
    .select_from(work_queue)
    .join(work_pool, work_pool.c.id == work_queue.c.work_pool_id),
    work_pool.c.name,
    work_queue.c.priority,
)


def measure(reader: Reader, window: timedelta, most: int) -> Names:
    """All of it, of each kind at most so many."""
    within = {"after": reader.now - window}
    limits = {"most": most}
    return Names(
        flows=_told(reader.execute(_FLOWS, limits).all(), lambda name: (FlowLabels(name), 1)),
        deployments=_told(reader.execute(_DEPLOYMENTS, limits).all(), _deployment),
        flow_runs=reader.execute(ENDED, within).scalar_one(),
        run_times=_told(reader.execute(RUN_TIMES, within | limits).all(), _run_time),
        runs=_told(reader.execute(RUNS, within | limits).all(), _run),
        pools=_told(reader.execute(_POOLS, limits).all(), _pool),
        queues=_told(reader.execute(_QUEUES, limits).all(), _queue),
    )


def _told(rows: Sequence[Any], read: Any) -> Told[Any]:
    return Told(dict(read(*row[:-1]) for row in rows), rows[0][-1] if rows else 0)


def _deployment(
    flow_name: str,
    paused: bool,  # noqa: FBT001
    name: str,
    path: str | None,
    pool: str | None,
    queue: str | None,
    status: str,
    tags: Sequence[str],
) -> tuple[DeploymentLabels, float]:
    active, labels = str(not paused), ",".join(sorted(tags))
    return DeploymentLabels(flow_name, active, name, str(path), str(paused), str(pool), str(queue), status, labels), 1


def _run_time(flow_name: str, deployment_name: str | None, ran: int) -> tuple[RunTimeLabels, float]:
    return RunTimeLabels(flow_name, deployment_name or _NULL), ran / _SECOND


def _run(
    deployment_name: str | None, flow_name: str, state_name: str | None, queue: str | None, number: int
) -> tuple[RunLabels, float]:
    return RunLabels(deployment_name or _NULL, flow_name, str(state_name), str(queue)), number


def _pool(paused: bool, name: str, kind: str, status: str) -> tuple[PoolLabels, float]:  # noqa: FBT001 -- a column
    return PoolLabels(str(paused), name, kind, status), 0 if paused else 1


def _queue(
    paused: bool,  # noqa: FBT001 -- a column
    name: str,
    priority: int,
    pool: str,
    status: str,
) -> tuple[QueueLabels, float]:
    return QueueLabels(str(paused), name, str(priority), _NULL, pool, status), 0 if paused else 1
