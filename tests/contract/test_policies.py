"""How runs retry."""

from typing import Any

import pytest
from pydantic import ValidationError

from lightwell.contract.policies import FlowRunPolicy, TaskRunPolicy


@pytest.mark.parametrize("policy", [FlowRunPolicy, TaskRunPolicy])
def test_older_members_count_where_newer_ones_say_nothing(policy: type[FlowRunPolicy] | type[TaskRunPolicy]) -> None:
    """Clients that only know the older members are understood."""
    older = policy.model_validate({"max_retries": 3, "retry_delay_seconds": 10})
    assert (older.retries, older.retry_delay) == (3, 10)
    newer = policy.model_validate({"max_retries": 3, "retries": 1, "retry_delay_seconds": 10, "retry_delay": 2})
    assert (newer.retries, newer.retry_delay) == (1, 2)
    assert policy.model_validate({"max_retries": 0}).retries is None


def test_the_body_that_was_sent_is_left_as_it_was() -> None:
    """Filling in is done on a copy."""
    body = {"max_retries": 3}
    FlowRunPolicy.model_validate(body)
    assert body == {"max_retries": 3}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(None, None), (3, 3), (0.5, 0.5), ([1, 2], [1, 2]), ([1, 2.5], [1.0, 2.5]), ([], []), ([1] * 50, [1] * 50)],
)
def test_task_runs_wait_alike_or_each_time_for_as_long_as_told(sent: object, kept: object) -> None:
    """One delay, or one for each of at most fifty retries."""
    assert TaskRunPolicy.model_validate({"retry_delay": sent}).retry_delay == kept


@pytest.mark.parametrize(
    ("policy", "body"),
    [
        (TaskRunPolicy, {"retry_delay": [1] * 51}),
        (TaskRunPolicy, {"retry_delay": [float("nan")]}),
        (TaskRunPolicy, {"retry_delay": float("inf")}),
        (TaskRunPolicy, {"retry_delay": 10**30}),
        (TaskRunPolicy, {"retry_jitter_factor": -1}),
        (TaskRunPolicy, {"retry_jitter_factor": float("nan")}),
        (FlowRunPolicy, {"retry_delay": 0.5}),
        (FlowRunPolicy, {"retries": 10**30}),
        (FlowRunPolicy, {"retry_delay_seconds": float("nan")}),
        (FlowRunPolicy, {"max_retries": "many"}),
        (FlowRunPolicy, {"retry_type": "tomorrow"}),
        (FlowRunPolicy, []),
    ],
)
def test_what_cannot_be_waited_for_is_refused(policy: Any, body: object) -> None:
    """Delays lie within the calendar and are numbers."""
    with pytest.raises(ValidationError):
        policy.model_validate(body)


def test_pauses_come_back_as_a_list() -> None:
    """The pauses that a run has seen are a set here and a list in JSON."""
    policy = FlowRunPolicy.model_validate({"pause_keys": ["a", "a"], "from_the_future": True})
    assert policy.pause_keys == {"a"}
    assert policy.model_dump(mode="json")["pause_keys"] == ["a"]
