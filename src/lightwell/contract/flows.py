"""Flows: the names under which runs are grouped."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from lightwell.contract.filter_shapes import Criteria, IdFilter, NameFilter, TagsFilter
from lightwell.contract.model import Input, Instant, Model
from lightwell.contract.values import Labels, Name, Text


class FlowCreate(Input):
    """A flow to find by its name, or to make."""

    name: Name
    tags: list[Text] = Field(default_factory=list)
    labels: Labels | None = Field(default_factory=dict)


class FlowUpdate(Input):
    """What may change of a flow."""

    tags: list[Text] = Field(default_factory=list)


class Flow(Model):
    """A flow as it is kept."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    name: str
    tags: list[str] = Field(default_factory=list)
    labels: Labels | None = Field(default_factory=dict)


class FlowPage(Model):
    """One page of flows; `count` is of all pages."""

    results: list[Flow]
    count: int
    limit: int
    pages: int
    page: int


class FlowBulkDeleted(Model):
    """The flows that were deleted."""

    deleted: list[UUID] = Field(default_factory=list)


class FlowSort(StrEnum):
    """In which order flows are listed."""

    CREATED_DESC = "CREATED_DESC"
    UPDATED_DESC = "UPDATED_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"


class FlowDeploymentFilter(Criteria):
    """The flow has no deployment, or has some."""

    is_null_: bool | None = None


class FlowFilter(Criteria):
    """Which flows."""

    id: IdFilter | None = None
    deployment: FlowDeploymentFilter | None = None
    name: NameFilter | None = None
    tags: TagsFilter | None = None
