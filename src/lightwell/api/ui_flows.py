"""What pages ask about flows."""

from uuid import UUID

from fastapi import APIRouter

from lightwell.api.dependencies import Db
from lightwell.contract.queries import FlowIds
from lightwell.contract.ui import SimpleNextFlowRun
from lightwell.storage import deployments, flow_run_figures

router = APIRouter(prefix="/ui/flows", tags=["Flows", "UI"])


@router.post("/count-deployments")
async def count_deployments_by_flow(query: FlowIds, db: Db) -> dict[UUID, int]:
    """How many deployments each flow has."""
    return await db.read(deployments.count_by_flow, query.flow_ids)


@router.post("/next-runs")
async def next_runs_by_flow(query: FlowIds, db: Db) -> dict[UUID, SimpleNextFlowRun | None]:
    """The run of each flow that is due first."""
    return await db.read(flow_run_figures.next_by_flow, query.flow_ids)
