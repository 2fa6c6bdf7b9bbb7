"""Each rule about flow runs: what is proposed, and what becomes of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.states import State
from lightwell.orchestration.effects import AcquireLease, PinLease, ReleaseLease, RenewLease
from lightwell.orchestration.needs import Deployment
from lightwell.orchestration.policies import FORCED_FLOW_RUN_POLICY, LATE_FLOW_RUN_POLICY
from lightwell.orchestration.transition import FlowRun, Tuning
from tests.orchestration.building import (
    BEFORE,
    DEPLOYED,
    DEPLOYMENT_ID,
    FLOW_RUN,
    LATER,
    LEASE_ID,
    LIMIT_ID,
    NOW,
    PARENT_ID,
    STORED,
    details,
    flow_run_decision,
    had,
    limited,
    state,
    verdict,
)

_LEASED = DEPLOYED
_TUNING = Tuning(new_id=lambda: UUID(int=99))
_NEW_LEASE = UUID(int=99)


@pytest.mark.parametrize(
    ("initial", "proposed", "expected"),
    [
        (had("SCHEDULED", scheduled_time=LATER), state("RUNNING"), 90),
        (had("PENDING", scheduled_time=LATER), state("RUNNING"), 90),
        (had("PENDING", scheduled_time=NOW + timedelta(milliseconds=700)), state("RUNNING"), 1),
        (had("PENDING", scheduled_time=NOW + timedelta(milliseconds=400)), state("RUNNING"), None),
        (had("PENDING", scheduled_time=BEFORE), state("RUNNING"), None),
        (had("PENDING"), state("RUNNING"), None),
        (had("PENDING"), state("RUNNING", scheduled_time=LATER), None),
        (had("PAUSED", scheduled_time=LATER), state("RUNNING"), None),
    ],
)
def test_wait_for_scheduled_time(initial: State, proposed: State, expected: int | None) -> None:
    """A run waits for the time of the state that it has, in whole seconds."""
    decision = flow_run_decision(initial, proposed)
    assert decision.delay_seconds == expected
    assert verdict(decision) == ("WAIT" if expected else "ACCEPT RUNNING:Running")
    if expected:
        assert decision.state is initial
        assert decision.reason == "The scheduled time is in the future."


@pytest.mark.parametrize(
    ("proposed", "expected"), [(state("PENDING"), LATER), (state("PENDING", scheduled_time=BEFORE), BEFORE)]
)
def test_copy_scheduled_time(proposed: State, expected: object) -> None:
    """Pending keeps the time for which the run was scheduled, unless it brings its own."""
    assert details(flow_run_decision(had("SCHEDULED", scheduled_time=LATER), proposed)).scheduled_time == expected


@pytest.mark.parametrize(
    ("policy", "run_count", "expected", "retry_type"),
    [
        ({"retries": 2, "retry_delay": 90}, 1, "REJECT SCHEDULED:AwaitingRetry", "in_process"),
        ({"retries": 2, "retry_delay": None}, 2, "REJECT SCHEDULED:AwaitingRetry", "in_process"),
        ({"retries": 2}, 3, "ACCEPT FAILED:Failed", None),
        ({"retries": 0}, 1, "ACCEPT FAILED:Failed", None),
        ({"retries": None}, 1, "ACCEPT FAILED:Failed", None),
        ({"retries": 0, "retry_type": "in_process"}, 1, "ACCEPT FAILED:Failed", None),
    ],
)
def test_retry_failed_flow_run(
    policy: Mapping[str, Any], run_count: int, expected: str, retry_type: str | None
) -> None:
    """A run fails only when its retries are used up; the policy says which kind of retry is under way."""
    run = FLOW_RUN._replace(run_count=run_count, empirical_policy={**policy, "pause_keys": ["k"], "resuming": True})
    decision = flow_run_decision(
        had("RUNNING", deployment_concurrency_lease_id=LEASE_ID), state("FAILED", message="why", data=1), run
    )
    assert verdict(decision) == expected
    assert decision.changes.get("empirical_policy", policy).get("retry_type") == retry_type
    assert decision.state is not None
    assert (decision.state.message, decision.state.data) == ("why", 1)
    if decision.status == "REJECT":
        assert details(decision).scheduled_time == NOW + timedelta(seconds=policy.get("retry_delay") or 0)
        assert details(decision).deployment_concurrency_lease_id == LEASE_ID
        assert decision.changes["empirical_policy"]["pause_keys"] == []
        assert decision.changes["empirical_policy"]["resuming"] is False


@pytest.mark.parametrize(
    ("initial", "proposed", "run", "expected"),
    [
        (had("RUNNING"), state("PAUSED"), FLOW_RUN, "ACCEPT PAUSED:Paused"),
        (None, state("PAUSED"), FLOW_RUN, "ABORT"),
        (had("PENDING"), state("PAUSED"), FLOW_RUN, "REJECT"),
        (had("PAUSED"), state("PAUSED"), FLOW_RUN, "REJECT"),
        (had("RUNNING"), state("PAUSED", pause_key="seen"), FLOW_RUN, "REJECT"),
        (had("RUNNING"), state("PAUSED", pause_key="new"), FLOW_RUN, "ACCEPT PAUSED:Paused"),
        (had("RUNNING"), state("PAUSED", "Suspended", pause_reschedule=True), FLOW_RUN, "ABORT"),
        (had("RUNNING"), state("PAUSED", "Suspended", pause_reschedule=True), DEPLOYED, "ACCEPT PAUSED:Suspended"),
        (
            had("RUNNING"),
            state("PAUSED", "Suspended", pause_reschedule=True),
            DEPLOYED._replace(parent_task_run_id=PARENT_ID),
            "ABORT",
        ),
    ],
)
def test_pause_running_flow_run(initial: State | None, proposed: State, run: FlowRun, expected: str) -> None:
    """Only a running flow run pauses, once for each key; one that cannot be started again is not suspended."""
    decision = flow_run_decision(initial, proposed, run._replace(empirical_policy={"pause_keys": ["seen"]}))
    assert verdict(decision) == expected
    if decision.writes:
        keys = decision.changes["empirical_policy"]["pause_keys"]
        assert keys[0] == "seen"
        assert keys[1] == (proposed.state_details.pause_key or keys[1])


@pytest.mark.parametrize(
    ("initial", "proposed", "run", "expected"),
    [
        (had("PAUSED"), state("RUNNING"), FLOW_RUN, "ACCEPT RUNNING:Running"),
        (had("PAUSED"), state("SCHEDULED", "Resuming"), FLOW_RUN, "ACCEPT SCHEDULED:Resuming"),
        (had("PAUSED"), state("COMPLETED"), FLOW_RUN, "ACCEPT COMPLETED:Completed"),
        (had("PAUSED"), state("PENDING"), FLOW_RUN, "REJECT"),
        (had("PAUSED", pause_reschedule=True), state("SCHEDULED"), FLOW_RUN, "REJECT"),
        (had("PAUSED", pause_reschedule=True), state("SCHEDULED"), DEPLOYED, "ACCEPT SCHEDULED:Scheduled"),
        (had("PAUSED", pause_timeout=LATER), state("RUNNING"), FLOW_RUN, "ACCEPT RUNNING:Running"),
        (had("PAUSED", pause_timeout=BEFORE), state("RUNNING"), FLOW_RUN, "REJECT FAILED:Failed"),
        (had("PAUSED", pause_timeout=BEFORE), state("CANCELLING"), FLOW_RUN, "ACCEPT CANCELLING:Cancelling"),
    ],
)
def test_resume_paused_flow_run(initial: State, proposed: State, run: FlowRun, expected: str) -> None:
    """A paused run goes on, ends or is cancelled; a pause that timed out ends in failure, unless it is cancelled."""
    decision = flow_run_decision(initial, proposed, run)
    assert verdict(decision) == expected
    assert not decision.writes or decision.changes["empirical_policy"]["resuming"] is True


@pytest.mark.parametrize(
    ("initial", "proposed", "run", "expected"),
    [
        (had("FAILED"), state("CANCELLING"), DEPLOYED, "ABORT"),
        (had("COMPLETED"), state("PAUSED"), DEPLOYED, "ABORT"),
        (had("CANCELLED"), state("CRASHED"), DEPLOYED, "ABORT"),
        (had("COMPLETED", data=STORED), state("RUNNING"), DEPLOYED, "REJECT"),
        (had("COMPLETED", data=STORED), state("SCHEDULED"), DEPLOYED, "REJECT"),
        (had("COMPLETED", data=STORED), state("FAILED"), DEPLOYED, "ACCEPT FAILED:Failed"),
        (had("COMPLETED", data={"type": "unpersisted"}), state("RUNNING"), DEPLOYED, "ACCEPT RUNNING:Running"),
        (had("COMPLETED", data=[1]), state("RUNNING"), DEPLOYED, "ACCEPT RUNNING:Running"),
        (had("COMPLETED"), state("RUNNING"), DEPLOYED, "ACCEPT RUNNING:Running"),
        (had("FAILED", data=STORED), state("RUNNING"), DEPLOYED, "ACCEPT RUNNING:Running"),
        (had("FAILED"), state("SCHEDULED"), FLOW_RUN, "ABORT"),
        (had("FAILED"), state("SCHEDULED"), DEPLOYED, "ACCEPT SCHEDULED:Scheduled"),
        (had("CANCELLED"), state("PENDING"), FLOW_RUN, "ABORT"),
    ],
)
def test_guard_ended_flow_run(initial: State, proposed: State, run: FlowRun, expected: str) -> None:
    """A run that has ended may run again, but not lose a stored result, and not be cancelled, paused or crash."""
    assert verdict(flow_run_decision(initial, proposed, run)) == expected


@pytest.mark.parametrize("policy", [None, FORCED_FLOW_RUN_POLICY])
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (STORED, None, "REJECT"),
        (STORED, {"type": "unpersisted"}, "REJECT"),
        (STORED, STORED, "ACCEPT COMPLETED:Completed"),
        (None, None, "ACCEPT COMPLETED:Completed"),
        ({"type": "unpersisted"}, None, "ACCEPT COMPLETED:Completed"),
    ],
)
def test_keep_stored_result(policy: Any, before: Any, after: Any, expected: str) -> None:
    """Completed again without the reference to the stored result is refused, even with force."""
    chosen = {"policy": policy} if policy else {}
    assert (
        verdict(flow_run_decision(had("COMPLETED", data=before), state("COMPLETED", data=after), **chosen)) == expected
    )


@pytest.mark.parametrize(
    ("proposed", "expected"),
    [
        (state("SCHEDULED"), {"resuming": False, "pause_keys": [], "retry_type": "reschedule", "retries": 1}),
        (state("RUNNING"), {"resuming": False, "pause_keys": [], "retry_type": None, "retries": 1}),
        (state("FAILED"), None),
    ],
)
def test_forget_pauses_on_rerun(proposed: State, expected: dict[str, Any] | None) -> None:
    """A rerun may pause at the same keys again, and counts as an attempt."""
    policy = {"retries": 1, "pause_keys": ["k"], "retry_type": "in_process"}
    decision = flow_run_decision(had("FAILED"), proposed, DEPLOYED._replace(empirical_policy=policy))
    assert decision.changes.get("empirical_policy") == expected


@pytest.mark.parametrize("kind", ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CRASHED", "CANCELLING"])
def test_end_cancelling_as_cancelled(kind: str) -> None:
    """A run that is being cancelled becomes Cancelled and nothing else."""
    assert verdict(flow_run_decision(had("CANCELLING"), state(kind))) == "REJECT"
    assert verdict(flow_run_decision(had("CANCELLING"), state("CANCELLED"))) == "ACCEPT CANCELLED:Cancelled"


@pytest.mark.parametrize("policy", [None, FORCED_FLOW_RUN_POLICY])
@pytest.mark.parametrize(
    ("initial", "pid", "expected"),
    [
        (had("SCHEDULED"), None, "REJECT CANCELLED:Cancelled"),
        (had("SCHEDULED", "AwaitingRetry"), "host:1", "ACCEPT CANCELLING:Cancelling"),
        (had("SCHEDULED", "Resuming"), "host:1", "REJECT CANCELLED:Cancelled"),
        (had("PAUSED", "Suspended", pause_reschedule=True), "host:1", "REJECT CANCELLED:Cancelled"),
        (had("PAUSED"), None, "ACCEPT CANCELLING:Cancelling"),
        (had("PENDING"), None, "ACCEPT CANCELLING:Cancelling"),
    ],
)
def test_cancel_at_once_without_infrastructure(policy: Any, initial: State, pid: str | None, expected: str) -> None:
    """Where no process is, nobody would turn Cancelling into Cancelled; force does not change that."""
    run = DEPLOYED._replace(infrastructure_pid=pid)
    chosen = {"policy": policy} if policy else {}
    assert verdict(flow_run_decision(initial, state("CANCELLING"), run, **chosen)) == expected


@pytest.mark.parametrize(
    ("initial", "proposed", "expected"),
    [
        (had("PENDING"), state("PENDING"), "ABORT"),
        (had("PENDING", "Submitting"), state("PENDING"), "ABORT"),
        (had("PENDING", "Submitting"), state("PENDING", "Submitting"), "ABORT"),
        (had("PENDING", scheduled_time=LATER), state("PENDING", "Submitting"), "ACCEPT PENDING:Submitting"),
        (had("RUNNING"), state("PENDING"), "ABORT"),
        (had("CANCELLED"), state("PENDING"), "ABORT"),
        (had("CANCELLING"), state("PENDING"), "REJECT"),
        (had("FAILED"), state("PENDING"), "ACCEPT PENDING:Pending"),
    ],
)
def test_submit_once(initial: State, proposed: State, expected: str) -> None:
    """The second worker is refused; the steps of one submission keep the scheduled time."""
    decision = flow_run_decision(initial, proposed)
    assert verdict(decision) == expected
    if decision.writes:
        assert details(decision).scheduled_time == initial.state_details.scheduled_time


@pytest.mark.parametrize(
    ("deployment", "client", "expected"),
    [
        (None, "3.8.8", "ABORT"),
        (Deployment(), "3.8.8", "ACCEPT PENDING:Pending"),
        (limited(slots=0), "3.8.8", "ABORT"),
        (limited(slots=2, taken=1), "3.8.8", "ACCEPT PENDING:Pending"),
        (limited(slots=2, taken=2), "3.8.8", "REJECT SCHEDULED:AwaitingConcurrencySlot"),
        (limited(slots=2, taken=2, collision_strategy="CANCEL_NEW"), "3.8.8", "REJECT CANCELLED:Cancelled"),
        (limited(slots=2, taken=2), "3.0.3", "ACCEPT PENDING:Pending"),
        (limited(slots=2, taken=2), None, "REJECT SCHEDULED:AwaitingConcurrencySlot"),
    ],
)
def test_secure_deployment_slot(deployment: Deployment | None, client: str | None, expected: str) -> None:
    """A run is submitted with a slot of its deployment, or not submitted."""
    decision = flow_run_decision(
        had("SCHEDULED"), state("PENDING"), DEPLOYED, client=client, deployment=deployment, tuning=_TUNING
    )
    assert verdict(decision) == expected
    takes = expected.startswith("ACCEPT") and client != "3.0.3" and deployment is not None and deployment.limit
    lease = AcquireLease(_NEW_LEASE, (LIMIT_ID,), timedelta(minutes=5), "flow_run", DEPLOYED.id)
    assert decision.effects == ((lease,) if takes else ())
    assert details(decision).deployment_concurrency_lease_id == (_NEW_LEASE if takes else None)
    if decision.status == "REJECT" and details(decision).scheduled_time is not None:
        assert details(decision).scheduled_time == NOW + timedelta(seconds=30)


def test_a_slot_is_not_kept_when_a_later_rule_objects() -> None:
    """What a rule did for the proposed state is undone with it."""
    decision = flow_run_decision(had("PAUSED"), state("PENDING"), DEPLOYED, deployment=limited())
    assert verdict(decision) == "REJECT"
    assert decision.effects == ()


@pytest.mark.parametrize(
    ("alive", "taken", "client", "expected", "effects"),
    [
        (True, 1, "3.8.8", "ACCEPT RUNNING:Running", (RenewLease(LEASE_ID, timedelta(seconds=60)),)),
        (
            False,
            0,
            "3.4.11",
            "ACCEPT RUNNING:Running",
            (AcquireLease(_NEW_LEASE, (LIMIT_ID,), timedelta(seconds=60), "flow_run", DEPLOYED.id),),
        ),
        (False, 1, "3.8.8", "REJECT CANCELLED:Cancelled", (ReleaseLease(LEASE_ID),)),
        (False, 1, "3.4.10", "ACCEPT RUNNING:Running", (PinLease(LEASE_ID),)),
        (False, 1, "3.4.11rc1", "ACCEPT RUNNING:Running", (PinLease(LEASE_ID),)),
        (True, 1, None, "ACCEPT RUNNING:Running", (PinLease(LEASE_ID),)),
    ],
)
def test_hold_deployment_slot_at_start(
    *, alive: bool, taken: int, client: str | None, expected: str, effects: tuple[Any, ...]
) -> None:
    """A run starts with a slot: its own, or another; the lease of a client that cannot renew it lives on."""
    decision = flow_run_decision(
        had("PENDING", deployment_concurrency_lease_id=LEASE_ID),
        state("RUNNING"),
        DEPLOYED,
        client=client,
        deployment=limited(taken=taken, grace_period=timedelta(seconds=60)),
        lease_is_alive=alive,
        tuning=_TUNING,
    )
    assert (verdict(decision), decision.effects) == (expected, effects)


@pytest.mark.parametrize(
    ("initial", "proposed", "expected"),
    [
        (had("PENDING", deployment_concurrency_lease_id=LEASE_ID), state("PENDING", "Submitting"), LEASE_ID),
        (had("RUNNING", deployment_concurrency_lease_id=LEASE_ID), state("COMPLETED"), LEASE_ID),
        (
            had("RUNNING", deployment_concurrency_lease_id=LEASE_ID),
            state("CANCELLING", deployment_concurrency_lease_id=DEPLOYMENT_ID),
            DEPLOYMENT_ID,
        ),
        (had("PENDING"), state("RUNNING", deployment_concurrency_lease_id=LEASE_ID), None),
    ],
)
def test_carry_deployment_lease(initial: State, proposed: State, expected: UUID | None) -> None:
    """The lease stays with the run, also when its worker sends a state without it."""
    assert details(flow_run_decision(initial, proposed)).deployment_concurrency_lease_id == expected


@pytest.mark.parametrize("policy", [None, FORCED_FLOW_RUN_POLICY])
@pytest.mark.parametrize(
    ("kind", "proposed", "released"),
    [
        ("RUNNING", state("COMPLETED"), True),
        ("RUNNING", state("PAUSED"), True),
        ("RUNNING", state("SCHEDULED", "AwaitingRetry"), True),
        ("PENDING", state("CRASHED"), True),
        ("CANCELLING", state("CANCELLED"), True),
        ("RUNNING", state("CANCELLING"), False),
        ("SCHEDULED", state("CANCELLED"), False),
    ],
)
def test_release_deployment_slot(policy: Any, kind: str, proposed: State, *, released: bool) -> None:
    """A slot is given back when the run does not run any more, whoever says so."""
    initial = had(kind, deployment_concurrency_lease_id=LEASE_ID)
    chosen = {"policy": policy} if policy else {}
    decision = flow_run_decision(initial, proposed, DEPLOYED, **chosen)
    assert decision.effects == ((ReleaseLease(LEASE_ID),) if released else ())


def test_a_retry_in_the_same_process_keeps_its_slot() -> None:
    """The process goes on renewing the lease while it waits."""
    run = DEPLOYED._replace(run_count=1, empirical_policy={"retries": 1})
    decision = flow_run_decision(had("RUNNING", deployment_concurrency_lease_id=LEASE_ID), state("FAILED"), run)
    assert verdict(decision) == "REJECT SCHEDULED:AwaitingRetry"
    assert decision.effects == ()


@pytest.mark.parametrize(
    ("initial", "expected"),
    [
        (had("SCHEDULED"), "ACCEPT SCHEDULED:Late"),
        (had("SCHEDULED", "Late"), "REJECT"),
        (had("PENDING"), "REJECT"),
        (had("RUNNING"), "REJECT"),
    ],
)
def test_mark_late_once(initial: State, expected: str) -> None:
    """Only what is scheduled and not late yet can be marked."""
    for policy in ({}, {"policy": LATE_FLOW_RUN_POLICY}):
        assert verdict(flow_run_decision(initial, state("SCHEDULED", "Late"), **policy)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        (limited(taken=1, collision_strategy="CANCEL_NEW"), "REJECT CANCELLED:Cancelled"),
        (limited(taken=0, collision_strategy="CANCEL_NEW"), "ACCEPT SCHEDULED:Late"),
        (limited(taken=1), "ACCEPT SCHEDULED:Late"),
        (Deployment(), "ACCEPT SCHEDULED:Late"),
        (None, "ACCEPT SCHEDULED:Late"),
    ],
)
def test_cancel_late_when_full(deployment: Deployment | None, expected: str) -> None:
    """A deployment that cancels what finds no slot does so for runs that no worker asked for."""
    decision = flow_run_decision(
        had("SCHEDULED"), state("SCHEDULED", "Late"), DEPLOYED, policy=LATE_FLOW_RUN_POLICY, deployment=deployment
    )
    assert verdict(decision) == expected


def test_refuse_repeated_transition() -> None:
    """The second request with the same transition id is answered with the state of the first."""
    initial = had("RUNNING", transition_id=LEASE_ID)
    decision = flow_run_decision(initial, state("RUNNING", transition_id=LEASE_ID))
    assert verdict(decision) == "REJECT"
    assert decision.state is initial
    assert verdict(flow_run_decision(initial, state("RUNNING", transition_id=LIMIT_ID))) == "ACCEPT RUNNING:Running"
