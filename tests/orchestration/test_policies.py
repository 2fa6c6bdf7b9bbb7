"""The contents page: which rules there are, and that their order is the behaviour we promise."""

from collections.abc import Sequence
from typing import Any

import pytest

from lightwell.contract.states import State
from lightwell.orchestration.policies import (
    BACKGROUND_TASK_RUN_POLICY,
    CLIENT_ORCHESTRATED_TASK_RUN_POLICY,
    FLOW_RUN_POLICY,
    FORCED_FLOW_RUN_POLICY,
    FORCED_TASK_RUN_POLICY,
    LATE_FLOW_RUN_POLICY,
    POLICIES,
    TASK_RUN_POLICY,
    flow_run_policy,
    task_run_policy,
)
from lightwell.orchestration.policy import Policy
from tests.orchestration.building import LEASE_ID, STORED, flow_run_decision, had, state


def _names(policy: Policy[Any]) -> list[str]:
    return [rule.name for rule in policy.rules]


@pytest.mark.parametrize(
    ("policy", "earlier", "later"),
    [
        (FLOW_RUN_POLICY, "refuse_repeated_transition", "guard_ended_flow_run"),
        (FLOW_RUN_POLICY, "guard_ended_flow_run", "submit_once"),
        (FLOW_RUN_POLICY, "end_cancelling_as_cancelled", "submit_once"),
        (FLOW_RUN_POLICY, "cancel_at_once_without_infrastructure", "resume_paused_flow_run"),
        (FLOW_RUN_POLICY, "pause_running_flow_run", "resume_paused_flow_run"),
        (FLOW_RUN_POLICY, "secure_deployment_slot", "resume_paused_flow_run"),
        (FLOW_RUN_POLICY, "hold_deployment_slot_at_start", "wait_for_scheduled_time"),
        (FLOW_RUN_POLICY, "copy_scheduled_time", "wait_for_scheduled_time"),
        (TASK_RUN_POLICY, "retrieve_cached_state", "guard_ended_task_run"),
        (TASK_RUN_POLICY, "retrieve_cached_state", "secure_tag_slots"),
        (TASK_RUN_POLICY, "restart_attempts_on_rerun", "name_reruns"),
        (TASK_RUN_POLICY, "run_inside_running_flow_run", "secure_tag_slots"),
        (TASK_RUN_POLICY, "secure_tag_slots", "wait_for_scheduled_time"),
        (BACKGROUND_TASK_RUN_POLICY, "submit_once", "retrieve_cached_state"),
    ],
)
def test_order_of_rules(policy: Policy[Any], earlier: str, later: str) -> None:
    """The first objection counts."""
    names = _names(policy)
    assert names.index(earlier) < names.index(later)


@pytest.mark.parametrize(
    ("initial", "proposed", "reason"),
    [
        (
            had("COMPLETED", data=STORED, transition_id=LEASE_ID),
            state("RUNNING", transition_id=LEASE_ID),
            "This run has already made this state transition.",
        ),
        (had("CANCELLING"), state("PENDING"), "A run that is being cancelled can only become Cancelled."),
        (had("PAUSED"), state("PAUSED"), "Only a running flow run can be paused."),
    ],
)
def test_of_two_objections_the_first_is_told(initial: State, proposed: State, reason: str) -> None:
    """Where two rules would object, the order decides which answer the client gets."""
    assert flow_run_decision(initial, proposed).reason == reason


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (FORCED_TASK_RUN_POLICY, []),
        (
            FORCED_FLOW_RUN_POLICY,
            ["carry_deployment_lease", "keep_stored_result", "cancel_at_once_without_infrastructure"],
        ),
        (LATE_FLOW_RUN_POLICY, ["carry_deployment_lease", "mark_late_once", "cancel_late_when_full"]),
        (CLIENT_ORCHESTRATED_TASK_RUN_POLICY, [name for name in _names(TASK_RUN_POLICY) if name != "secure_tag_slots"]),
    ],
)
def test_small_policies(policy: Policy[Any], expected: Sequence[str]) -> None:
    """Force spares a transition most rules, but not those that protect results and runs without infrastructure."""
    assert _names(policy) == list(expected)


def test_names_are_unique() -> None:
    """A policy asks no rule twice, and no two policies have one name."""
    assert len({policy.name for policy in POLICIES}) == len(POLICIES)
    for policy in POLICIES:
        names = _names(policy)
        assert len(set(names)) == len(names)


def test_the_policy_for_a_proposal() -> None:
    """By force and, for task runs, by who runs them."""
    assert flow_run_policy(force=False) is FLOW_RUN_POLICY
    assert flow_run_policy(force=True) is FORCED_FLOW_RUN_POLICY
    assert task_run_policy(state("RUNNING"), force=False) is TASK_RUN_POLICY
    assert task_run_policy(state("RUNNING"), force=True) is FORCED_TASK_RUN_POLICY
    assert task_run_policy(state("RUNNING", deferred=True), force=True) is BACKGROUND_TASK_RUN_POLICY
