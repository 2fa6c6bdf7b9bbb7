"""What pages ask about flow runs."""

from typing import Annotated
from uuid import UUID

from fastapi import Body

from lightwell.api.dependencies import Call, router_for
from lightwell.contract.queries import FlowRunIds, FlowRunScatterQuery
from lightwell.contract.ui import SimpleFlowRun
from lightwell.storage import flow_run_figures
from lightwell.storage.filters.related import criteria_of

router = router_for("/ui/flow_runs", "Flow Runs", "UI")


@router.post("/history")
async def read_flow_run_history(
    call: Call, query: Annotated[FlowRunScatterQuery, Body(default_factory=FlowRunScatterQuery)]
) -> list[SimpleFlowRun]:
    """Flow runs as points of a drawing."""
    return await call.db.read(
        flow_run_figures.points, sort=query.sort, limit=query.limit, offset=query.offset, **criteria_of(query)
    )


@router.post("/count-task-runs")
async def count_task_runs_by_flow_run(query: FlowRunIds, call: Call) -> dict[UUID, int]:
    """How many task runs each flow run has."""
    return await call.db.read(flow_run_figures.task_runs_by_flow_run, query.flow_run_ids)
