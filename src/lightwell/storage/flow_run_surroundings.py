"""What lies around one flow run, for who asks why it is where it is: a statement each, whatever the run's size."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, exists, func
from sqlalchemy import select as sql_select

from lightwell.contract.states import StateType
from lightwell.storage.tables import (
    concurrency_lease,
    deployment,
    event_resource,
    flow_run,
    log,
    task_run,
    task_run_state,
    work_pool,
    work_queue,
)
from lightwell.storage.transaction import Reader


class SignsRecord(NamedTuple):
    """The last event about a run, its last log line, and the last change of one of its task runs."""

    event: datetime | None
    log: datetime | None
    task_run: datetime | None


class FailedTaskRecord(NamedTuple):
    """A task run that failed or crashed, and what its state says."""

    id: UUID
    name: str
    state_name: str
    since: datetime
    message: str | None


class WaitingTaskRecord(NamedTuple):
    """A task run that may wait for slots of its tags."""

    id: UUID
    name: str
    tags: list[str]


class ParentRecord(NamedTuple):
    """The flow run around a run."""

    id: UUID
    name: str
    state_type: str | None
    state_name: str | None
    since: datetime | None


class QueueRecord(NamedTuple):
    """A work queue and its pool."""

    id: UUID
    name: str
    paused: bool
    last_polled: datetime | None
    pool_id: UUID
    pool_name: str
    pool_paused: bool


class DeploymentRecord(NamedTuple):
    """A deployment, who asked for its runs last, and its limit."""

    id: UUID
    name: str
    last_polled: datetime | None
    concurrency_limit_id: UUID | None


_of_run = task_run.c.flow_run_id == bindparam("flow_run_id")
_SIGNS = sql_select(
    sql_select(func.max(event_resource.c.occurred))
    .where(event_resource.c.resource_id == bindparam("resource_id"))
    .scalar_subquery(),
    sql_select(func.max(log.c.timestamp)).where(log.c.flow_run_id == bindparam("flow_run_id")).scalar_subquery(),
    sql_select(func.max(task_run.c.state_timestamp)).where(_of_run).scalar_subquery(),
)
_FAILED_TASKS = (
    sql_select(
        task_run.c.id, task_run.c.name, task_run.c.state_name, task_run.c.state_timestamp, task_run_state.c.message
    )
    .outerjoin(task_run_state, task_run_state.c.id == task_run.c.state_id)
    .where(_of_run, task_run.c.state_type.in_([StateType.FAILED.value, StateType.CRASHED.value]))
    .order_by(task_run.c.state_timestamp, task_run.c.id)
    .limit(bindparam("most"))
)
_NOT_STARTED = (StateType.PENDING.value, StateType.SCHEDULED.value)
_WAITING_TASKS = (
    sql_select(task_run.c.id, task_run.c.name, task_run.c.tags)
    .where(
        _of_run,
        task_run.c.state_type.in_(_NOT_STARTED),
        task_run.c.tags != [],
        ~exists().where(concurrency_lease.c.holder_id == task_run.c.id, concurrency_lease.c.holder_type == "task_run"),
    )
    .order_by(task_run.c.state_timestamp, task_run.c.id)
    .limit(bindparam("most"))
)
_PARENT = (
    sql_select(flow_run.c.id, flow_run.c.name, flow_run.c.state_type, flow_run.c.state_name, flow_run.c.state_timestamp)
    .join(task_run, task_run.c.flow_run_id == flow_run.c.id)
    .where(task_run.c.id == bindparam("parent_task_run_id"))
)
_QUEUE = (
    sql_select(
        work_queue.c.id,
        work_queue.c.name,
        work_queue.c.is_paused,
        work_queue.c.last_polled,
        work_pool.c.id,
        work_pool.c.name,
        work_pool.c.is_paused,
    )
    .join(work_pool, work_pool.c.id == work_queue.c.work_pool_id)
    .where(work_queue.c.id == bindparam("work_queue_id"))
)
_DEPLOYMENT = sql_select(*(deployment.c[name] for name in DeploymentRecord._fields)).where(
    deployment.c.id == bindparam("deployment_id")
)


def signs_of_life(reader: Reader, flow_run_id: UUID) -> SignsRecord:
    """When a run was last heard of, by the clocks of who told it."""
    values = {"flow_run_id": flow_run_id, "resource_id": f"prefect.flow-run.{flow_run_id}"}
    return SignsRecord._make(reader.execute(_SIGNS, values).one())


def failed_tasks(reader: Reader, flow_run_id: UUID, most: int) -> Sequence[FailedTaskRecord]:
    """At most so many of a run's task runs that failed or crashed, those that did so first."""
    rows = reader.execute(_FAILED_TASKS, {"flow_run_id": flow_run_id, "most": most})
    return [FailedTaskRecord._make(row) for row in rows]


def waiting_tasks(reader: Reader, flow_run_id: UUID, most: int) -> Sequence[WaitingTaskRecord]:
    """At most so many of a run's task runs that have tags, have not started and hold no slot, the oldest first."""
    rows = reader.execute(_WAITING_TASKS, {"flow_run_id": flow_run_id, "most": most})
    return [WaitingTaskRecord._make(row) for row in rows]


def find_parent(reader: Reader, parent_task_run_id: UUID) -> ParentRecord | None:
    """The flow run whose task run stands for the run, or None."""
    row = reader.execute(_PARENT, {"parent_task_run_id": parent_task_run_id}).one_or_none()
    return None if row is None else ParentRecord._make(row)


def find_queue(reader: Reader, work_queue_id: UUID) -> QueueRecord | None:
    """A work queue, or None."""
    row = reader.execute(_QUEUE, {"work_queue_id": work_queue_id}).one_or_none()
    return None if row is None else QueueRecord._make(row)


def find_deployment(reader: Reader, deployment_id: UUID) -> DeploymentRecord | None:
    """A deployment, or None."""
    row = reader.execute(_DEPLOYMENT, {"deployment_id": deployment_id}).one_or_none()
    return None if row is None else DeploymentRecord._make(row)
