"""Events that clients send."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from lightwell.contract.events import Event, EventCountQuery, EventsQuery, ReceivedEvent, TimeUnit

RESOURCE = {"prefect.resource.id": "prefect.flow-run.1"}


def _event(**more: Any) -> dict[str, Any]:
    body = {"id": str(uuid4()), "occurred": "2026-01-01T00:00:00Z", "event": "disk.full", "resource": RESOURCE}
    return body | more


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"unknown": 1},
        {"payload": {"a": ["\x00"]}},
        {"resource": RESOURCE | {"label": "any\x00thing"}},
        {"resource": {f"l{number}": "v" for number in range(499)} | RESOURCE},
        {"related": [RESOURCE | {"prefect.resource.role": "flow"}] * 100},
        {"event": "x" * 1024},
        {"follows": str(uuid4())},
    ],
)
def test_an_event_is_taken(more: dict[str, Any]) -> None:
    """An event needs an id, a time, a name and a resource; members that nobody knows are ignored."""
    event = Event.model_validate(_event(**more))
    assert event.resource["prefect.resource.id"] == "prefect.flow-run.1"


@pytest.mark.parametrize(
    "more",
    [
        {"id": None},
        {"occurred": "0001-01-01T00:00:00+14:00"},
        {"event": "x" * 1025},
        {"event": "a\x00"},
        {"resource": {}},
        {"resource": {"prefect.resource.id": ""}},
        {"resource": RESOURCE | {"n": 1}},
        {"resource": RESOURCE | {"n": "\ud800"}},
        {"resource": {f"l{number}": "v" for number in range(500)} | RESOURCE},
        {"related": [RESOURCE]},
        {"related": [RESOURCE | {"prefect.resource.role": ""}]},
        {"related": [{"prefect.resource.role": "flow"}]},
        {"related": [RESOURCE | {"prefect.resource.role": "flow"}] * 101},
        {"payload": {"a": "\ud800"}},
        {"payload": []},
    ],
)
def test_what_is_no_event_is_refused(more: dict[str, Any]) -> None:
    """Resources have an id, related ones a role, and there are not too many of anything."""
    with pytest.raises(ValidationError):
        Event.model_validate(_event(**more))


def test_an_event_comes_out_as_it_went_in() -> None:
    """Labels are answered as plain objects."""
    related = [RESOURCE | {"prefect.resource.role": "flow"}]
    event = ReceivedEvent.model_validate(_event(related=related, payload={"a": 1}))
    answer = event.model_dump(mode="json")
    assert (answer["resource"], answer["related"], answer["payload"]) == (RESOURCE, related, {"a": 1})
    assert answer["received"].endswith("Z")


def test_events_are_listed_by_fifty() -> None:
    """The page is never larger; null means the default."""
    assert EventsQuery.model_validate({"limit": None, "filter": None}).limit == 50
    with pytest.raises(ValidationError):
        EventsQuery.model_validate({"limit": 51})


@pytest.mark.parametrize("body", [{}, {"filter": None}, {"filter": {}, "time_interval": 0.001}])
def test_a_count_needs_a_filter_and_a_sensible_interval(body: dict[str, Any]) -> None:
    """Counting has no default filter, and no intervals without end."""
    with pytest.raises(ValidationError):
        EventCountQuery.model_validate(body)


def test_units_are_multiplied() -> None:
    """A span is so many of its unit; the longest that is asked for still is a span."""
    assert TimeUnit.WEEK.times(2).days == 14
    assert TimeUnit.MINUTE.times(0.5).total_seconds() == 30
    longest = EventCountQuery.model_validate({"filter": {}, "time_interval": 1_000_000, "time_unit": "week"})
    assert longest.time_unit.times(longest.time_interval).days == 7_000_000
