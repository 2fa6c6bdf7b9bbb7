"""Bodies that combine filters of several resources: what to list, to count or to draw.

A filter that is absent or null says nothing. `limit` null means the server's default; that it is not larger than that
default is for `api` to say, in its own words.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from lightwell.contract.deployments import DeploymentFilter
from lightwell.contract.flow_runs import MAX_BULK, BulkLimit, FlowRunFilter, FlowRunSort
from lightwell.contract.flows import FlowFilter, FlowSort
from lightwell.contract.model import Envelope, Instant
from lightwell.contract.task_runs import TaskRunFilter, TaskRunSort
from lightwell.contract.values import Offset, PageNumber
from lightwell.contract.work_pools import WorkPoolFilter
from lightwell.contract.work_queues import WorkQueueFilter

IntervalSeconds = Annotated[float, Field(le=1e11, json_schema_extra={"format": "time-delta"})]
"""How long each interval of a history is; that it is at least a second is for `api` to say."""


class RunFilters(Envelope):
    """Criteria of runs and of the flow and the deployment that they belong to; all of them hold."""

    flows: FlowFilter | None = None
    flow_runs: FlowRunFilter | None = None
    task_runs: TaskRunFilter | None = None
    deployments: DeploymentFilter | None = None


class FlowFilters(RunFilters):
    """Criteria of flows and of what belongs to them."""

    work_pools: WorkPoolFilter | None = None


class FlowRunFilters(FlowFilters):
    """Criteria of flow runs and of what they belong to."""

    work_pool_queues: WorkQueueFilter | None = None


class FlowsQuery(FlowFilters):
    """Which flows to list."""

    sort: FlowSort = FlowSort.NAME_ASC
    limit: int | None = None
    offset: Offset = 0


class FlowsPageQuery(FlowFilters):
    """Which flows to list, by pages."""

    sort: FlowSort = FlowSort.NAME_ASC
    limit: int | None = None
    page: PageNumber = 1


class FlowBulkDelete(Envelope):
    """Which flows to delete."""

    flows: FlowFilter | None = None
    limit: BulkLimit = MAX_BULK


class FlowRunsQuery(FlowRunFilters):
    """Which flow runs to list."""

    sort: FlowRunSort = FlowRunSort.ID_DESC
    limit: int | None = None
    offset: Offset = 0


class FlowRunsPageQuery(FlowRunFilters):
    """Which flow runs to list, by pages."""

    sort: FlowRunSort = FlowRunSort.ID_DESC
    limit: int | None = None
    page: PageNumber = 1


class TaskRunsQuery(RunFilters):
    """Which task runs to list."""

    sort: TaskRunSort = TaskRunSort.ID_DESC
    limit: int | None = None
    offset: Offset = 0


class TaskRunsPageQuery(RunFilters):
    """Which task runs to list, by pages."""

    sort: TaskRunSort = TaskRunSort.ID_DESC
    limit: int | None = None
    page: PageNumber = 1


class TaskRunHistoryQuery(RunFilters):
    """Which task runs to count, over which time, in intervals of how many seconds."""

    history_start: Instant
    history_end: Instant
    history_interval_seconds: IntervalSeconds


class FlowRunHistoryQuery(FlowFilters):
    """Which flow runs to count, over which time, in intervals of how many seconds."""

    history_start: Instant
    history_end: Instant
    history_interval_seconds: IntervalSeconds
    work_queues: WorkQueueFilter | None = None


class FlowRunScatterQuery(FlowFilters):
    """Which flow runs to draw as points."""

    sort: FlowRunSort = FlowRunSort.EXPECTED_START_TIME_DESC
    limit: Annotated[int, Field(ge=0, le=1000)] = 1000
    offset: Offset = 0


class TaskRunDashboardQuery(FlowFilters):
    """Which task runs to count, in equal spans from `task_runs.start_time.after_` on."""

    task_runs: TaskRunFilter
    work_queues: WorkQueueFilter | None = None


class FlowIds(Envelope):
    """Flows to tell something about, each."""

    flow_ids: list[UUID]


class FlowRunIds(Envelope):
    """Flow runs to tell something about, each."""

    flow_run_ids: list[UUID]
