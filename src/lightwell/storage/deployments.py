"""Rows of deployments, as far as runs of them care."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func
from sqlalchemy import select as sql_select

from lightwell.errors import NotFound
from lightwell.storage.filters.dialects import is_one_of
from lightwell.storage.tables import deployment, work_pool, work_queue
from lightwell.storage.transaction import Reader


class DeploymentRecord(NamedTuple):
    """What a flow run needs to know of its deployment; JSON columns as plain values."""

    id: UUID
    name: str
    flow_id: UUID
    version: str | None
    paused: bool
    tags: list[str]
    labels: dict[str, Any] | None
    concurrency_limit_id: UUID | None
    concurrency_options: dict[str, Any] | None
    job_variables: dict[str, Any]
    work_queue_id: UUID | None
    work_queue_name: str | None
    work_pool_id: UUID | None
    work_pool_name: str | None


_COLUMNS = [deployment.c[name] for name in DeploymentRecord._fields[:-3]]
_BY_ID = (
    sql_select(*_COLUMNS, work_queue.c.name, work_pool.c.id, work_pool.c.name)
    .select_from(
        deployment.outerjoin(work_queue, work_queue.c.id == deployment.c.work_queue_id).outerjoin(
            work_pool, work_pool.c.id == work_queue.c.work_pool_id
        )
    )
    .where(deployment.c.id == bindparam("deployment_id"))
)


def find(reader: Reader, deployment_id: UUID) -> DeploymentRecord | None:
    """A deployment by its id, or None."""
    row = reader.execute(_BY_ID, {"deployment_id": deployment_id}).one_or_none()
    return None if row is None else DeploymentRecord._make(row)


def get(reader: Reader, deployment_id: UUID) -> DeploymentRecord:
    """The same as `find`; raises NotFound."""
    found = find(reader, deployment_id)
    if found is None:
        raise NotFound("deployment")
    return found


def count_by_flow(reader: Reader, flow_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many deployments each flow has."""
    statement = (
        sql_select(deployment.c.flow_id, func.count())
        .where(is_one_of(deployment.c.flow_id, flow_ids))
        .group_by(deployment.c.flow_id)
    )
    return dict.fromkeys(flow_ids, 0) | {key: int(number) for key, number in reader.execute(statement)}
