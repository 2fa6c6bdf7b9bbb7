"""Flow runs."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from lightwell.contract.flow_runs import (
    FlowRunBulkDelete,
    FlowRunBulkSetState,
    FlowRunCreate,
    FlowRunFilter,
    FlowRunResponse,
    FlowRunResume,
    FlowRunUpdate,
)
from lightwell.contract.states import StateType

FLOW = str(uuid4())


def test_a_flow_run_needs_only_its_flow() -> None:
    """Everything else has a default; the name is made up."""
    run = FlowRunCreate.model_validate({"flow_id": FLOW})
    assert run.name
    assert (run.parameters, run.tags, run.labels, run.state) == ({}, [], {}, None)
    assert FlowRunCreate.model_validate({"flow_id": FLOW, "name": ""}).name


@pytest.mark.parametrize(
    "more",
    [
        {"flow_id": None},
        {"bogus": 1},
        {"id": FLOW},
        {"parameters": None},
        {"parameters": {"a": "\ud800"}},
        {"state": {"type": "NEW"}},
        {"labels": {"a": {"b": 1}}},
        {"labels": {"a": float("nan")}},
        {"job_variables": []},
        {"idempotency_key": "a\x00"},
    ],
)
def test_what_is_no_flow_run_is_refused(more: dict[str, object]) -> None:
    """Members are known and of their types."""
    with pytest.raises(ValidationError):
        FlowRunCreate.model_validate({"flow_id": FLOW} | more)


def test_an_update_knows_what_was_sent() -> None:
    """A name that is sent as null is made up anew; what is not sent is not touched."""
    update = FlowRunUpdate.model_validate({"name": None})
    assert update.name
    assert update.model_fields_set == {"name"}
    assert FlowRunUpdate.model_validate({}).name is None


def test_an_answer_has_every_member_of_the_contract() -> None:
    """What a flow run lacks is null, zero or empty, never absent."""
    run = FlowRunResponse(id=uuid4(), created=datetime.now(UTC), updated=None, name="n", flow_id=uuid4())
    answer = run.model_dump(mode="json")
    assert len(answer) == 36
    assert answer["total_run_time"] == 0.0
    assert answer["created"].endswith("Z")


@pytest.mark.parametrize(
    "body",
    [
        {"state": {"type": {"any_": ["RUNNING"], "not_any_": []}, "name": {"not_any_": ["Late"]}, "operator": "or_"}},
        {"start_time": {"before_": "2030-01-01", "is_null_": False}},
        {"created_by": {"id_": [FLOW], "type_": ["SCHEDULE"]}},
        {"parent_flow_run_id": {"any_": [FLOW]}},
        {"tags": {"any_": ["a"], "all_": ["b"]}},
        {"work_queue_name": {"any_": ["q"], "is_null_": True}},
    ],
)
def test_flow_runs_are_filtered_by_much(body: dict[str, object]) -> None:
    """Criteria of the contract are understood."""
    FlowRunFilter.model_validate(body)


@pytest.mark.parametrize(
    "body",
    [
        {"state": {"type": {"any_": ["NEW"]}}},
        {"expected_start_time": {"is_null_": True}},
        {"start_time": {"before_": "0001-01-01T00:00:00+14:00"}},
        {"id": {"like_": "a"}},
    ],
)
def test_flow_runs_are_not_filtered_by_anything(body: dict[str, object]) -> None:
    """Criteria that do not exist are refused."""
    with pytest.raises(ValidationError):
        FlowRunFilter.model_validate(body)


@pytest.mark.parametrize("limit", [0, 51, -1, 10**30])
def test_bulk_operations_touch_fifty_runs_at_most(limit: int) -> None:
    """The limit of a bulk operation lies between 1 and 50; null means 50."""
    with pytest.raises(ValidationError):
        FlowRunBulkDelete.model_validate({"limit": limit})
    assert FlowRunBulkDelete.model_validate({"limit": None}).limit == 50


def test_a_bulk_state_needs_its_state() -> None:
    """Null is as good as absent, and absent is not good."""
    assert FlowRunBulkSetState.model_validate({"state": {"type": "CANCELLED"}}).state.type is StateType.CANCELLED
    with pytest.raises(ValidationError):
        FlowRunBulkSetState.model_validate({"state": None})


@pytest.mark.parametrize(("body", "run_input"), [(None, None), ({}, None), ({"run_input": {"a": 1}}, {"a": 1})])
def test_a_run_resumes_with_or_without_input(body: Any, run_input: object) -> None:
    """A resume has no body at all, or an input."""
    assert FlowRunResume.model_validate(body).run_input == run_input
