"""What people and other runs send to a running flow."""

from uuid import UUID

from lightwell.contract.flow_run_inputs import FlowRunInputCreate
from lightwell.errors import Conflict, NotFound
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.storage import flow_run_inputs, flow_runs
from lightwell.storage.transaction import Transaction


@operation
def send(tx: Transaction, flow_run_id: UUID, sent: FlowRunInputCreate) -> None:
    """Keep an input for a run; raises NotFound, and Conflict when it has one under the key."""
    annotate(flow_run_id=flow_run_id)
    if flow_runs.find(tx, flow_run_id) is None:
        raise NotFound("flow_run")
    if flow_run_inputs.find(tx, flow_run_id, sent.key) is not None:
        message = "A flow run input with this key already exists."
        raise Conflict(message, constraint="uq_flow_run_input__flow_run_id_key")
    flow_run_inputs.insert(tx, flow_run_id, sent.key, sent.value, sent.sender)


@operation
def delete(tx: Transaction, flow_run_id: UUID, key: str) -> None:
    """Delete an input; raises NotFound."""
    annotate(flow_run_id=flow_run_id)
    flow_run_inputs.delete(tx, flow_run_id, key)
