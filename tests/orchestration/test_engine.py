"""How the engine asks rules: in order, only those meant for the transition, and what an objection does."""

from typing import Any

import pytest

from lightwell.errors import Defect
from lightwell.orchestration.engine import decide, needs
from lightwell.orchestration.needs import Need
from lightwell.orchestration.policies import FLOW_RUN_POLICY, FORCED_FLOW_RUN_POLICY, TASK_RUN_POLICY
from lightwell.orchestration.transition import FlowRun, TaskRun, Transition
from tests.orchestration.building import (
    DEPLOYED,
    FLOW_RUN,
    FLOW_RUN_ID,
    LEASE_ID,
    NOW,
    TASK_RUN,
    flow_run_decision,
    had,
    state,
    verdicts_of,
)


def test_each_rule_that_is_asked_is_observed() -> None:
    """Name, verdict and reason of each; rules that are not meant for the transition are not asked."""
    told: list[tuple[str, str, str | None]] = []
    flow_run_decision(had("CANCELLED"), state("PENDING"), observe=lambda *seen: told.append(seen))
    assert told == [
        ("carry_deployment_lease", "ACCEPT", None),
        ("refuse_repeated_transition", "ACCEPT", None),
        ("guard_ended_flow_run", "ACCEPT", None),
        ("forget_pauses_on_rerun", "ACCEPT", None),
        ("submit_once", "ABORT", "This run is in a CANCELLED state and cannot become PENDING."),
    ]


def test_a_diverted_transition_is_asked_about_no_further() -> None:
    """The rules were chosen for the proposed type; they say nothing about another."""
    asked = verdicts_of(FLOW_RUN_POLICY, had("SCHEDULED"), state("CANCELLING"))
    assert asked[-1] == "cancel_at_once_without_infrastructure REJECT"


@pytest.mark.parametrize(
    ("initial", "proposed"),
    [
        (None, "PENDING"),
        ("PENDING", "RUNNING"),
        ("RUNNING", "COMPLETED"),
        ("RUNNING", "FAILED"),
        ("PENDING", "CRASHED"),
    ],
)
def test_the_ordinary_life_of_a_flow_run_needs_no_lookup(initial: str | None, proposed: str) -> None:
    """Also with a deployment, as long as no slot was taken for the run."""
    for run in (FLOW_RUN, DEPLOYED):
        transition = Transition(
            run=run,
            initial=had(initial) if initial else None,
            proposed=state(proposed),
            now=NOW,
            client_version="3.8.8",
        )
        policy = FLOW_RUN_POLICY if initial else FORCED_FLOW_RUN_POLICY
        assert needs(policy, transition) == frozenset()


@pytest.mark.parametrize(
    ("initial", "run", "client", "expected"),
    [
        (had("SCHEDULED"), DEPLOYED, None, {Need.DEPLOYMENT}),
        (had("SCHEDULED"), DEPLOYED, "3.0.1", set()),
        (had("SCHEDULED"), FLOW_RUN, None, set()),
        (had("PENDING"), DEPLOYED, None, set()),
    ],
)
def test_submitting_needs_the_deployment(
    initial: object, run: FlowRun, client: str | None, expected: set[Need]
) -> None:
    """Only where a slot would be taken."""
    transition = Transition(run=run, initial=initial, proposed=state("PENDING"), now=NOW, client_version=client)  # type: ignore[arg-type]
    assert needs(FLOW_RUN_POLICY, transition) == expected


@pytest.mark.parametrize(
    ("client", "expected"), [("3.8.8", {Need.DEPLOYMENT, Need.LEASE}), ("3.4.10", set()), ("?", set())]
)
def test_starting_with_a_slot_needs_its_lease(client: str, expected: set[Need]) -> None:
    """Only for a client that renews leases."""
    initial = had("PENDING", deployment_concurrency_lease_id=LEASE_ID)
    transition = Transition(run=DEPLOYED, initial=initial, proposed=state("RUNNING"), now=NOW, client_version=client)
    assert needs(FLOW_RUN_POLICY, transition) == expected


@pytest.mark.parametrize(
    ("run", "details", "expected"),
    [
        (TASK_RUN, {}, set()),
        (TASK_RUN._replace(flow_run_id=FLOW_RUN_ID), {}, {Need.FLOW_RUN}),
        (TASK_RUN._replace(tags=["t"]), {}, {Need.TAG_LIMITS}),
        (TASK_RUN, {"cache_key": "k"}, {Need.CACHED_STATE}),
        (TASK_RUN, {"cache_key": "k", "refresh_cache": True}, set()),
    ],
)
def test_what_a_running_task_run_needs(run: TaskRun, details: dict[str, Any], expected: set[Need]) -> None:
    """Its flow run, limits on its tags, and the cache: each where there can be any."""
    transition = Transition(run=run, initial=had("PENDING"), proposed=state("RUNNING", **details), now=NOW)
    assert needs(TASK_RUN_POLICY, transition) == expected


def test_a_decision_without_its_facts_is_a_defect() -> None:
    """The caller has forgotten to look up what `needs` said; the message names rule and need."""
    transition = Transition(run=DEPLOYED, initial=had("SCHEDULED"), proposed=state("PENDING"), now=NOW)
    with pytest.raises(Defect, match="secure_deployment_slot was asked without having: DEPLOYMENT"):
        decide(FLOW_RUN_POLICY, transition)


def test_the_transition_itself_never_changes() -> None:
    """Proposed state, initial state and policy are the caller's; the decision has copies."""
    run = FLOW_RUN._replace(empirical_policy={"resuming": True, "pause_keys": []})
    initial, proposed = had("PENDING", deployment_concurrency_lease_id=LEASE_ID), state("RUNNING")
    kept = (initial.model_dump_json(), proposed.model_dump_json())
    decision = flow_run_decision(initial, proposed, run)
    assert (initial.model_dump_json(), proposed.model_dump_json()) == kept
    assert run.empirical_policy == {"resuming": True, "pause_keys": []}
    assert decision.state is not proposed
