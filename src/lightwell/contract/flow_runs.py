"""Flow runs: what a client asks for, what the server answers, and how they are filtered and sorted.

Bodies that combine filters of several resources are in `queries.py`, verdicts in `orchestration.py`.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from lightwell.contract.filter_shapes import (
    AnyTagsFilter,
    Criteria,
    IdFilter,
    NameFilter,
    NullableIdFilter,
    NullableTextFilter,
    NullableTimeFilter,
    TextAny,
    TextFilter,
    TimeFilter,
)
from lightwell.contract.model import Envelope, Input, Instant, Model
from lightwell.contract.policies import FlowRunPolicy
from lightwell.contract.states import State, StateCreate, StateType
from lightwell.contract.values import JsonObject, Labels, NewRunName, Parameters, Prose, RunName, Text
from lightwell.kit.slugs import new_slug

MAX_BULK = 50
"""How many runs one bulk operation touches at most."""

BulkLimit = Annotated[int, Field(ge=1, le=MAX_BULK)]
"""How many runs a bulk operation touches at most."""


class CreatedBy(Model):
    """Who made a flow run."""

    id: UUID | None = None
    type: str | None = None
    display_value: Prose | None = None


class FlowRunCreate(Input):
    """A flow run to make; its name, where it has none, is two random words."""

    name: RunName = Field(default_factory=new_slug)
    flow_id: UUID
    state: StateCreate | None = None
    flow_version: Text | None = None
    parameters: Parameters = Field(default_factory=dict)
    context: JsonObject = Field(default_factory=dict)
    parent_task_run_id: UUID | None = None
    infrastructure_document_id: UUID | None = None
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[Text] = Field(default_factory=list)
    labels: Labels | None = Field(default_factory=dict)
    idempotency_key: Text | None = None
    work_pool_name: Text | None = None
    work_queue_name: Text | None = None
    job_variables: JsonObject | None = None
    deployment_id: UUID | None = Field(default=None, json_schema_extra={"deprecated": True})


class FlowRunUpdate(Input):
    """What may change of a flow run; members that were not sent (`model_fields_set`) stay as they are."""

    name: NewRunName = None
    flow_version: Text | None = None
    parameters: Parameters = Field(default_factory=dict)
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[Text] = Field(default_factory=list)
    infrastructure_pid: Text | None = None
    job_variables: JsonObject | None = None


class FlowRunResponse(Model):
    """A flow run with its state."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    name: str
    flow_id: UUID
    state_id: UUID | None = None
    deployment_id: UUID | None = None
    deployment_version: str | None = None
    work_queue_id: UUID | None = None
    work_queue_name: str | None = None
    flow_version: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    empirical_policy: FlowRunPolicy = Field(default_factory=FlowRunPolicy)
    tags: list[str] = Field(default_factory=list)
    labels: Labels = Field(default_factory=dict)
    parent_task_run_id: UUID | None = None
    state_type: StateType | None = None
    state_name: str | None = None
    run_count: int = 0
    expected_start_time: Instant | None = None
    next_scheduled_start_time: Instant | None = None
    start_time: Instant | None = None
    end_time: Instant | None = None
    total_run_time: timedelta = timedelta(0)
    estimated_run_time: timedelta = timedelta(0)
    estimated_start_time_delta: timedelta = timedelta(0)
    auto_scheduled: bool = False
    infrastructure_document_id: UUID | None = None
    infrastructure_pid: str | None = None
    created_by: CreatedBy | None = None
    work_pool_id: UUID | None = None
    work_pool_name: str | None = None
    state: State | None = None
    job_variables: dict[str, Any] | None = None


class FlowRunPage(Model):
    """One page of flow runs; `count` is of all pages."""

    results: list[FlowRunResponse]
    count: int
    limit: int
    pages: int
    page: int


class FlowRunSort(StrEnum):
    """In which order flow runs are listed."""

    ID_DESC = "ID_DESC"
    START_TIME_ASC = "START_TIME_ASC"
    START_TIME_DESC = "START_TIME_DESC"
    EXPECTED_START_TIME_ASC = "EXPECTED_START_TIME_ASC"
    EXPECTED_START_TIME_DESC = "EXPECTED_START_TIME_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"
    NEXT_SCHEDULED_START_TIME_ASC = "NEXT_SCHEDULED_START_TIME_ASC"
    END_TIME_DESC = "END_TIME_DESC"


class FlowRunStateTypeFilter(Input):
    """The type of the state is one of these, and none of those."""

    any_: list[StateType] | None = None
    not_any_: list[StateType] | None = None


class FlowRunStateFilter(Criteria):
    """What the state is."""

    type: FlowRunStateTypeFilter | None = None
    name: TextFilter | None = None


class FlowRunParentFlowRunFilter(Criteria):
    """The flow run is a subflow of one of these."""

    any_: list[UUID] | None = None


class FlowRunCreatedByFilter(Criteria):
    """Who made the flow run."""

    id_: list[UUID] | None = None
    type_: list[Text] | None = None
    is_null_: bool | None = None


class FlowRunFilter(Criteria):
    """Which flow runs."""

    id: IdFilter | None = None
    name: NameFilter | None = None
    tags: AnyTagsFilter | None = None
    deployment_id: NullableIdFilter | None = None
    work_queue_name: NullableTextFilter | None = None
    state: FlowRunStateFilter | None = None
    flow_version: TextAny | None = None
    start_time: NullableTimeFilter | None = None
    end_time: NullableTimeFilter | None = None
    expected_start_time: TimeFilter | None = None
    next_scheduled_start_time: TimeFilter | None = None
    parent_flow_run_id: FlowRunParentFlowRunFilter | None = None
    parent_task_run_id: NullableIdFilter | None = None
    idempotency_key: TextFilter | None = None
    created_by: FlowRunCreatedByFilter | None = None


class FlowRunBulkDelete(Envelope):
    """Which flow runs to delete."""

    flow_runs: FlowRunFilter | None = None
    limit: BulkLimit = MAX_BULK


class FlowRunBulkDeleted(Model):
    """The flow runs that were deleted."""

    deleted: list[UUID] = Field(default_factory=list)


class FlowRunBulkSetState(Envelope):
    """A state for many flow runs; `force` skips orchestration."""

    flow_runs: FlowRunFilter | None = None
    state: StateCreate
    force: bool = False
    limit: BulkLimit = MAX_BULK


class FlowRunResume(Envelope):
    """The input that a paused flow run waits for."""

    run_input: JsonObject | None = None
