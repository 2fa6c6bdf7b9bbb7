"""Flow runs: made, found, changed and moved from state to state; what belongs to one is in `flow_run_parts.py`."""

from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Body, Path, Response

from lightwell.api.dependencies import Call, page_size, router_for
from lightwell.api.pages import Page
from lightwell.contract.flow_runs import (
    FlowRunBulkDelete,
    FlowRunBulkDeleted,
    FlowRunBulkSetState,
    FlowRunCreate,
    FlowRunPage,
    FlowRunResponse,
    FlowRunResume,
    FlowRunUpdate,
)
from lightwell.contract.history import HistoryInterval
from lightwell.contract.orchestration import FlowRunBulkStateSet, OrchestrationResult, SetState
from lightwell.contract.queries import FlowRunFilters, FlowRunHistoryQuery, FlowRunsPageQuery, FlowRunsQuery
from lightwell.errors import Invalid
from lightwell.operations import flow_run_states, resuming
from lightwell.operations import flow_runs as operations
from lightwell.storage import flow_run_figures, flow_runs
from lightwell.storage.filters.related import criteria_of

router = router_for("/flow_runs", "Flow Runs")

FlowRunId = Annotated[UUID, Path(alias="id", description="The flow run's id")]
STATE_IS_NEW: Final[dict[int | str, dict[str, Any]]] = {
    201: {"model": OrchestrationResult, "description": "The run has a new state"}
}


@router.post("/", responses={201: {"model": FlowRunResponse, "description": "The flow run is new"}})
async def create_flow_run(flow_run: FlowRunCreate, call: Call, response: Response) -> FlowRunResponse:
    """Make a flow run, or find the one of this flow and idempotency key; without a state it is Pending."""
    run, is_new = await call.db.write(operations.create, flow_run, call.here.tuning, call.creator)
    if is_new:
        response.status_code = 201
    return run


@router.patch("/{id:uuid}", status_code=204)
async def update_flow_run(flow_run: FlowRunUpdate, flow_run_id: FlowRunId, call: Call) -> None:
    """Change the members that are sent."""
    await call.db.write(operations.update, flow_run_id, flow_run)


@router.post("/count")
async def count_flow_runs(call: Call, query: Annotated[FlowRunFilters, Body(default_factory=FlowRunFilters)]) -> int:
    """How many flow runs match."""
    return await call.db.read(flow_runs.count, **criteria_of(query))


@router.post("/lateness")
async def average_flow_run_lateness(
    call: Call, query: Annotated[FlowRunFilters, Body(default_factory=FlowRunFilters)]
) -> float | None:
    """How late the flow runs that match are on average, in seconds."""
    return await call.db.read(flow_run_figures.lateness, **criteria_of(query))


@router.post("/history")
async def flow_run_history(query: FlowRunHistoryQuery, call: Call) -> list[HistoryInterval]:
    """Flow runs by state, over equal intervals of time."""
    return await call.db.read(
        flow_run_figures.history,
        start=query.history_start,
        end=query.history_end,
        interval=history_interval(query.history_interval_seconds),
        **criteria_of(query),
    )


def history_interval(seconds: float) -> timedelta:
    """How long the intervals of a history are; raises Invalid in the contract's words."""
    if seconds < 1:
        message = "History interval must not be less than 1 second."
        raise Invalid(message)
    return timedelta(seconds=seconds)


@router.get("/{id:uuid}")
async def read_flow_run(flow_run_id: FlowRunId, call: Call) -> FlowRunResponse:
    """One flow run."""
    return await call.db.read(flow_runs.read, flow_run_id)


@router.post("/filter")
async def read_flow_runs(
    call: Call, query: Annotated[FlowRunsQuery, Body(default_factory=FlowRunsQuery)]
) -> list[FlowRunResponse]:
    """The flow runs that match."""
    limit = page_size(query.limit, call.here.default_limit)
    return await call.db.read(flow_runs.select, sort=query.sort, limit=limit, offset=query.offset, **criteria_of(query))


@router.post("/paginate")
async def paginate_flow_runs(
    call: Call, query: Annotated[FlowRunsPageQuery, Body(default_factory=FlowRunsPageQuery)]
) -> FlowRunPage:
    """One page of the flow runs that match."""
    page = Page(page_size(query.limit, call.here.default_limit), query.page)
    results, count = await call.db.read(page.read, flow_runs.select, flow_runs.count, query.sort, criteria_of(query))
    return FlowRunPage(results=results, **page.described(count))


@router.delete("/{id:uuid}", status_code=204)
async def delete_flow_run(flow_run_id: FlowRunId, call: Call) -> None:
    """Delete a flow run with all that belongs to it; its log lines go a little later."""
    await call.db.write(operations.delete, flow_run_id)


@router.post("/bulk_delete")
async def bulk_delete_flow_runs(
    call: Call, query: Annotated[FlowRunBulkDelete, Body(default_factory=FlowRunBulkDelete)]
) -> FlowRunBulkDeleted:
    """Delete flow runs that match."""
    return FlowRunBulkDeleted(
        deleted=list(await call.db.write(operations.delete_matching, query.flow_runs, query.limit))
    )


@router.post("/{id:uuid}/set_state", responses=STATE_IS_NEW)
async def set_flow_run_state(
    proposal: SetState,
    flow_run_id: FlowRunId,
    call: Call,
    response: Response,
) -> OrchestrationResult:
    """Propose a state; the answer says what came of it."""
    asked_at = call.here.clock.now()
    result = await call.db.write(
        flow_run_states.set_state,
        flow_run_id,
        proposal.state,
        call.here.tuning,
        force=proposal.force,
        client_version=call.client_version,
    )
    if result.state is not None and result.state.timestamp >= asked_at:
        response.status_code = 201
    return result


@router.post("/bulk_set_state")
async def bulk_set_flow_run_state(proposal: FlowRunBulkSetState, call: Call) -> FlowRunBulkStateSet:
    """Propose a state for all flow runs that match."""
    results = await call.db.write(
        flow_run_states.set_state_of_matching,
        proposal.flow_runs,
        proposal.state,
        call.here.tuning,
        limit=proposal.limit,
        force=proposal.force,
        client_version=call.client_version,
    )
    return FlowRunBulkStateSet(results=list(results))


@router.post("/{id:uuid}/resume", responses=STATE_IS_NEW)
async def resume_flow_run(
    flow_run_id: FlowRunId,
    call: Call,
    response: Response,
    body: Annotated[FlowRunResume, Body(default_factory=FlowRunResume)],
) -> OrchestrationResult:
    """Let a paused flow run go on, with the input that it waits for."""
    asked_at = call.here.clock.now()
    result = await call.db.write(
        resuming.resume, flow_run_id, body.run_input, call.here.tuning, client_version=call.client_version
    )
    if result.state is not None and result.state.timestamp >= asked_at:
        response.status_code = 201
    return result
