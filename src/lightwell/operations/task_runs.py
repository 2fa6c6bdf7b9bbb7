"""Making, changing and deleting task runs; their states are in `task_run_states.py`."""

from typing import Any
from uuid import UUID

from lightwell.contract.states import StateCreate, StateType
from lightwell.contract.task_runs import TaskRun, TaskRunCreate, TaskRunUpdate
from lightwell.errors import NotFound
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.operations.task_run_states import begin
from lightwell.orchestration.proposals import propose
from lightwell.orchestration.transition import Tuning
from lightwell.storage import flow_runs, leases, task_runs
from lightwell.storage.transaction import Transaction

_FIRST_STATE = StateCreate(type=StateType.PENDING)


@operation
def create(tx: Transaction, proposed: TaskRunCreate, tuning: Tuning) -> tuple[TaskRun, bool]:
    """The task run of these keys, and whether it was made now, in its first state; Conflict without its flow run."""
    labels: dict[str, Any] = dict(proposed.labels or {})
    if proposed.flow_run_id is not None and (around := flow_runs.find(tx, proposed.flow_run_id)) is not None:
        labels = {
            **(around.labels or {}),
            "prefect.flow.id": str(around.flow_id),
            "prefect.flow-run.id": str(around.id),
            **labels,
        }
    values = {
        **proposed.model_dump(exclude={"state", "labels"}),
        "id": proposed.id or tuning.new_id(),
        "task_inputs": proposed.model_dump(mode="json", include={"task_inputs"})["task_inputs"],
        "labels": labels,
    }
    annotate(task_run_id=values["id"], flow_run_id=proposed.flow_run_id)
    state = propose(proposed.state or _FIRST_STATE, tx.now, tuning.new_id)
    record = begin(tx, values, state, tuning)
    if record is not None:
        return task_runs.response(record, tx.now), True
    existing = task_runs.find_by_keys(tx, proposed.flow_run_id, proposed.task_key, proposed.dynamic_key)
    if existing is None:
        existing = task_runs.get(tx, values["id"])
    return task_runs.response(existing, tx.now), False


@operation
def update(tx: Transaction, task_run_id: UUID, changes: TaskRunUpdate) -> None:
    """Change the members that were sent; raises NotFound."""
    annotate(task_run_id=task_run_id)
    task_runs.update(tx, task_run_id, changes)


@operation
def delete(tx: Transaction, task_run_id: UUID) -> None:
    """Delete a task run with its states, and give back its slots; raises NotFound."""
    annotate(task_run_id=task_run_id)
    leases.release_holders(tx, "task_run", [task_run_id])
    if not task_runs.delete(tx, [task_run_id]):
        raise NotFound("task_run", detail="Task not found")
