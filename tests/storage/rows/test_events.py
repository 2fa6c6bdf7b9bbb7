"""Events as rows: stored once, found by what they are about, counted and forgotten, on both databases."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.events import Countable, Event, EventCountQuery, EventFilter
from lightwell.errors import Invalid
from lightwell.events.facts import Fact
from lightwell.kit.ids import new_id
from lightwell.storage import event_counts, events
from lightwell.storage.database import Database
from lightwell.storage.transaction import Reader
from tests.storage.rows.making import NOON, minutes

WINDOW = {"since": minutes(-60).isoformat(), "until": minutes(600).isoformat()}


def _event(letter: str, at: datetime, related: list[dict[str, str]] | None = None, **more: Any) -> Event:
    resource = {"prefect.resource.id": f"prefect.flow-run.{letter}", "prefect.resource.name": f"run {letter}"}
    return Event(
        occurred=at,
        event=more.pop("event", "prefect.flow-run.Running"),
        resource={**resource, **more.pop("labels", {})},
        related=related or [],
        payload=more.pop("payload", {}),
        id=new_id(),
        **more,
    )


def _related(role: str, identity: str, **labels: str) -> dict[str, str]:
    return {"prefect.resource.id": identity, "prefect.resource.role": role, **labels}


FLOW = _related("flow", "prefect.flow.1", name="Big flow")
TAG = _related("tag", "prefect.tag.red")

TOLD = [
    _event("a", minutes(0), [FLOW, TAG], payload={"word": "Hello", "n": 1}),
    _event("b", minutes(1), [FLOW], event="prefect.flow-run.Failed", labels={"prefect.state-message": "50% of_it"}),
    _event("c", minutes(2), [_related("deployment", "prefect.flow.1", name="other")], event="prefect.flow-run.Failed"),
    _event("a", minutes(3), event="other.thing", labels={"color": "Dark[red]", 'qu"ote': "x"}),
]

CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "3210"),
    ({"order": "ASC"}, "0123"),
    ({"occurred": {"since": minutes(1).isoformat(), "until": minutes(2).isoformat()}}, "21"),
    ({"event": {"prefix": ["prefect."]}}, "210"),
    ({"event": {"prefix": ["Prefect.", "%", "prefect_"]}}, ""),
    ({"event": {"exclude_prefix": ["prefect.flow-run.F"]}}, "30"),
    ({"event": {"name": ["prefect.flow-run.Failed", "x"]}}, "21"),
    ({"event": {"exclude_name": ["prefect.flow-run.Failed"]}}, "30"),
    ({"event": {"name": [], "prefix": []}}, "3210"),
    ({"resource": {"id": ["prefect.flow-run.a"]}}, "30"),
    ({"resource": {"id": ["prefect.flow.1"]}}, ""),
    ({"resource": {"id_prefix": ["prefect.flow-run."]}}, "3210"),
    ({"resource": {"labels": {"prefect.resource.id": "prefect.flow-run.?"}}}, "3210"),
    ({"resource": {"labels": {"prefect.resource.id": ["*.b", "*.c"]}}}, "21"),
    ({"resource": {"labels": {"color": "*[red]"}}}, "3"),
    ({"resource": {"labels": {"color": "dark*"}}}, ""),
    ({"resource": {"labels": {"color": "!dark*"}}}, "3"),
    ({"resource": {"labels": {"color": []}}}, ""),
    ({"resource": {"labels": {'qu"ote': "x"}}}, "3"),
    ({"resource": {"labels": {"prefect.state-message": "50% of_it"}}}, "1"),
    ({"resource": {"labels": {"prefect.state-message": "50_ of%"}}}, ""),
    ({"resource": {"distinct": True}}, "321"),
    ({"related": {}}, "3210"),
    ({"related": {"id": ["prefect.flow.1"]}}, "210"),
    ({"related": {"role": ["flow"]}}, "10"),
    ({"related": {"id": ["prefect.flow.1"], "role": ["deployment"]}}, "2"),
    ({"related": {"id": ["prefect.flow-run.a"]}}, ""),
    ({"related": {"resources_in_roles": [["prefect.flow.1", "flow"], ["prefect.tag.red", "x"]]}}, "10"),
    ({"related": {"labels": {"name": "Big*"}}}, "10"),
    ({"related": {"id": ["prefect.tag.red"], "labels": {"name": "Big*"}}}, ""),
    ({"related": {"labels": {"prefect.resource.role": "dep*"}}}, "2"),
    ({"related": [{"role": ["flow"]}, {"role": ["tag"]}]}, "0"),
    ({"any_resource": {"id": ["prefect.flow.1", "prefect.flow-run.a"]}}, "3210"),
    ({"any_resource": {"id_prefix": ["prefect.tag."]}}, "0"),
    ({"any_resource": {"labels": {"name": "Big flow"}}}, "10"),
    ({"any_resource": {"labels": {"prefect.resource.name": "run a"}}}, "30"),
    ({"any_resource": [{"id": ["prefect.flow.1"]}, {"id": ["prefect.flow-run.b"]}]}, "1"),
    ({"id": {"id": [str(TOLD[2].id), str(new_id())]}}, "2"),
    ({"text": {"query": "hello"}}, "0"),
    ({"text": {"query": "HELLO failed"}}, "210"),
    ({"text": {"query": "prefect -failed"}}, "30"),
    ({"text": {"query": '+failed +"big FLOW"'}}, "1"),
    ({"text": {"query": '"50% of_"'}}, "1"),
    ({"text": {"query": "50_"}}, ""),
    ({"text": {"query": "  "}}, "3210"),
]  # fmt: skip


def _found(reader: Reader, criteria: EventFilter) -> tuple[str, int]:
    places = {one.id: str(number) for number, one in enumerate(TOLD)}
    return "".join(places[one.id] for one in events.select(reader, criteria)), events.count(reader, criteria)


async def test_criteria(store: Database) -> None:
    """Each criterion of an event finds what it says, the count agrees, and so does the same filter on live events."""
    await store.write(events.insert, TOLD)
    for body, expected in CASES:
        criteria = EventFilter.model_validate({"occurred": WINDOW, **body})
        assert await store.read(_found, criteria) == (expected, len(expected)), body
        if criteria.resource is None or not criteria.resource.distinct:
            live = {str(number) for number, one in enumerate(TOLD) if criteria.matches(one)}
            assert live == set(expected), body


async def test_pages(store: Database) -> None:
    """Pages follow each other, and an event of another second comes back as it was sent."""
    await store.write(events.insert, TOLD)
    criteria = EventFilter.model_validate({"occurred": WINDOW})
    page = await store.read(events.select, criteria, limit=2, offset=1)
    assert [one.id for one in page] == [TOLD[2].id, TOLD[1].id]
    for one, sent in zip(page, (TOLD[2], TOLD[1]), strict=True):
        assert one.model_dump(exclude={"received"}) == sent.model_dump()


async def test_an_event_counts_once(store: Database) -> None:
    """Events that come again, alone or in one batch, are not stored twice, and only the new ones are told of."""
    assert await store.write(events.insert, [TOLD[0], TOLD[1], TOLD[0]]) == TOLD[:2]
    assert await store.write(events.insert, TOLD) == TOLD[2:]
    assert await store.read(events.count, EventFilter.model_validate({"occurred": WINDOW})) == 4
    fact = Fact(occurred=NOON, event="x", resource={"prefect.resource.id": "nul\x00"}, id=TOLD[0].id)
    await store.write(events.store_facts, [fact])
    assert await store.read(events.count, EventFilter.model_validate({"occurred": WINDOW})) == 4


async def test_old_events_are_forgotten_in_batches(store: Database) -> None:
    """The oldest go first, with what they are found by."""
    await store.write(events.insert, TOLD)
    assert [await store.write(events.delete_before, minutes(3), most=2) for _ in range(3)] == [2, 1, 0]
    left = EventFilter.model_validate({"occurred": WINDOW, "any_resource": {"id_prefix": ["prefect."]}})
    assert await store.read(_found, left) == ("3", 1)


def _query(**more: Any) -> EventCountQuery:
    occurred = {"since": minutes(0).isoformat(), "until": minutes(3).isoformat()}
    return EventCountQuery.model_validate({"filter": {"occurred": occurred}, **more})


async def test_counts_by_time(store: Database) -> None:
    """Every span is there, empty or not, and knows its first and last instant."""
    await store.write(events.insert, TOLD)
    query = _query(time_unit="minute", time_interval=2)
    counts = await store.read(event_counts.count_by, Countable.TIME, query)
    assert [(one.value, one.count, one.start_time) for one in counts] == [("0", 2, minutes(0)), ("1", 2, minutes(2))]
    assert counts[0].end_time == minutes(2) - timedelta(microseconds=1)
    assert counts[0].label == "2026-06-01T12:00:00+00:00"
    days = await store.read(event_counts.count_by, Countable.DAY, query)
    assert [(one.count, one.start_time) for one in days] == [(4, NOON.replace(hour=0))]
    with pytest.raises(Invalid):
        await store.read(event_counts.count_by, Countable.TIME, _query(time_unit="second", time_interval=0.01))


async def test_counts_by_name_and_resource(store: Database) -> None:
    """The most frequent comes first, with the label that it had last, and when it was first and last told of."""
    renamed = _event("a", minutes(2.5), labels={"prefect.resource.name": "renamed"})
    await store.write(events.insert, [*TOLD, renamed])
    named = await store.read(event_counts.count_by, Countable.EVENT, _query())
    assert [(one.value, one.count) for one in named] == [
        ("prefect.flow-run.Failed", 2),
        ("prefect.flow-run.Running", 2),
        ("other.thing", 1),
    ]
    about = await store.read(event_counts.count_by, Countable.RESOURCE, _query())
    assert [(one.value, one.label, one.count) for one in about] == [
        ("prefect.flow-run.a", "run a", 3),
        ("prefect.flow-run.b", "run b", 1),
        ("prefect.flow-run.c", "run c", 1),
    ]
    assert (about[0].start_time, about[0].end_time) == (minutes(0), minutes(3))


async def test_known_events(store: Database) -> None:
    """Which of some ids are stored."""
    await store.write(events.insert, TOLD[:1])
    stranger: UUID = new_id()
    assert await store.read(events.find_known, [TOLD[0].id, stranger]) == {TOLD[0].id}
    assert await store.read(events.find_known, []) == set()
