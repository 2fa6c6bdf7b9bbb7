"""Making, changing and deleting flow runs; their states are in `flow_run_states.py`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from lightwell.contract.flow_runs import CreatedBy, FlowRunCreate, FlowRunFilter, FlowRunResponse, FlowRunUpdate
from lightwell.contract.states import StateCreate, StateType
from lightwell.errors import Conflict, NotFound, Rejected
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.instrumentation.traceparent import LABEL, make_traceparent
from lightwell.operations.flow_run_states import begin
from lightwell.orchestration.proposals import propose
from lightwell.orchestration.transition import Tuning
from lightwell.storage import flow_runs, flows, leases, work_queues
from lightwell.storage.transaction import Transaction

_FIRST_STATE = StateCreate(type=StateType.PENDING)


@operation
def create(
    tx: Transaction, proposed: FlowRunCreate, tuning: Tuning, created_by: CreatedBy | None = None
) -> tuple[FlowRunResponse, bool]:
    """The run of this flow and idempotency key, and whether it was made now, in its first state.

    Raises Conflict when the flow does not exist, NotFound for a work pool or queue.
    """
    flow = flows.find(tx, proposed.flow_id)
    if flow is None:
        message = "The flow of the flow run does not exist"
        raise Conflict(message, constraint="fk_flow_run__flow_id")
    queue_id = None
    if proposed.work_pool_name:
        queue_id = work_queues.get_id(tx, proposed.work_pool_name, proposed.work_queue_name)
    values: dict[str, Any] = {
        **proposed.model_dump(exclude={"state", "labels", "work_pool_name"}),
        "id": tuning.new_id(),
        "labels": {
            LABEL: make_traceparent(),
            **(flow.labels or {}),
            "prefect.flow.id": str(flow.id),
            **(proposed.labels or {}),
        },
        "work_queue_id": queue_id,
        "created_by": None if created_by is None else created_by.model_dump(mode="json"),
    }
    annotate(flow_run_id=values["id"], flow_id=flow.id)
    state = propose(proposed.state or _FIRST_STATE, tx.now, tuning.new_id)
    record = begin(tx, flow, values, state, tuning)
    if record is not None:
        return flow_runs.response(record, tx.now), True
    existing = flow_runs.find_by_key(tx, proposed.flow_id, proposed.idempotency_key or "")
    if existing is None:
        raise NotFound("flow_run")
    return flow_runs.response(existing, tx.now), False


@operation
def update(tx: Transaction, flow_run_id: UUID, changes: FlowRunUpdate) -> None:
    """Change the members that were sent; raises NotFound, and Rejected for job variables that are too late."""
    annotate(flow_run_id=flow_run_id)
    if changes.job_variables is not None:
        _check_job_variables(tx, flow_run_id)
    sent = changes.model_fields_set - ({"name"} if changes.name is None else set())
    flow_runs.update(tx, flow_run_id, changes.model_dump(include=sent))


def _check_job_variables(tx: Transaction, flow_run_id: UUID) -> None:
    run = flow_runs.find(tx, flow_run_id, lock=True)
    if run is None:
        raise NotFound("flow_run")
    if run.state_type != StateType.SCHEDULED:
        message = f"Job variables for a flow run in state {run.state_type} cannot be updated"
        raise Rejected(message)
    if run.deployment_id is None:
        message = "A deployment for the flow run could not be found"
        raise Rejected(message)


@operation
def patch_labels(tx: Transaction, flow_run_id: UUID, labels: Mapping[str, Any]) -> None:
    """Add labels, or replace those of the same key; raises NotFound."""
    annotate(flow_run_id=flow_run_id)
    run = flow_runs.get(tx, flow_run_id, lock=True)
    flow_runs.update(tx, flow_run_id, {"labels": {**(run.labels or {}), **labels}})


@operation
def delete(tx: Transaction, flow_run_id: UUID) -> None:
    """Delete a run with its states, task runs and inputs, and give back its slots; raises NotFound."""
    annotate(flow_run_id=flow_run_id)
    if not _delete(tx, [flow_run_id]):
        raise NotFound("flow_run")


@operation
def delete_matching(tx: Transaction, criteria: FlowRunFilter | None, limit: int) -> Sequence[UUID]:
    """Delete at most `limit` of the runs that match; the ids of those that were deleted."""
    doomed = flow_runs.select_ids(tx, limit=limit, flow_runs=criteria)
    if doomed:
        _delete(tx, doomed)
    return doomed


def _delete(tx: Transaction, flow_run_ids: Sequence[UUID]) -> int:
    leases.release_holders(tx, "flow_run", flow_run_ids)
    return flow_runs.delete(tx, flow_run_ids)
