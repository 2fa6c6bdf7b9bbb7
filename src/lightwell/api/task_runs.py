"""Task runs; most are reported by events (`streams.py`), these operations are for the others and for reading."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Response

from lightwell.api.dependencies import Call, page_size, router_for
from lightwell.api.flow_runs import STATE_IS_NEW, history_interval
from lightwell.api.pages import Page
from lightwell.contract.history import HistoryInterval
from lightwell.contract.orchestration import OrchestrationResult, SetState
from lightwell.contract.queries import RunFilters, TaskRunHistoryQuery, TaskRunsPageQuery, TaskRunsQuery
from lightwell.contract.task_runs import TaskRun, TaskRunCreate, TaskRunPage, TaskRunUpdate
from lightwell.operations import task_run_states
from lightwell.operations import task_runs as operations
from lightwell.storage import task_run_figures, task_runs
from lightwell.storage.filters.related import criteria_of

router = router_for("/task_runs", "Task Runs")

TaskRunId = Annotated[UUID, Path(alias="id", description="The task run's id")]


@router.post("/", responses={201: {"model": TaskRun, "description": "The task run is new"}})
async def create_task_run(task_run: TaskRunCreate, call: Call, response: Response) -> TaskRun:
    """Make a task run, or find the one of this flow run, task key and dynamic key; without a state it is Pending."""
    run, is_new = await call.db.write(operations.create, task_run, call.here.tuning)
    if is_new:
        response.status_code = 201
    return run


@router.patch("/{id:uuid}", status_code=204)
async def update_task_run(task_run: TaskRunUpdate, task_run_id: TaskRunId, call: Call) -> None:
    """Change the members that are sent."""
    await call.db.write(operations.update, task_run_id, task_run)


@router.post("/count")
async def count_task_runs(call: Call, query: Annotated[RunFilters, Body(default_factory=RunFilters)]) -> int:
    """How many task runs match."""
    return await call.db.read(task_runs.count, **criteria_of(query))


@router.post("/history")
async def task_run_history(query: TaskRunHistoryQuery, call: Call) -> list[HistoryInterval]:
    """Task runs by state, over equal intervals of time."""
    return await call.db.read(
        task_run_figures.history,
        start=query.history_start,
        end=query.history_end,
        interval=history_interval(query.history_interval_seconds),
        **criteria_of(query),
    )


@router.get("/{id:uuid}")
async def read_task_run(task_run_id: TaskRunId, call: Call) -> TaskRun:
    """One task run."""
    return await call.db.read(task_runs.read, task_run_id)


@router.post("/filter")
async def read_task_runs(
    call: Call, query: Annotated[TaskRunsQuery, Body(default_factory=TaskRunsQuery)]
) -> list[TaskRun]:
    """The task runs that match."""
    limit = page_size(query.limit, call.here.default_limit)
    return await call.db.read(task_runs.select, sort=query.sort, limit=limit, offset=query.offset, **criteria_of(query))


@router.post("/paginate")
async def paginate_task_runs(
    call: Call, query: Annotated[TaskRunsPageQuery, Body(default_factory=TaskRunsPageQuery)]
) -> TaskRunPage:
    """One page of the task runs that match."""
    page = Page(page_size(query.limit, call.here.default_limit), query.page)
    results, count = await call.db.read(page.read, task_runs.select, task_runs.count, query.sort, criteria_of(query))
    return TaskRunPage(results=[task_runs.summary(run) for run in results], **page.described(count))


@router.delete("/{id:uuid}", status_code=204)
async def delete_task_run(task_run_id: TaskRunId, call: Call) -> None:
    """Delete a task run with its states; its log lines go a little later."""
    await call.db.write(operations.delete, task_run_id)


@router.post("/{id:uuid}/set_state", responses=STATE_IS_NEW)
async def set_task_run_state(
    proposal: SetState, task_run_id: TaskRunId, call: Call, response: Response
) -> OrchestrationResult:
    """Propose a state; the answer says what came of it."""
    asked_at = call.here.clock.now()
    result = await call.db.write(
        task_run_states.set_state, task_run_id, proposal.state, call.here.tuning, force=proposal.force
    )
    if result.state is not None and result.state.timestamp >= asked_at:
        response.status_code = 201
    return result
