"""What a fact says of a flow run: the run itself, and what it belongs to."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lightwell.events.flow_runs import Companion, FlowRunSubject
from lightwell.storage import deployments, task_runs, work_queues
from lightwell.storage.flow_runs import FlowRunRecord
from lightwell.storage.transaction import Reader

_CREATORS = {"DEPLOYMENT": "deployment", "AUTOMATION": "automation"}


def subject_of(reader: Reader, run: FlowRunRecord, run_count: int) -> FlowRunSubject:
    """The run as a fact names it, with the run count that it has by now."""
    return FlowRunSubject(
        id=run.id,
        name=run.name,
        run_count=run_count,
        tags=run.tags,
        companions=_companions(reader, run),
        creator=_creator(run.created_by),
    )


def _companions(reader: Reader, run: FlowRunRecord) -> list[Companion]:
    found = [Companion(kind="flow", id=run.flow_id, name=run.flow_name, tags=run.flow_tags)]
    if run.deployment_id is not None and (deployment := deployments.find(reader, run.deployment_id)) is not None:
        found.append(Companion(kind="deployment", id=deployment.id, name=deployment.name, tags=deployment.tags))
    if run.work_queue_id is not None and (queue := work_queues.find(reader, run.work_queue_id)) is not None:
        found.append(Companion(kind="work-queue", id=queue.id, name=queue.name))
        labels = {"prefect.work-pool.type": queue.pool_type}
        found.append(Companion(kind="work-pool", id=queue.pool_id, name=queue.pool_name, labels=labels))
    if run.parent_task_run_id is not None:
        parent = task_runs.find(reader, run.parent_task_run_id)
        if parent is not None:
            found.append(Companion(kind="task-run", id=parent.id, name=parent.name, tags=parent.tags))
    return found


def _creator(created_by: Mapping[str, Any] | None) -> tuple[str, UUID, str | None] | None:
    kind = _CREATORS.get(created_by.get("type") or "") if created_by else None
    if created_by is None or kind is None or not created_by.get("id"):
        return None
    return kind, UUID(created_by["id"]), created_by.get("display_value")
