"""What is recorded for every state that is written."""

from datetime import timedelta
from typing import Any

import pytest

from lightwell.contract.states import State
from lightwell.orchestration.effects import MirrorToParent
from lightwell.orchestration.policies import FORCED_FLOW_RUN_POLICY, FORCED_TASK_RUN_POLICY
from lightwell.orchestration.transition import FlowRun
from tests.orchestration.building import (
    BEFORE,
    DEPLOYED,
    FLOW_RUN,
    FLOW_RUN_ID,
    LATER,
    NOW,
    PARENT_ID,
    TASK_RUN,
    details,
    flow_run_decision,
    had,
    state,
    task_run_decision,
)

_TEN_SECONDS = NOW - BEFORE
_HAD_STARTED: dict[str, Any] = {"start_time": BEFORE, "run_count": 1, "expected_start_time": BEFORE}


@pytest.mark.parametrize(
    ("initial", "proposed", "run", "expected"),
    [
        (None, state("PENDING"), FLOW_RUN, {"expected_start_time": NOW}),
        (
            None,
            state("SCHEDULED", scheduled_time=LATER),
            FLOW_RUN,
            {"expected_start_time": LATER, "next_scheduled_start_time": LATER},
        ),
        (
            had("SCHEDULED", scheduled_time=BEFORE),
            state("PENDING"),
            FLOW_RUN._replace(expected_start_time=BEFORE),
            {"next_scheduled_start_time": None},
        ),
        (
            had("PENDING"),
            state("RUNNING"),
            FLOW_RUN._replace(expected_start_time=BEFORE),
            {"start_time": NOW, "run_count": 1},
        ),
        (
            had("RUNNING"),
            state("COMPLETED"),
            FLOW_RUN._replace(**_HAD_STARTED, total_run_time=timedelta(seconds=5)),
            {"end_time": NOW, "total_run_time": timedelta(seconds=5) + _TEN_SECONDS},
        ),
        (had("PENDING"), state("FAILED"), FLOW_RUN, {"expected_start_time": NOW, "start_time": NOW, "end_time": NOW}),
        (
            had("FAILED"),
            state("RUNNING"),
            FLOW_RUN._replace(**_HAD_STARTED, end_time=BEFORE),
            {
                "end_time": None,
                "run_count": 2,
                "empirical_policy": {"resuming": False, "pause_keys": [], "retry_type": None},
            },
        ),
        (had("FAILED"), state("CANCELLED"), FLOW_RUN._replace(**_HAD_STARTED, end_time=BEFORE), {}),
        (
            had("RUNNING"),
            state("RUNNING"),
            FLOW_RUN._replace(**_HAD_STARTED),
            {"run_count": 2, "total_run_time": _TEN_SECONDS},
        ),
    ],
)
def test_times_and_counts_of_a_flow_run(
    initial: State | None, proposed: State, run: FlowRun, expected: dict[str, Any]
) -> None:
    """Only the columns that a transition moves are in the changes, beside those of the state itself."""
    changes = dict(flow_run_decision(initial, proposed, run).changes)
    assert [changes.pop(f"state_{part}") for part in ("id", "type", "name", "timestamp")] == [
        proposed.id,
        proposed.type,
        proposed.name,
        NOW,
    ]
    assert changes == expected


@pytest.mark.parametrize(
    ("proposed", "resuming", "count"),
    [(state("RUNNING"), False, 1), (state("COMPLETED"), False, 1), (state("PENDING"), True, 1)],
)
def test_going_on_after_a_suspension_is_no_new_attempt(proposed: State, *, resuming: bool, count: int) -> None:
    """The mark is gone when the run runs again or has ended."""
    run = DEPLOYED._replace(run_count=1, empirical_policy={"resuming": True})
    decision = flow_run_decision(had("SCHEDULED", "Resuming"), proposed, run)
    assert decision.changes.get("empirical_policy", {"resuming": True})["resuming"] is resuming
    assert decision.changes.get("run_count", 1) == count


@pytest.mark.parametrize("offset", [timedelta(0), timedelta(seconds=1)])
def test_states_of_a_flow_run_have_an_order(offset: timedelta) -> None:
    """A clock that stands still or goes back does not make a state as old as the one before it."""
    initial = had("PENDING", at=NOW + offset)
    decision = flow_run_decision(initial, state("RUNNING"))
    assert decision.state is not None
    assert decision.state.timestamp == initial.timestamp + timedelta(microseconds=1)
    assert decision.changes["state_timestamp"] == decision.changes["start_time"] == decision.state.timestamp


def test_a_state_names_its_runs() -> None:
    """The details of a state point to its run, whatever the client says."""
    of_flow_run = details(
        flow_run_decision(had("PENDING"), state("RUNNING", flow_run_id=PARENT_ID, task_run_id=PARENT_ID))
    )
    assert (of_flow_run.flow_run_id, of_flow_run.task_run_id) == (FLOW_RUN.id, PARENT_ID)
    run = TASK_RUN._replace(flow_run_id=FLOW_RUN_ID)
    of_task_run = details(task_run_decision(None, state("PENDING", flow_run_id=PARENT_ID), run))
    assert (of_task_run.flow_run_id, of_task_run.task_run_id) == (FLOW_RUN_ID, TASK_RUN.id)


@pytest.mark.parametrize("policy", [None, FORCED_FLOW_RUN_POLICY])
def test_a_parent_follows_its_child(policy: Any) -> None:
    """The task run that stands for a flow run gets a copy of each state, with the child's id in it."""
    run = FLOW_RUN._replace(parent_task_run_id=PARENT_ID)
    decision = flow_run_decision(had("PENDING"), state("RUNNING"), run, **({"policy": policy} if policy else {}))
    (mirrored,) = decision.effects
    assert isinstance(mirrored, MirrorToParent)
    assert decision.state is not None
    assert mirrored.task_run_id == details(decision).task_run_id == PARENT_ID
    assert mirrored.state.id != decision.state.id
    assert mirrored.state.state_details.child_flow_run_id == run.id
    assert details(decision).child_flow_run_id is None
    followed = task_run_decision(had("PENDING"), mirrored.state, policy=FORCED_TASK_RUN_POLICY)
    assert details(followed).child_flow_run_id == run.id


def test_nothing_is_recorded_when_nothing_is_written() -> None:
    """An answer without a new state changes neither columns nor anything else."""
    run = FLOW_RUN._replace(parent_task_run_id=PARENT_ID)
    decision = flow_run_decision(had("CANCELLING"), state("RUNNING"), run)
    assert (decision.writes, dict(decision.changes), decision.effects) == (False, {}, ())
