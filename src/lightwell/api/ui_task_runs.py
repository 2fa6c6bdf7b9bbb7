"""What pages ask about task runs."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Body

from lightwell.api.dependencies import Call, router_for
from lightwell.api.task_runs import TaskRunId
from lightwell.contract.queries import RunFilters, TaskRunDashboardQuery
from lightwell.contract.states import CountByState
from lightwell.contract.ui import TaskRunCount, UITaskRun
from lightwell.errors import Invalid
from lightwell.storage import task_run_figures, task_runs
from lightwell.storage.filters.related import criteria_of

router = router_for("/ui/task_runs", "Task Runs", "UI")

_SPANS = 20


@router.post("/dashboard/counts")
async def read_dashboard_task_run_counts(query: TaskRunDashboardQuery, call: Call) -> list[TaskRunCount]:
    """Task runs that have ended, well or not, in twenty equal spans of time."""
    started = query.task_runs.start_time
    if started is None or started.after_ is None:
        message = "task_runs.start_time.after_ is required"
        raise Invalid(message)
    start = started.after_.replace(second=0, microsecond=0)
    end = _end_of_minute(started.before_ or call.here.clock.now())
    return await call.db.read(task_run_figures.count_ended, start=start, end=end, spans=_SPANS, **criteria_of(query))


def _end_of_minute(instant: datetime) -> datetime:
    start = instant.replace(second=0, microsecond=0)
    return min(start, datetime.max.replace(tzinfo=UTC) - timedelta(minutes=1)) + timedelta(
        seconds=59, microseconds=999_999
    )


@router.post("/count")
async def read_task_run_counts_by_state(
    call: Call, query: Annotated[RunFilters, Body(default_factory=RunFilters)]
) -> CountByState:
    """How many task runs are in a state of each type."""
    return await call.db.read(task_run_figures.count_by_state, **criteria_of(query))


@router.get("/{id:uuid}")
async def read_task_run_with_flow_run_name(task_run_id: TaskRunId, call: Call) -> UITaskRun:
    """One task run, with the name of its flow run."""
    return await call.db.read(task_runs.read_with_flow_run_name, task_run_id)
