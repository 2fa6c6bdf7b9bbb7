"""Flow runs: made, found, changed and moved from state to state; what belongs to one is in `flow_run_parts.py`."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Response

from lightwell.api.dependencies import ClientVersion, Creator, Db, ServicesHere, page_size
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
from lightwell.operations import flow_run_states, flow_runs as operations
from lightwell.operations import resuming
from lightwell.storage import flow_run_figures, flow_runs
from lightwell.storage.filters.related import criteria_of

router = APIRouter(prefix="/flow_runs", tags=["Flow Runs"])

FlowRunId = Annotated[UUID, Path(alias="id", description="The flow run's id")]
STATE_IS_NEW = {201: {"model": OrchestrationResult, "description": "The run has a new state"}}


@router.post("/", responses={201: {"model": FlowRunResponse, "description": "The flow run is new"}})
async def create_flow_run(
    flow_run: FlowRunCreate, db: Db, here: ServicesHere, creator: Creator, response: Response
) -> FlowRunResponse:
    """Make a flow run, or find the one of this flow and idempotency key; without a state it is Pending."""
    run, is_new = await db.write(operations.create, flow_run, here.tuning, creator)
    if is_new:
        response.status_code = 201
    return run


@router.patch("/{id:uuid}", status_code=204)
async def update_flow_run(flow_run: FlowRunUpdate, flow_run_id: FlowRunId, db: Db) -> None:
    """Change the members that are sent."""
    await db.write(operations.update, flow_run_id, flow_run)


@router.post("/count")
async def count_flow_runs(db: Db, query: Annotated[FlowRunFilters, Body(default_factory=FlowRunFilters)]) -> int:
    """How many flow runs match."""
    return await db.read(flow_run_figures.count, **criteria_of(query))


@router.post("/lateness")
async def average_flow_run_lateness(
    db: Db, query: Annotated[FlowRunFilters, Body(default_factory=FlowRunFilters)]
) -> float | None:
    """How late the flow runs that match are on average, in seconds."""
    return await db.read(flow_run_figures.lateness, **criteria_of(query))


@router.post("/history")
async def flow_run_history(query: FlowRunHistoryQuery, db: Db) -> list[HistoryInterval]:
    """Flow runs by state, over equal intervals of time."""
    return await db.read(
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
async def read_flow_run(flow_run_id: FlowRunId, db: Db) -> FlowRunResponse:
    """One flow run."""
    return await db.read(flow_runs.read, flow_run_id)


@router.post("/filter")
async def read_flow_runs(
    db: Db, here: ServicesHere, query: Annotated[FlowRunsQuery, Body(default_factory=FlowRunsQuery)]
) -> list[FlowRunResponse]:
    """The flow runs that match."""
    limit = page_size(query.limit, here.default_limit)
    return await db.read(flow_runs.select, sort=query.sort, limit=limit, offset=query.offset, **criteria_of(query))


@router.post("/paginate")
async def paginate_flow_runs(
    db: Db, here: ServicesHere, query: Annotated[FlowRunsPageQuery, Body(default_factory=FlowRunsPageQuery)]
) -> FlowRunPage:
    """One page of the flow runs that match."""
    page = Page(page_size(query.limit, here.default_limit), query.page)
    criteria = criteria_of(query)
    results, count = await db.read(page.read, flow_runs.select, flow_run_figures.count, sort=query.sort, **criteria)
    return FlowRunPage(results=results, **page.described(count))


@router.delete("/{id:uuid}", status_code=204)
async def delete_flow_run(flow_run_id: FlowRunId, db: Db) -> None:
    """Delete a flow run with all that belongs to it; its log lines go a little later."""
    await db.write(operations.delete, flow_run_id)


@router.post("/bulk_delete")
async def bulk_delete_flow_runs(
    db: Db, query: Annotated[FlowRunBulkDelete, Body(default_factory=FlowRunBulkDelete)]
) -> FlowRunBulkDeleted:
    """Delete flow runs that match."""
    return FlowRunBulkDeleted(deleted=list(await db.write(operations.delete_matching, query.flow_runs, query.limit)))


@router.post("/{id:uuid}/set_state", responses=STATE_IS_NEW)
async def set_flow_run_state(  # noqa: PLR0913 -- FastAPI's parameters
    proposal: SetState,
    flow_run_id: FlowRunId,
    db: Db,
    here: ServicesHere,
    client_version: ClientVersion,
    response: Response,
) -> OrchestrationResult:
    """Propose a state; the answer says what came of it."""
    asked_at = here.clock.now()
    result = await db.write(
        flow_run_states.set_state,
        flow_run_id,
        proposal.state,
        here.tuning,
        force=proposal.force,
        client_version=client_version,
    )
    if result.state is not None and result.state.timestamp >= asked_at:
        response.status_code = 201
    return result


@router.post("/bulk_set_state")
async def bulk_set_flow_run_state(
    proposal: FlowRunBulkSetState, db: Db, here: ServicesHere, client_version: ClientVersion
) -> FlowRunBulkStateSet:
    """Propose a state for all flow runs that match."""
    results = await db.write(
        flow_run_states.set_state_of_matching,
        proposal.flow_runs,
        proposal.state,
        here.tuning,
        limit=proposal.limit,
        force=proposal.force,
        client_version=client_version,
    )
    return FlowRunBulkStateSet(results=list(results))


@router.post("/{id:uuid}/resume", responses=STATE_IS_NEW)
async def resume_flow_run(  # noqa: PLR0913 -- FastAPI's parameters
    flow_run_id: FlowRunId,
    db: Db,
    here: ServicesHere,
    client_version: ClientVersion,
    response: Response,
    body: Annotated[FlowRunResume, Body(default_factory=FlowRunResume)],
) -> OrchestrationResult:
    """Let a paused flow run go on, with the input that it waits for."""
    asked_at = here.clock.now()
    result = await db.write(
        resuming.resume, flow_run_id, body.run_input, here.tuning, client_version=client_version
    )
    if result.state is not None and result.state.timestamp >= asked_at:
        response.status_code = 201
    return result
