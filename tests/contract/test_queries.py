"""Bodies that combine filters of several resources."""

from typing import Any

import pytest
from pydantic import ValidationError

from lightwell.contract.model import Envelope
from lightwell.contract.queries import (
    FlowBulkDelete,
    FlowFilters,
    FlowIds,
    FlowRunFilters,
    FlowRunHistoryQuery,
    FlowRunScatterQuery,
    FlowRunsPageQuery,
    FlowRunsQuery,
    FlowsPageQuery,
    FlowsQuery,
    RunFilters,
    TaskRunDashboardQuery,
    TaskRunHistoryQuery,
    TaskRunsPageQuery,
    TaskRunsQuery,
)

OPTIONAL: list[type[Envelope]] = [
    RunFilters,
    FlowFilters,
    FlowRunFilters,
    FlowsQuery,
    FlowsPageQuery,
    FlowBulkDelete,
    FlowRunsQuery,
    FlowRunsPageQuery,
    TaskRunsQuery,
    TaskRunsPageQuery,
    FlowRunScatterQuery,
]
HISTORY = {"history_start": "2026-01-01T00:00:00Z", "history_end": "2026-01-02", "history_interval_seconds": 3600}


@pytest.mark.parametrize("query", OPTIONAL)
def test_a_query_may_have_no_body(query: type[Envelope]) -> None:
    """Nothing, null and nulls mean the defaults, and what stands beside the members is ignored."""
    nulls = dict.fromkeys(query.model_fields)
    assert query.model_validate(None) == query.model_validate({"nope": 1}) == query.model_validate(nulls) == query()


@pytest.mark.parametrize("query", OPTIONAL)
@pytest.mark.parametrize("body", [[], {"flows": {"nope": 1}}, {"flows": []}])
def test_a_filter_inside_is_strict(query: type[Envelope], body: object) -> None:
    """Unknown criteria are refused."""
    with pytest.raises(ValidationError):
        query.model_validate(body)


@pytest.mark.parametrize("limit", [-1, 201, 10**30])
def test_the_limit_is_for_the_api_to_judge(limit: int) -> None:
    """A limit beyond the server's is no error of the schema: the answer has words of its own."""
    assert FlowRunsQuery.model_validate({"limit": limit}).limit == limit


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (FlowRunsQuery, {"offset": -1}),
        (FlowRunsQuery, {"offset": 10**30}),
        (FlowRunsQuery, {"limit": 1.5}),
        (FlowRunsQuery, {"sort": "RANDOM"}),
        (FlowRunsPageQuery, {"page": 0}),
        (FlowRunsPageQuery, {"page": 10**30}),
        (FlowBulkDelete, {"limit": 51}),
        (FlowRunScatterQuery, {"limit": 1001}),
        (FlowRunScatterQuery, {"limit": -1}),
        (FlowIds, {}),
        (FlowIds, {"flow_ids": ["x"]}),
        (TaskRunDashboardQuery, {"task_runs": None}),
    ],
)
def test_what_cannot_be_listed_is_refused(query: type[Envelope], body: dict[str, Any]) -> None:
    """Offsets, pages and sorts are of the contract."""
    with pytest.raises(ValidationError):
        query.model_validate(body)


@pytest.mark.parametrize("query", [FlowRunHistoryQuery, TaskRunHistoryQuery])
@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e300, None, "long"])
def test_a_history_has_intervals(query: type[Envelope], seconds: object) -> None:
    """An interval is a finite number of seconds; that it is one second at least is for the API to say."""
    query.model_validate(HISTORY | {"history_interval_seconds": 0.5})
    with pytest.raises(ValidationError):
        query.model_validate(HISTORY | {"history_interval_seconds": seconds})


@pytest.mark.parametrize("bound", ["history_start", "history_end"])
def test_a_history_has_two_ends(bound: str) -> None:
    """Both are needed and lie in the calendar."""
    for value in (None, "10000-01-01", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(ValidationError):
            FlowRunHistoryQuery.model_validate(HISTORY | {bound: value})
