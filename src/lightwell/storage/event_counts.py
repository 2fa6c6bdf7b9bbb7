"""Events counted by when they happened, by their name or by what they are about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, type_coerce
from sqlalchemy import select as sql_select

from lightwell.contract.events import Countable, EventCount, EventCountQuery, EventFilter, TimeUnit
from lightwell.errors import Invalid
from lightwell.storage.columns import from_micros, to_micros
from lightwell.storage.filters.dialects import json_member
from lightwell.storage.filters.events import clauses
from lightwell.storage.tables import event
from lightwell.storage.transaction import Reader

MAX_SPANS = 1000
MIN_INTERVAL = 0.01

_PIVOT = datetime(2024, 4, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def count_by(reader: Reader, countable: Countable, query: EventCountQuery) -> list[EventCount]:
    """The events that meet the query's criteria, counted.

    By time: one count for each span of so many units, which are laid from a Monday on, so that the same span is
    counted whatever is asked for. By name or resource: the most frequent first. Raises Invalid for over 1000 spans.
    """
    if countable is Countable.DAY:
        return _by_time(reader, query.filter, TimeUnit.DAY, 1)
    if countable is Countable.TIME:
        return _by_time(reader, query.filter, query.time_unit, query.time_interval)
    return _by_value(reader, query.filter, countable)


def _by_time(reader: Reader, criteria: EventFilter, unit: TimeUnit, interval: float) -> list[EventCount]:
    since, until = criteria.occurred.since, criteria.occurred.until
    width = _width(unit, interval, since, until)
    spans = _spans(since, min(until, _end_of_present(reader.now, unit)) if until > reader.now else until, width)
    counts = [
        EventCount(
            value=str(index), label=start.isoformat(), count=0, start_time=start, end_time=start + width - _MICROSECOND
        )
        for index, start in enumerate(spans)
    ]
    if not counts:
        return counts
    first = literal(to_micros(spans[0]), BigInteger())
    span = ((type_coerce(event.c.occurred, BigInteger) - first) // (width // _MICROSECOND)).label("span")
    statement = sql_select(span, func.count()).where(*clauses(criteria)).group_by(span)
    for index, number in reader.execute(statement):
        if index < len(counts):
            counts[index].count = number
    return counts


def _width(unit: TimeUnit, interval: float, since: datetime, until: datetime) -> timedelta:
    if interval < MIN_INTERVAL:
        raise Invalid(f"The minimum interval is {MIN_INTERVAL}")
    try:
        width = unit.times(interval)
    except OverflowError:
        raise Invalid("The interval is too long") from None
    number = -((since - until) // width)
    if number > MAX_SPANS:
        raise Invalid(
            f"The given interval would create {number} buckets, which is too many. Please increase the interval or "
            f"reduce the time range to produce {MAX_SPANS} buckets or fewer."
        )
    return width


def _spans(since: datetime, until: datetime, width: timedelta) -> list[datetime]:
    try:
        start = _PIVOT + ((since - _PIVOT) // width) * width
        spans = []
        while start < until:
            spans.append(start)
            start += width
    except OverflowError:
        raise Invalid("The interval reaches beyond the calendar") from None
    return spans


def _end_of_present(now: datetime, unit: TimeUnit) -> datetime:
    """The last microsecond of the present week (Sunday's), day, hour, minute or second."""
    start = now.replace(microsecond=0)
    if unit is not TimeUnit.SECOND:
        start = start.replace(second=0)
    if unit in (TimeUnit.HOUR, TimeUnit.DAY, TimeUnit.WEEK):
        start = start.replace(minute=0)
    if unit in (TimeUnit.DAY, TimeUnit.WEEK):
        start = start.replace(hour=0)
    if unit is TimeUnit.WEEK:
        start -= timedelta(days=start.weekday())
    return start + unit.times(1) - _MICROSECOND


def _by_value(reader: Reader, criteria: EventFilter, countable: Countable) -> list[EventCount]:
    value, label = _value_and_label(countable)
    rows = reader.execute(_counted(value, label, clauses(criteria)))
    return [
        EventCount(
            value=found,
            label=name,
            count=int(number),
            start_time=from_micros(oldest),
            end_time=from_micros(latest),
        )
        for found, name, number, oldest, latest in rows
    ]


def _value_and_label(countable: Countable) -> tuple[ColumnElement[str], ColumnElement[str]]:
    if countable is Countable.EVENT:
        return event.c.event, event.c.event
    named = [json_member(event.c.resource, literal(label)) for label in ("prefect.resource.name", "prefect.name")]
    return event.c.resource_id, func.coalesce(*named, event.c.resource_id)


def _counted(
    value: ColumnElement[str], label: ColumnElement[str], where: Sequence[ColumnElement[bool]]
) -> Select[tuple[str, str, int, int, int]]:
    """Each value once, under the label that it was last known by."""
    occurred = type_coerce(event.c.occurred, BigInteger)
    by_label = (
        sql_select(
            value.label("value"),
            label.label("label"),
            func.count().label("number"),
            func.min(occurred).label("oldest"),
            func.max(occurred).label("latest"),
        )
        .where(*where)
        .group_by(value, label)
        .subquery("by_label")
    )
    last_label = func.first_value(by_label.c.label).over(
        partition_by=by_label.c.value, order_by=by_label.c.latest.desc()
    )
    relabelled = sql_select(
        by_label.c.value, last_label.label("label"), by_label.c.number, by_label.c.oldest, by_label.c.latest
    ).subquery("relabelled")
    number = func.sum(relabelled.c.number).label("total")
    return (
        sql_select(
            relabelled.c.value,
            relabelled.c.label,
            number,
            func.min(relabelled.c.oldest),
            func.max(relabelled.c.latest),
        )
        .group_by(relabelled.c.value, relabelled.c.label)
        .order_by(number.desc(), relabelled.c.label)
    )
