"""Rows of events, and of the resources that they are about.

What a transaction has emitted is stored by `store_facts`, what clients have sent by `insert`. Counts by time or by name
are in `event_counts.py`.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, bindparam, func
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select

from lightwell.contract.events import RESOURCE_ID, RESOURCE_ROLE, EventFilter, EventLike, ReceivedEvent
from lightwell.events.facts import Fact
from lightwell.storage.columns import Moment
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.filters.events import clauses, order
from lightwell.storage.prepared import Prepared
from lightwell.storage.tables import event, event_resource
from lightwell.storage.transaction import Reader, Transaction

E = TypeVar("E", bound=EventLike)

_COLUMNS = (
    event.c.occurred,
    event.c.event,
    event.c.resource,
    event.c.related,
    event.c.payload,
    event.c.id,
    event.c.follows,
    event.c.received,
)
_EVENTS = sql_select(*_COLUMNS)
_BY_IDS = _EVENTS.where(event.c.id.in_(bindparam("event_ids", expanding=True))).order_by(event.c.occurred, event.c.id)
_KNOWN = sql_select(event.c.id).where(event.c.id.in_(bindparam("event_ids", expanding=True)))
_INSERT = Prepared(insert_if_absent(event))
_INSERT_RESOURCE = Prepared(insert_if_absent(event_resource))
_OLDEST = (
    sql_select(event.c.id, event.c.occurred)
    .where(event.c.occurred < bindparam("before", type_=Moment()))
    .order_by(event.c.occurred, event.c.id)
    .limit(bindparam("most"))
)
_DELETE = sql_delete(event).where(event.c.id.in_(bindparam("event_ids", expanding=True)))
_DELETE_RESOURCES = sql_delete(event_resource).where(
    event_resource.c.occurred >= bindparam("first", type_=Moment()),
    event_resource.c.occurred <= bindparam("last", type_=Moment()),
    event_resource.c.event_id.in_(bindparam("event_ids", expanding=True)),
)
_NUL, _REPLACEMENT = "\x00", "\N{REPLACEMENT CHARACTER}"


def store_facts(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Store what a transaction has emitted; a fact that is there already stays as it is."""
    _store(tx, [(fact, fact.received or fact.occurred) for fact in facts])


def insert(tx: Transaction, events: Iterable[E]) -> list[E]:
    """Store events that clients have sent; those that were not there yet, each once, in their order."""
    distinct: dict[UUID, E] = {}
    for one in events:
        distinct.setdefault(one.id, one)
    known = find_known(tx, list(distinct))
    new = [one for one in distinct.values() if one.id not in known]
    _store(tx, [(one, tx.now) for one in new])
    return new


def find_known(reader: Reader, event_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these events are stored."""
    return set(reader.execute(_KNOWN, {"event_ids": list(event_ids)}).scalars()) if event_ids else set()


def select_by_ids(reader: Reader, event_ids: Sequence[UUID]) -> list[ReceivedEvent]:
    """The events of these ids that are stored, in the order in which they happened."""
    return [_event(row) for row in reader.execute(_BY_IDS, {"event_ids": list(event_ids)})] if event_ids else []


def select(reader: Reader, criteria: EventFilter, *, limit: int | None = None, offset: int = 0) -> list[ReceivedEvent]:
    """The events that meet the criteria, in their order; of each resource one, if the criteria say `distinct`."""
    most = min(limit if limit is not None else sys.maxsize, _most_possible(criteria))
    if criteria.resource is not None and criteria.resource.distinct:
        place = func.row_number().over(partition_by=event.c.resource_id, order_by=order(criteria.order))
        ranked = sql_select(event.c.id, place.label("place")).where(*clauses(criteria)).subquery("ranked")
        first = sql_select(ranked.c.id).where(ranked.c.place == 1)
        statement = _EVENTS.where(event.c.id.in_(first))
    else:
        statement = _EVENTS.where(*clauses(criteria))
    ordered = statement.order_by(*order(criteria.order)).limit(most).offset(offset)
    return [_event(row) for row in reader.execute(ordered)]


def count(reader: Reader, criteria: EventFilter) -> int:
    """How many events meet the criteria; or resources, if the criteria say `distinct`."""
    distinct = criteria.resource is not None and criteria.resource.distinct
    number = func.count(event.c.resource_id.distinct()) if distinct else func.count()
    return int(reader.execute(sql_select(number).select_from(event).where(*clauses(criteria))).scalar_one())


def delete_before(tx: Transaction, before: datetime, *, most: int) -> int:
    """Delete the oldest events, older than an instant and at most so many; how many there were."""
    oldest = tx.execute(_OLDEST, {"before": before, "most": most}).all()
    if not oldest:
        return 0
    event_ids = [event_id for event_id, _ in oldest]
    tx.execute(_DELETE_RESOURCES, {"first": oldest[0][1], "last": oldest[-1][1], "event_ids": event_ids})
    return tx.execute(_DELETE, {"event_ids": event_ids}).rowcount


def _most_possible(criteria: EventFilter) -> int:
    return len(criteria.id.id) if criteria.id.id else sys.maxsize


def _store(tx: Transaction, events: Sequence[tuple[EventLike, datetime]]) -> None:
    if not events:
        return
    rows = [_row(one, received) for one, received in events]
    tx.change(_INSERT, rows)
    tx.change(_INSERT_RESOURCE, [resource for row in rows for resource in _resources(row)])


def _row(one: EventLike, received: datetime) -> dict[str, Any]:
    resource = _clean(one.resource)
    return {
        "id": one.id,
        "occurred": one.occurred,
        "received": received,
        "event": one.event,
        "resource_id": resource[RESOURCE_ID],
        "resource": resource,
        "related": [_clean(related) for related in one.related],
        "payload": dict(one.payload),
        "follows": getattr(one, "follows", None),
    }


def _clean(labels: Any) -> dict[str, str]:
    """Labels without U+0000, which PostgreSQL could not look into."""
    return {name.replace(_NUL, _REPLACEMENT): value.replace(_NUL, _REPLACEMENT) for name, value in labels.items()}


def _resources(row: dict[str, Any]) -> Iterable[dict[str, Any]]:
    about = {(row["resource_id"], "")}
    about.update((related[RESOURCE_ID], related.get(RESOURCE_ROLE, "")) for related in row["related"])
    return [
        {"resource_id": identity, "occurred": row["occurred"], "event_id": row["id"], "role": role}
        for identity, role in about
    ]


def _event(row: Row[*tuple[Any, ...]]) -> ReceivedEvent:
    return ReceivedEvent.trusted(dict(row._mapping))  # noqa: SLF001 -- SQLAlchemy's public name for a row's columns
