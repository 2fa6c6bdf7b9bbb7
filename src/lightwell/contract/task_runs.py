"""Task runs: what a client asks for, what the server answers, and how they are filtered and sorted.

Bodies that combine filters of several resources are in `queries.py`, verdicts in `orchestration.py`.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from lightwell.contract.filter_shapes import (
    Criteria,
    IdAny,
    NameFilter,
    NullableTimeFilter,
    TagsFilter,
    TextAny,
    TimeFilter,
)
from lightwell.contract.model import Input, Instant, Model
from lightwell.contract.policies import TaskRunPolicy
from lightwell.contract.states import State, StateCreate, StateDetails, StateType
from lightwell.contract.values import Int32, JsonValue, Labels, Prose, RunName, Text
from lightwell.kit.slugs import new_slug

MAX_CACHE_KEY_LENGTH = 2000
"""How many characters a cache key may have."""


class TaskRunResult(Model):
    """The input is the result of a task run."""

    input_type: Literal["task_run"] = "task_run"
    id: UUID


class FlowRunResult(Model):
    """The input is the result of a flow run."""

    input_type: Literal["flow_run"] = "flow_run"
    id: UUID


class Parameter(Model):
    """The input is a parameter of the flow run."""

    input_type: Literal["parameter"] = "parameter"
    name: Text


class Constant(Model):
    """The input is a constant of this type."""

    input_type: Literal["constant"] = "constant"
    type: Text


RunTime = Annotated[timedelta, Field(ge=timedelta(days=-365_250), le=timedelta(days=365_250))]
"""How long something ran, as a client has it: within a thousand years, so that sums of it can be kept."""

TaskInput = Annotated[TaskRunResult | FlowRunResult | Parameter | Constant, Field(union_mode="left_to_right")]
"""Where an input of a task run comes from; `input_type` tells, and where it is absent the members do."""


class TaskRunCreate(Input):
    """A task run to find by flow run, task key and dynamic key, or to make."""

    id: UUID | None = None
    state: StateCreate | None = None
    name: RunName = Field(default_factory=new_slug)
    flow_run_id: UUID | None = None
    task_key: Text
    dynamic_key: Text
    cache_key: Annotated[Text, Field(max_length=MAX_CACHE_KEY_LENGTH)] | None = None
    cache_expiration: Instant | None = None
    task_version: Text | None = None
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    tags: list[Text] = Field(default_factory=list)
    labels: Labels | None = Field(default_factory=dict)
    task_inputs: dict[Text, list[TaskInput]] = Field(default_factory=dict)


class TaskRunUpdate(Input):
    """What may change of a task run."""

    name: RunName = Field(default_factory=new_slug)


class ReportedState(Model):
    """The state of a task run as the client tells it in an event; the event's id and time are the state's."""

    type: StateType
    name: Text | None = None
    message: Prose | None = None
    data: JsonValue | None = None
    state_details: StateDetails = Field(default_factory=StateDetails)


class ReportedTaskRun(Model):
    """A task run as the client tells it in an event; what it did not tell (`model_fields_set`) stays as it is."""

    name: RunName = Field(default_factory=new_slug)
    task_key: Text
    dynamic_key: Text
    cache_key: Annotated[Text, Field(max_length=MAX_CACHE_KEY_LENGTH)] | None = None
    cache_expiration: Instant | None = None
    task_version: Text | None = None
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    tags: list[Text] = Field(default_factory=list)
    labels: Labels | None = Field(default_factory=dict)
    task_inputs: dict[Text, list[TaskInput]] = Field(default_factory=dict)
    run_count: Int32 = 0
    flow_run_run_count: Int32 = 0
    expected_start_time: Instant | None = None
    next_scheduled_start_time: Instant | None = None
    start_time: Instant | None = None
    end_time: Instant | None = None
    total_run_time: RunTime = timedelta(0)


class TaskRunReport(Model):
    """The payload of a `prefect.task-run.*` event that the client sends: the run, and the state that it is in now."""

    task_run: ReportedTaskRun
    validated_state: ReportedState


class TaskRun(Model):
    """A task run with its state."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    name: str
    flow_run_id: UUID | None = None
    task_key: str
    dynamic_key: str
    cache_key: str | None = None
    cache_expiration: Instant | None = None
    task_version: str | None = None
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    tags: list[str] = Field(default_factory=list)
    labels: Labels | None = Field(default_factory=dict)
    state_id: UUID | None = None
    task_inputs: dict[Text, list[TaskInput]] = Field(default_factory=dict)
    state_type: StateType | None = None
    state_name: str | None = None
    run_count: int = 0
    flow_run_run_count: int = 0
    expected_start_time: Instant | None = None
    next_scheduled_start_time: Instant | None = None
    start_time: Instant | None = None
    end_time: Instant | None = None
    total_run_time: timedelta = timedelta(0)
    estimated_run_time: timedelta = timedelta(0)
    estimated_start_time_delta: timedelta = timedelta(0)
    state: State | None = None


class TaskRunSummary(Model):
    """A task run as pages list it: without its keys of orchestration."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    name: str
    flow_run_id: UUID | None = None
    task_key: str
    state_id: UUID | None = None
    state: State | None = None
    task_version: str | None = None
    task_inputs: dict[Text, list[TaskInput]] = Field(default_factory=dict)
    empirical_policy: TaskRunPolicy = Field(default_factory=TaskRunPolicy)
    tags: list[str] = Field(default_factory=list)
    start_time: Instant | None = None
    end_time: Instant | None = None
    total_run_time: timedelta = timedelta(0)
    estimated_run_time: timedelta = timedelta(0)
    estimated_start_time_delta: timedelta = timedelta(0)


class TaskRunPage(Model):
    """One page of task runs; `count` is of all pages."""

    results: list[TaskRunSummary]
    count: int
    limit: int
    pages: int
    page: int


class TaskRunSort(StrEnum):
    """In which order task runs are listed."""

    ID_DESC = "ID_DESC"
    EXPECTED_START_TIME_ASC = "EXPECTED_START_TIME_ASC"
    EXPECTED_START_TIME_DESC = "EXPECTED_START_TIME_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    NEXT_SCHEDULED_START_TIME_ASC = "NEXT_SCHEDULED_START_TIME_ASC"
    END_TIME_DESC = "END_TIME_DESC"


class TaskRunFlowRunFilter(Criteria):
    """The flow run of the task run is one of these; without a list it has one, or with `is_null_` it has none."""

    any_: list[UUID] | None = None
    is_null_: bool | None = False


class TaskRunStateTypeFilter(Input):
    """The type of the state is one of these."""

    any_: list[StateType] | None = None


class TaskRunStateFilter(Criteria):
    """What the state is."""

    type: TaskRunStateTypeFilter | None = None
    name: TextAny | None = None


class TaskRunSubflowFilter(Input):
    """The task run stands for a subflow, or does not."""

    exists_: bool | None = None


class TaskRunFilter(Criteria):
    """Which task runs."""

    id: IdAny | None = None
    name: NameFilter | None = None
    tags: TagsFilter | None = None
    state: TaskRunStateFilter | None = None
    start_time: NullableTimeFilter | None = None
    end_time: NullableTimeFilter | None = None
    expected_start_time: TimeFilter | None = None
    subflow_runs: TaskRunSubflowFilter | None = None
    flow_run_id: TaskRunFlowRunFilter | None = None
