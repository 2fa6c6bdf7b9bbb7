"""Logs and which of them a filter takes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from lightwell.contract.logs import Log, LogCreate, LogFilter, LogsQuery

RUN = UUID("3fa85f64-5717-4562-b3fc-2c963f66afa6")
OTHER = "00000000-0000-4000-8000-000000000000"
LOG = Log(
    id=UUID(OTHER),
    created=None,
    updated=None,
    name="prefect.flow_runs",
    level=30,
    message="Disk is nearly full",
    timestamp=datetime(2026, 1, 1, 12, tzinfo=UTC),
    flow_run_id=RUN,
)


@pytest.mark.parametrize(
    ("criteria", "taken"),
    [
        ({}, True),
        ({"operator": "or_"}, True),
        ({"level": {"ge_": 30, "le_": 30}}, True),
        ({"level": {"ge_": 31}}, False),
        ({"level": {"le_": 29}}, False),
        ({"timestamp": {"after_": "2026-01-01T12:00:00Z", "before_": "2026-01-01T12:00:00Z"}}, True),
        ({"timestamp": {"after_": "2026-01-01T12:00:01Z"}}, False),
        ({"timestamp": {"before_": "2026-01-01T11:59:59Z"}}, False),
        ({"flow_run_id": {"any_": [str(RUN)]}}, True),
        ({"flow_run_id": {"any_": [OTHER]}}, False),
        ({"flow_run_id": {"any_": []}}, False),
        ({"flow_run_id": {}}, True),
        ({"task_run_id": {"is_null_": True}}, True),
        ({"task_run_id": {"is_null_": False}}, False),
        ({"task_run_id": {"any_": [OTHER]}}, False),
        ({"text": {"query": "FULL -empty"}}, True),
        ({"text": {"query": "flow_runs"}}, True),
        ({"text": {"query": "empty"}}, False),
        ({"level": {"ge_": 40}, "text": {"query": "disk"}}, False),
        ({"operator": "or_", "level": {"ge_": 40}, "text": {"query": "disk"}}, True),
        ({"operator": "or_", "level": {"ge_": 40}, "text": {"query": "empty"}}, False),
    ],
)
def test_a_filter_takes_a_log_or_leaves_it(criteria: dict[str, Any], taken: bool) -> None:  # noqa: FBT001 -- a column
    """Each criterion by itself, and joined by the operator."""
    assert LogFilter.model_validate(criteria).matches(LOG) is taken


def test_a_line_is_kept_whatever_was_said() -> None:
    """A batch is not lost over one character."""
    line = LogCreate.model_validate(
        {"name": "x\x00", "level": 20, "message": "\ud800!", "timestamp": "2026-01-01T00:00:00"}
    )
    assert (line.name, line.message) == ("x\ufffd", "\ufffd!")
    assert line.timestamp.tzinfo is UTC


@pytest.mark.parametrize(
    "more", [{"level": 10**12}, {"timestamp": "0001-01-01T00:00:00+14:00"}, {"x": 1}, {"message": None}]
)
def test_what_is_no_line_is_refused(more: dict[str, Any]) -> None:
    """Levels and times can be kept."""
    body = {"name": "x", "level": 20, "message": "m", "timestamp": "2026-01-01T00:00:00Z"}
    with pytest.raises(ValidationError):
        LogCreate.model_validate(body | more)


def test_a_query_without_a_body_lists_the_oldest_first() -> None:
    """All members have defaults."""
    query = LogsQuery.model_validate(None)
    assert (query.sort, query.limit, query.offset, query.logs) == ("TIMESTAMP_ASC", None, 0, None)
