"""Events: what happened to which resources, and which of them somebody wants to see, stored or live.

A resource is its labels, a plain dictionary with `prefect.resource.id`. What the server itself states is catalogued in
`lightwell.events`.
"""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Protocol, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AnyHttpUrl, Field
from pydantic_core import to_json

from lightwell.contract.model import Envelope, Input, Instant, Model
from lightwell.contract.text_search import TextSearchFilter
from lightwell.contract.values import MAX_PATTERNS, JsonObject, Patterns, Text, Unicode, mended

RESOURCE_ID = "prefect.resource.id"
RESOURCE_ROLE = "prefect.resource.role"

MAX_EVENT_NAME_LENGTH = 1024
MAX_LABELS = 500
"""How many labels one resource may have."""
MAX_RELATED = 100
"""How many related resources one event may have."""
MAX_PAGE = 50
"""How many events one page may have."""
LOOK_BACK = timedelta(days=180)
"""How far back a filter looks that does not say since when."""


def _has_id(resource: dict[str, str]) -> dict[str, str]:
    identity = resource.get(RESOURCE_ID)
    if not identity:
        message = f"a resource has a {RESOURCE_ID}, which is not empty"
        raise ValueError(message)
    if "\x00" in "".join((*resource, *resource.values())):
        # Labels are looked into by the database, and PostgreSQL has no place for U+0000 in them.
        return {mended(label): mended(value) for label, value in resource.items()}
    return resource


def _has_role(resource: dict[str, str]) -> dict[str, str]:
    role = resource.get(RESOURCE_ROLE)
    if not role:
        message = f"a related resource has a {RESOURCE_ROLE}, which is not empty"
        raise ValueError(message)
    return resource


Resource = Annotated[dict[Unicode, Unicode], Field(max_length=MAX_LABELS), AfterValidator(_has_id)]
"""What an event is about: its labels, `prefect.resource.id` among them."""

RelatedResource = Annotated[Resource, AfterValidator(_has_role)]
"""What else took part: labels with `prefect.resource.role` as well."""


class Event(Model):
    """An event as a client tells it; `occurred` by its clock."""

    occurred: Instant
    event: Annotated[Text, Field(max_length=MAX_EVENT_NAME_LENGTH)]
    resource: Resource
    related: Annotated[list[RelatedResource], Field(max_length=MAX_RELATED)] = Field(default_factory=list)
    payload: JsonObject = Field(default_factory=dict)
    id: UUID
    follows: UUID | None = None


class ReceivedEvent(Event):
    """An event as it is kept; `received` by the server's clock."""

    received: Instant = Field(default_factory=lambda: datetime.now(UTC))


class EventPage(Model):
    """One page of events; `total` is of all pages, `next_page` a URL to follow."""

    events: list[ReceivedEvent]
    total: int
    next_page: AnyHttpUrl | None


class EventCount(Model):
    """How many events share a value, in the time between."""

    value: str
    label: str
    count: int
    start_time: Instant
    end_time: Instant


class EventLike(Protocol):
    """What filters look at: an event of the wire, or a fact of this process."""

    @property
    def id(self) -> UUID:
        """Its identifier."""
        ...

    @property
    def occurred(self) -> datetime:
        """When it happened, in UTC."""
        ...

    @property
    def event(self) -> str:
        """Its name."""
        ...

    @property
    def resource(self) -> Mapping[str, str]:
        """What it is about."""
        ...

    @property
    def related(self) -> Sequence[Mapping[str, str]]:
        """What else took part."""
        ...

    @property
    def payload(self) -> Mapping[str, Any]:
        """What more it says."""
        ...


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")))


def label_matches(pattern: str, value: str | None) -> bool:
    """Whether the value of a label fits: `*` is any text, `?` one character, `!` in front turns it round.

    A label that is not there fits nothing, not even what is turned round.
    """
    if value is None:
        return False
    fits = _glob(pattern.removeprefix("!")).match(value) is not None
    return fits is not pattern.startswith("!")


Labels = Annotated[dict[Text, Text | Patterns], Field(max_length=MAX_PATTERNS)]
"""Patterns by label; of several patterns for one label, one is enough, and no pattern at all fits nothing."""


def labels_match(expected: Labels, resource: Mapping[str, str]) -> bool:
    """Whether a resource fits the patterns of every label."""
    for label, wanted in expected.items():
        patterns = [wanted] if isinstance(wanted, str) else wanted
        if not any(label_matches(pattern, resource.get(label)) for pattern in patterns):
            return False
    return True


def _one_of(wanted: Sequence[object] | None, value: object) -> bool:
    return not wanted or value in wanted


def _prefixed(prefixes: Sequence[str] | None, value: str) -> bool:
    return not prefixes or value.startswith(tuple(prefixes))


class EventOccurredFilter(Input):
    """The event happened between these, both included."""

    since: Instant = Field(
        default_factory=lambda: datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - LOOK_BACK
    )
    until: Instant = Field(default_factory=lambda: datetime.now(UTC))

    def matches(self, event: EventLike) -> bool:
        """Whether the event is one of those."""
        return self.since <= event.occurred <= self.until


class EventNameFilter(Input):
    """The event's name is one of these or starts so, and is none of those and does not start so.

    As in all filters of events, an empty list says nothing.
    """

    prefix: Patterns | None = None
    exclude_prefix: Patterns | None = None
    name: list[Text] | None = None
    exclude_name: list[Text] | None = None

    def matches(self, event: EventLike) -> bool:
        """Whether the event is one of those."""
        name = event.event
        return (
            _prefixed(self.prefix, name)
            and not (self.exclude_prefix and _prefixed(self.exclude_prefix, name))
            and _one_of(self.name, name)
            and not (self.exclude_name and name in self.exclude_name)
        )


class EventAnyResourceFilter(Input):
    """One resource of the event, main or related, is all of this."""

    id: list[Text] | None = None
    id_prefix: Patterns | None = None
    labels: Labels | None = None

    def includes(self, resource: Mapping[str, str]) -> bool:
        """Whether a resource is all of this."""
        identity = resource[RESOURCE_ID]
        return (
            _one_of(self.id, identity)
            and _prefixed(self.id_prefix, identity)
            and (self.labels is None or labels_match(self.labels, resource))
        )

    def matches(self, event: EventLike) -> bool:
        """Whether the event is one of those."""
        return self.includes(event.resource) or any(self.includes(resource) for resource in event.related)


class EventResourceFilter(EventAnyResourceFilter):
    """The resource that the event is about is all of this; `distinct` asks for the latest event of each resource."""

    distinct: bool = False

    def matches(self, event: EventLike) -> bool:
        """Whether the event is one of those; `distinct` is for lists."""
        return self.includes(event.resource)


class EventRelatedFilter(Input):
    """One related resource of the event is all of this."""

    id: list[Text] | None = None
    role: list[Text] | None = None
    resources_in_roles: Annotated[list[tuple[Text, Text]], Field(max_length=MAX_PATTERNS)] | None = None
    labels: Labels | None = None

    def includes(self, resource: Mapping[str, str]) -> bool:
        """Whether a related resource is all of this."""
        identity, role = resource[RESOURCE_ID], resource[RESOURCE_ROLE]
        return (
            _one_of(self.id, identity)
            and _one_of(self.role, role)
            and _one_of(self.resources_in_roles, (identity, role))
            and (self.labels is None or labels_match(self.labels, resource))
        )

    def matches(self, event: EventLike) -> bool:
        """Whether the event is one of those; a filter that asks for nothing takes events without relations too."""
        nothing_asked = not (self.id or self.role or self.resources_in_roles or self.labels)
        return nothing_asked or any(self.includes(resource) for resource in event.related)


class EventIdFilter(Input):
    """The event is one of these."""

    id: list[UUID] | None = None

    def matches(self, event: EventLike) -> bool:
        """Whether the event is one of those."""
        return _one_of(self.id, event.id)


class EventTextFilter(TextSearchFilter):
    """The event's name, the values of its labels or its payload hold this text."""

    def matches(self, event: EventLike) -> bool:
        """Whether the event is one of those."""
        return self.search.matches(searchable_text(event))


def searchable_text(event: EventLike) -> str:
    """Everything of an event that a text search looks through."""
    values = [event.event, *event.resource.values()]
    for resource in event.related:
        values += resource.values()
    values.append(to_json(event.payload).decode())
    return " ".join(values)


class EventOrder(StrEnum):
    """Oldest first or newest first."""

    ASC = "ASC"
    DESC = "DESC"


class EventFilter(Input):
    """Which events, and in which order; several filters of one kind must all hold, each by a resource of its own."""

    occurred: EventOccurredFilter = Field(default_factory=EventOccurredFilter)
    event: EventNameFilter | None = None
    resource: EventResourceFilter | None = None
    related: EventRelatedFilter | Annotated[list[EventRelatedFilter], Field(max_length=MAX_RELATED)] | None = None
    any_resource: (
        EventAnyResourceFilter | Annotated[list[EventAnyResourceFilter], Field(max_length=MAX_RELATED)] | None
    ) = None
    id: EventIdFilter = Field(default_factory=EventIdFilter)
    text: EventTextFilter | None = None
    order: EventOrder = EventOrder.DESC

    def related_filters(self) -> list[EventRelatedFilter]:
        """The filters of related resources, one or many, as a list."""
        return _listed(self.related)

    def any_resource_filters(self) -> list[EventAnyResourceFilter]:
        """The filters of any resource, one or many, as a list."""
        return _listed(self.any_resource)

    def matches(self, event: EventLike) -> bool:
        """Whether the event, which need not be stored, is one of those."""
        return (
            (self.event is None or self.event.matches(event))
            and (self.resource is None or self.resource.matches(event))
            and self.occurred.matches(event)
            and self.id.matches(event)
            and all(related.matches(event) for related in self.related_filters())
            and all(any_resource.matches(event) for any_resource in self.any_resource_filters())
            and (self.text is None or self.text.matches(event))
        )


F = TypeVar("F", EventRelatedFilter, EventAnyResourceFilter)


def _listed(one_or_many: F | list[F] | None) -> list[F]:
    if one_or_many is None:
        return []
    return one_or_many if isinstance(one_or_many, list) else [one_or_many]


class EventsQuery(Envelope):
    """Which events to list, and how many a page."""

    filter: EventFilter | None = None
    limit: Annotated[int, Field(ge=0, le=MAX_PAGE)] = MAX_PAGE


class Countable(StrEnum):
    """What events are counted by."""

    DAY = "day"
    TIME = "time"
    EVENT = "event"
    RESOURCE = "resource"


class TimeUnit(StrEnum):
    """The unit of a span of time."""

    WEEK = "week"
    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"

    def times(self, count: float) -> timedelta:
        """So many of this unit; OverflowError where that is longer than a timedelta can be."""
        return timedelta(**{f"{self.value}s": count})


class EventCountQuery(Envelope):
    """Which events to count, in spans of `time_interval` units where they are counted by time."""

    filter: EventFilter
    time_unit: TimeUnit = TimeUnit.DAY
    time_interval: Annotated[float, Field(ge=0.01, le=1_000_000)] = 1.0
