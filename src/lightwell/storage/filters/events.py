"""Which events.

An empty list says nothing. Identifiers and roles of resources are looked up in `event_resource`, which is indexed by
them; what labels say is read from the events that are left.
"""

from collections.abc import Iterator

from sqlalchemy import Select, and_, exists, false, literal, or_, select, tuple_

from lightwell.contract.events import (
    RESOURCE_ID,
    RESOURCE_ROLE,
    EventAnyResourceFilter,
    EventFilter,
    EventNameFilter,
    EventOccurredFilter,
    EventOrder,
    EventRelatedFilter,
    EventResourceFilter,
    Labels,
)
from lightwell.storage.filters.criteria import Clause, Column
from lightwell.storage.filters.dialects import fits, is_one_of, json_elements, json_member, starts_with
from lightwell.storage.filters.text_search import concatenation, found
from lightwell.storage.tables import event, event_resource

_SEARCHED = concatenation(event.c.event, event.c.resource, event.c.related, event.c.payload)


def clauses(criteria: EventFilter) -> list[Clause]:
    """What must hold of the events that a filter object means."""
    return [
        event.c.occurred >= criteria.occurred.since,
        event.c.occurred <= criteria.occurred.until,
        *(_names(criteria.event) if criteria.event else ()),
        *(_resource(criteria.resource, criteria.occurred) if criteria.resource else ()),
        *(one for related in criteria.related_filters() for one in _related(related, criteria.occurred)),
        *(one for resource in criteria.any_resource_filters() for one in _any_resource(resource, criteria.occurred)),
        *([is_one_of(event.c.id, criteria.id.id)] if criteria.id.id else ()),
        *(found(_SEARCHED, criteria.text) if criteria.text else ()),
    ]


def order(sort: EventOrder) -> tuple[Column, ...]:
    """By what events are ordered; the id settles what is equal."""
    if sort is EventOrder.ASC:
        return event.c.occurred.asc(), event.c.id.asc()
    return event.c.occurred.desc(), event.c.id.desc()


def _names(criteria: EventNameFilter) -> Iterator[Clause]:
    name = event.c.event
    if criteria.prefix:
        yield or_(*(starts_with(name, prefix) for prefix in criteria.prefix))
    for prefix in criteria.exclude_prefix or ():
        yield ~starts_with(name, prefix)
    if criteria.name:
        yield is_one_of(name, criteria.name)
    if criteria.exclude_name:
        yield ~is_one_of(name, criteria.exclude_name)


def _resource(criteria: EventResourceFilter, occurred: EventOccurredFilter) -> Iterator[Clause]:
    looked_up = list(_identities(criteria, event_resource.c.resource_id))
    if looked_up:
        yield event.c.id.in_(_events_about(occurred).where(event_resource.c.role == "", *looked_up))
    if criteria.labels:
        yield from _labels(criteria.labels, event.c.resource)


def _related(criteria: EventRelatedFilter, occurred: EventOccurredFilter) -> Iterator[Clause]:
    looked_up = list(_roles(criteria, event_resource.c.resource_id, event_resource.c.role))
    if looked_up:
        yield event.c.id.in_(_events_about(occurred).where(event_resource.c.role != "", *looked_up))
    if criteria.labels:
        related = json_elements(event.c.related).table_valued("value", name="related").c.value
        identity, role = (json_member(related, literal(label)) for label in (RESOURCE_ID, RESOURCE_ROLE))
        yield exists(select(1).where(*_roles(criteria, identity, role), *_labels(criteria.labels, related)))


def _any_resource(criteria: EventAnyResourceFilter, occurred: EventOccurredFilter) -> Iterator[Clause]:
    looked_up = list(_identities(criteria, event_resource.c.resource_id))
    if looked_up:
        yield event.c.id.in_(_events_about(occurred).where(*looked_up))
    if criteria.labels:
        related = json_elements(event.c.related).table_valued("value", name="related").c.value
        one_related = select(1).where(
            *_identities(criteria, json_member(related, literal(RESOURCE_ID))), *_labels(criteria.labels, related)
        )
        its_own = [*_identities(criteria, event.c.resource_id), *_labels(criteria.labels, event.c.resource)]
        yield and_(*its_own) | exists(one_related)


def _identities(criteria: EventAnyResourceFilter, identity: Column) -> Iterator[Clause]:
    if criteria.id:
        yield is_one_of(identity, criteria.id)
    if criteria.id_prefix:
        yield or_(*(starts_with(identity, prefix) for prefix in criteria.id_prefix))


def _roles(criteria: EventRelatedFilter, identity: Column, role: Column) -> Iterator[Clause]:
    if criteria.id:
        yield is_one_of(identity, criteria.id)
    if criteria.role:
        yield is_one_of(role, criteria.role)
    if criteria.resources_in_roles:
        yield tuple_(identity, role).in_(criteria.resources_in_roles)


def _labels(labels: Labels, resource: Column) -> Iterator[Clause]:
    for label, wanted in labels.items():
        patterns = [wanted] if isinstance(wanted, str) else wanted
        value = json_member(resource, literal(label))
        yield or_(false(), *(fits(value, pattern) for pattern in patterns))


def _events_about(occurred: EventOccurredFilter) -> Select[tuple[object]]:
    return (
        select(event_resource.c.event_id)
        .where(event_resource.c.occurred >= occurred.since, event_resource.c.occurred <= occurred.until)
        .correlate(None)
    )
