"""What pages ask about flows."""

from uuid import UUID

from lightwell.api.dependencies import Call, router_for
from lightwell.contract.queries import FlowIds
from lightwell.contract.ui import SimpleNextFlowRun
from lightwell.storage import deployments, flow_run_figures

router = router_for("/ui/flows", "Flows", "UI")


@router.post("/count-deployments")
async def count_deployments_by_flow(query: FlowIds, call: Call) -> dict[UUID, int]:
    """How many deployments each flow has."""
    return await call.db.read(deployments.count_by_flow, query.flow_ids)


@router.post("/next-runs")
async def next_runs_by_flow(query: FlowIds, call: Call) -> dict[UUID, SimpleNextFlowRun | None]:
    """The run of each flow that is due first."""
    return await call.db.read(flow_run_figures.next_by_flow, query.flow_ids)
