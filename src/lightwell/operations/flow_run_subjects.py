"""What a fact says of a flow run: the run itself, and what it belongs to."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from lightwell.contract.flows import Flow
from lightwell.events.flow_runs import Companion, FlowRunSubject
from lightwell.storage import deployments, flows, task_runs, work_queues
from lightwell.storage.transaction import Reader

_CREATORS = {"DEPLOYMENT": "deployment", "AUTOMATION": "automation"}


class Run(Protocol):
    """The columns of a flow run that lead to what it belongs to."""

    @property
    def id(self) -> UUID: ...  # noqa: D102 -- a column
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def flow_id(self) -> UUID: ...  # noqa: D102
    @property
    def tags(self) -> list[str]: ...  # noqa: D102
    @property
    def deployment_id(self) -> UUID | None: ...  # noqa: D102
    @property
    def work_queue_id(self) -> UUID | None: ...  # noqa: D102
    @property
    def parent_task_run_id(self) -> UUID | None: ...  # noqa: D102
    @property
    def created_by(self) -> dict[str, Any] | None: ...  # noqa: D102


def subject_of(reader: Reader, run: Run, run_count: int, flow: Flow | None = None) -> FlowRunSubject:
    """The run as a fact names it; what is known already need not be looked up."""
    return FlowRunSubject(
        id=run.id,
        name=run.name,
        run_count=run_count,
        tags=run.tags,
        companions=_companions(reader, run, flow or flows.find(reader, run.flow_id)),
        creator=_creator(run.created_by),
    )


def _companions(reader: Reader, run: Run, flow: Flow | None) -> list[Companion]:
    found: list[Companion] = []
    if flow is not None:
        found.append(Companion(kind="flow", id=flow.id, name=flow.name, tags=flow.tags))
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
