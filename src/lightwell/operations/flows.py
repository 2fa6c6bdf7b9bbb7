"""Making, changing and deleting flows."""

from collections.abc import Sequence
from uuid import UUID

from lightwell.contract.flows import Flow, FlowCreate, FlowFilter, FlowUpdate
from lightwell.events.flows import flow_changed
from lightwell.instrumentation.operation import operation
from lightwell.storage import flows, leases
from lightwell.storage.transaction import Transaction


@operation
def create(tx: Transaction, proposed: FlowCreate) -> tuple[Flow, bool]:
    """The flow of this name and whether it was made now; one that was there stays as it is."""
    flow, is_new = flows.insert(tx, proposed)
    if is_new:
        tx.emit(flow_changed(flow, "created", tx.now))
    return flow, is_new


@operation
def update(tx: Transaction, flow_id: UUID, changes: FlowUpdate) -> None:
    """Change the members that were sent; raises NotFound."""
    flows.update(tx, flow_id, changes)
    tx.emit(flow_changed(flows.get(tx, flow_id), "updated", tx.now))


@operation
def delete(tx: Transaction, flow_id: UUID) -> None:
    """Delete a flow with its runs and deployments; raises NotFound."""
    flow = flows.get(tx, flow_id)
    _delete(tx, [flow])


@operation
def delete_matching(tx: Transaction, criteria: FlowFilter | None, limit: int) -> Sequence[UUID]:
    """Delete at most `limit` of the flows that match; the ids of those that were deleted."""
    doomed = flows.select(tx, flows=criteria, limit=limit)
    if doomed:
        _delete(tx, doomed)
    return [flow.id for flow in doomed]


def _delete(tx: Transaction, doomed: Sequence[Flow]) -> None:
    flow_ids = [flow.id for flow in doomed]
    leases.release_flows(tx, flow_ids)
    flows.delete(tx, flow_ids)
    for flow in doomed:
        tx.emit(flow_changed(flow, "deleted", tx.now))
