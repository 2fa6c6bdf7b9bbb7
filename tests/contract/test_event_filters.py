"""Which events a filter takes, by the same rules for stored and for live ones."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lightwell.contract.events import Event, EventFilter, label_matches
from lightwell.events.facts import Fact

ID = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
OCCURRED = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALWAYS = {"occurred": {"since": "2000-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}}
EVENT = Event(
    id=ID,
    occurred=OCCURRED,
    event="prefect.flow-run.Completed",
    resource={"prefect.resource.id": "prefect.flow-run.1", "prefect.resource.name": "quiet-heron", "empty": ""},
    related=[
        {"prefect.resource.id": "prefect.flow.7", "prefect.resource.role": "flow", "team": "data"},
        {"prefect.resource.id": "prefect.tag.x", "prefect.resource.role": "tag", "team": "ml"},
    ],
    payload={"reason": "All done", "count": 3},
)


@pytest.mark.parametrize(
    ("criteria", "taken"),
    [
        ({}, True),
        ({"event": {"prefix": ["prefect.flow-run."]}}, True),
        ({"event": {"prefix": ["x", "prefect."]}}, True),
        ({"event": {"prefix": ["prefect.task-run."]}}, False),
        ({"event": {"prefix": []}}, True),
        ({"event": {"exclude_prefix": ["prefect.flow-run.C"]}}, False),
        ({"event": {"exclude_prefix": ["prefect.task-run."]}}, True),
        ({"event": {"name": ["prefect.flow-run.Completed"]}}, True),
        ({"event": {"name": ["prefect.flow-run.completed"]}}, False),
        ({"event": {"exclude_name": ["prefect.flow-run.Completed"]}}, False),
        ({"event": {"prefix": ["prefect."], "exclude_name": ["other"]}}, True),
        ({"resource": {"id": ["prefect.flow-run.1"]}}, True),
        ({"resource": {"id": ["prefect.flow.7"]}}, False),
        ({"resource": {"id_prefix": ["prefect.flow-run."]}}, True),
        ({"resource": {"id_prefix": ["prefect.flow."]}}, False),
        ({"resource": {"labels": {"prefect.resource.name": "quiet-*"}}}, True),
        ({"resource": {"labels": {"prefect.resource.name": ["loud-*", "quiet-hero?"]}}}, True),
        ({"resource": {"labels": {"prefect.resource.name": "!quiet-*"}}}, False),
        ({"resource": {"labels": {"prefect.resource.name": "!loud-*"}}}, True),
        ({"resource": {"labels": {"absent": "*"}}}, False),
        ({"resource": {"labels": {"absent": "!x"}}}, False),
        ({"resource": {"labels": {"empty": "*"}}}, True),
        ({"resource": {"labels": {"prefect.resource.name": []}}}, False),
        ({"resource": {"labels": {}}}, True),
        ({"resource": {"labels": {"prefect.resource.name": "quiet-heron", "empty": "x"}}}, False),
        ({"related": {"id": ["prefect.flow.7"]}}, True),
        ({"related": {"id": ["prefect.flow-run.1"]}}, False),
        ({"related": {"role": ["tag"]}}, True),
        ({"related": {"role": ["work-pool"]}}, False),
        ({"related": {"role": ["tag"], "id": ["prefect.flow.7"]}}, False),
        ({"related": {"resources_in_roles": [["prefect.flow.7", "flow"]]}}, True),
        ({"related": {"resources_in_roles": [["prefect.flow.7", "tag"]]}}, False),
        ({"related": {"labels": {"team": "d*"}}}, True),
        ({"related": {"labels": {"prefect.resource.role": "tag", "team": "ml"}}}, True),
        ({"related": {"labels": {"prefect.resource.role": "tag", "team": "data"}}}, False),
        ({"related": [{"role": ["tag"]}, {"labels": {"team": "data"}}]}, True),
        ({"related": [{"role": ["tag"]}, {"role": ["work-pool"]}]}, False),
        ({"any_resource": {"id": ["prefect.flow.7"]}}, True),
        ({"any_resource": {"id_prefix": ["prefect.flow-run."]}}, True),
        ({"any_resource": {"id": ["prefect.flow.8"]}}, False),
        ({"any_resource": {"labels": {"team": "ml"}}}, True),
        ({"any_resource": [{"id": ["prefect.flow.7"]}, {"id": ["prefect.flow.8"]}]}, False),
        ({"id": {"id": [str(ID)]}}, True),
        ({"id": {"id": ["00000000-0000-4000-8000-000000000000"]}}, False),
        ({"text": {"query": "all DONE"}}, True),
        ({"text": {"query": "completed"}}, True),
        ({"text": {"query": "heron -failed"}}, True),
        ({"text": {"query": "-data"}}, False),
        ({"text": {"query": "missing"}}, False),
    ],
)
def test_a_filter_takes_an_event_or_leaves_it(criteria: dict[str, Any], taken: bool) -> None:  # noqa: FBT001 -- a column
    """Each criterion by itself, for an event of the wire and for a fact alike."""
    chosen = EventFilter.model_validate(ALWAYS | criteria)
    fact = Fact(
        id=EVENT.id,
        occurred=EVENT.occurred,
        event=EVENT.event,
        resource=EVENT.resource,
        related=EVENT.related,
        payload=EVENT.payload,
    )
    assert chosen.matches(EVENT) is taken
    assert chosen.matches(fact) is taken


@pytest.mark.parametrize(
    ("since", "until", "taken"),
    [
        (OCCURRED, OCCURRED, True),
        (OCCURRED + timedelta(microseconds=1), OCCURRED + timedelta(days=1), False),
        (OCCURRED - timedelta(days=1), OCCURRED - timedelta(microseconds=1), False),
    ],
)
def test_both_ends_of_the_time_are_inside(since: datetime, until: datetime, taken: bool) -> None:  # noqa: FBT001 -- a column
    """An event at either end is taken."""
    chosen = EventFilter.model_validate({"occurred": {"since": since, "until": until}})
    assert chosen.matches(EVENT) is taken


def test_a_filter_looks_back_half_a_year_and_not_ahead() -> None:
    """Without times, a filter is about the 180 days up to now."""
    chosen = EventFilter.model_validate({})
    now = datetime.now(UTC)
    assert abs(chosen.occurred.until - now) < timedelta(minutes=1)
    assert chosen.occurred.since.time().isoformat() == "00:00:00"
    assert timedelta(days=179) < now - chosen.occurred.since < timedelta(days=182)


def test_an_event_without_relations_fits_a_filter_that_asks_for_none() -> None:
    """An empty filter of related resources says nothing."""
    lonely = EVENT.model_copy(update={"related": []})
    assert EventFilter.model_validate(ALWAYS | {"related": {}}).matches(lonely)
    assert not EventFilter.model_validate(ALWAYS | {"related": {"role": ["flow"]}}).matches(lonely)


@pytest.mark.parametrize(
    "criteria",
    [
        {"nope": 1},
        {"event": {"like_": "x"}},
        {"occurred": {"since": None}},
        {"occurred": {"since": "0001-01-01T00:00:00+14:00"}},
        {"order": "SIDEWAYS"},
        {"id": None},
        {"related": {"resources_in_roles": [["a"]]}},
        {"resource": {"labels": {"a": 1}}},
        {"resource": {"role": ["x"]}},
    ],
)
def test_a_filter_refuses_what_it_does_not_know(criteria: dict[str, Any]) -> None:
    """A misspelt criterion would show too much, so it is an error."""
    with pytest.raises(ValidationError):
        EventFilter.model_validate(criteria)


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("a*", "abc", True),
        ("a*", "A", False),
        ("*", "", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a.c", "abc", False),
        ("a*c", "a\nc", True),
        ("abc", "abc\n", False),
        ("!a*", "abc", False),
        ("!a*", "b", True),
        ("!!a", "a", True),
        ("!", "", False),
        ("a!b", "a!b", True),
    ],
)
def test_labels_are_matched_by_patterns(pattern: str, value: str, fits: bool) -> None:  # noqa: FBT001 -- a column
    """`*`, `?` and a leading `!` are special, and nothing else is."""
    assert label_matches(pattern, value) is fits
    assert label_matches(pattern, None) is False


@given(st.text(), st.text())
def test_a_pattern_without_wildcards_fits_itself_alone(pattern: str, value: str) -> None:
    """Every other character stands for itself."""
    plain = pattern.replace("*", "").replace("?", "").lstrip("!")
    assert label_matches(plain, value) is (plain == value)


def test_no_pattern_takes_long() -> None:
    """A pattern of a stranger with many stars cannot hold up the process."""
    started = time.perf_counter()
    assert not label_matches("*a" * 40 + "b", "a" * 2000)
    assert time.perf_counter() - started < 1
