"""Each rule about task runs: what is proposed, and what becomes of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.states import State, StateType
from lightwell.orchestration.effects import AcquireLease, EnqueueTaskRun, ReleaseHolder, StoreCacheKey
from lightwell.orchestration.needs import EnclosingFlowRun, TagLimit
from lightwell.orchestration.policies import (
    BACKGROUND_TASK_RUN_POLICY,
    CLIENT_ORCHESTRATED_TASK_RUN_POLICY,
    FORCED_TASK_RUN_POLICY,
)
from lightwell.orchestration.transition import TaskRun, Tuning
from tests.orchestration.building import (
    BEFORE,
    FLOW_RUN_ID,
    LATER,
    LIMIT_ID,
    NOW,
    STORED,
    TASK_RUN,
    details,
    had,
    state,
    task_run_decision,
    verdict,
)

_INSIDE = TASK_RUN._replace(flow_run_id=FLOW_RUN_ID)
_TAGGED = TASK_RUN._replace(tags=["a", "b"])
_OTHER_LIMIT = UUID(int=33)
_LEASE = UUID(int=99)
_TUNING = Tuning(new_id=lambda: _LEASE, chance=lambda: 0.5)


def _around(kind: StateType | None = StateType.RUNNING, run_count: int = 1) -> EnclosingFlowRun:
    return EnclosingFlowRun(FLOW_RUN_ID, run_count, kind, LATER, pause_reschedule=True)


@pytest.mark.parametrize(
    ("policy", "run_count", "seconds"),
    [
        ({"retries": 2}, 1, 0),
        ({"retries": 2, "retry_delay": 7}, 2, 7),
        ({"retries": 2, "retry_delay": 7}, 3, None),
        ({"retries": 3, "retry_delay": [1, 5]}, 1, 1),
        ({"retries": 3, "retry_delay": [1, 5]}, 2, 5),
        ({"retries": 3, "retry_delay": [1, 5]}, 3, 5),
        ({"retries": 3, "retry_delay": [1, 5]}, 0, 1),
        ({"retries": 3, "retry_delay": []}, 1, 0),
        ({"retries": 1, "retry_delay": 0, "retry_jitter_factor": 1}, 1, 0),
        ({"retries": 0}, 1, None),
        ({"retries": None}, 1, None),
        ({}, 1, None),
    ],
)
def test_retry_failed_task_run(policy: dict[str, Any], run_count: int, seconds: float | None) -> None:
    """A failed attempt is repeated after its delay; the last delay of a list goes on."""
    run = TASK_RUN._replace(run_count=run_count, empirical_policy=policy)
    decision = task_run_decision(had("RUNNING"), state("FAILED", message="why"), run)
    if seconds is None:
        assert verdict(decision) == "ACCEPT FAILED:Failed"
    else:
        assert verdict(decision) == "REJECT SCHEDULED:AwaitingRetry"
        assert details(decision).scheduled_time == NOW + timedelta(seconds=seconds)
        assert decision.state is not None
        assert decision.state.message == "why"


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.5, 0.999999])
def test_jitter_moves_the_retry(chance: float) -> None:
    """With a jitter factor of 1 a delay of 10 s becomes something between 4 and 20 s."""
    run = TASK_RUN._replace(run_count=1, empirical_policy={"retries": 1, "retry_delay": 10, "retry_jitter_factor": 1})
    decision = task_run_decision(had("RUNNING"), state("FAILED"), run, tuning=Tuning(chance=lambda: chance))
    scheduled = details(decision).scheduled_time
    assert scheduled is not None
    assert timedelta(seconds=4) < scheduled - NOW <= timedelta(seconds=20)


@pytest.mark.parametrize(
    ("retriable", "expected"), [(False, "ACCEPT FAILED:Failed"), (True, "REJECT SCHEDULED:AwaitingRetry")]
)
def test_the_client_decides_whether_a_failure_is_worth_a_retry(*, retriable: bool, expected: str) -> None:
    """A retry condition is evaluated by the client; the server only reads its result."""
    run = TASK_RUN._replace(run_count=1, empirical_policy={"retries": 1})
    assert verdict(task_run_decision(had("RUNNING"), state("FAILED", retriable=retriable), run)) == expected


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        (_around(StateType.RUNNING), "ACCEPT RUNNING:Running"),
        (_around(StateType.PAUSED), "REJECT PAUSED:NotReady"),
        (_around(StateType.CANCELLING), "ABORT"),
        (_around(StateType.PENDING), "ABORT"),
        (_around(None), "ABORT"),
        (None, "ACCEPT RUNNING:Running"),
    ],
)
def test_run_inside_running_flow_run(around: EnclosingFlowRun | None, expected: str) -> None:
    """A task run starts only while its flow run runs; with a paused one it pauses until the same time."""
    decision = task_run_decision(had("PENDING"), state("RUNNING"), _INSIDE, flow_run=around)
    assert verdict(decision) == expected
    if expected.startswith("REJECT"):
        assert (details(decision).pause_timeout, details(decision).pause_reschedule) == (LATER, True)
    if expected == "ABORT":
        assert decision.reason == "The enclosing flow must be running to begin task execution."


@pytest.mark.parametrize(
    ("initial", "run_count", "tracked", "expected", "count"),
    [
        (had("PENDING"), 0, 0, "Running", 1),
        (had("PENDING"), 1, 0, "Rerunning", 2),
        (had("SCHEDULED", "AwaitingRetry"), 1, 0, "Retrying", 2),
        (had("FAILED"), 3, 1, "Retrying", 1),
        (had("FAILED"), 3, 2, "Running", 1),
        (had("COMPLETED", data={"type": "unpersisted"}), 1, 1, "Retrying", 1),
        (None, 0, 0, "Running", 1),
    ],
)
def test_names_of_repeated_runs(initial: State | None, run_count: int, tracked: int, expected: str, count: int) -> None:
    """A rerun says what it is; after the end all attempts are there again, and the flow run's attempt is noted."""
    run = _INSIDE._replace(run_count=run_count, flow_run_run_count=tracked)
    decision = task_run_decision(initial, state("RUNNING"), run, flow_run=_around(run_count=2))
    assert verdict(decision) == f"ACCEPT RUNNING:{expected}"
    assert decision.changes.get("run_count", run_count) == count
    assert decision.changes.get("flow_run_run_count", tracked) == 2


@pytest.mark.parametrize(
    ("initial", "proposed", "expected"),
    [
        (had("COMPLETED", data=STORED), state("RUNNING"), "REJECT"),
        (had("COMPLETED", data=STORED), state("FAILED"), "REJECT"),
        (had("COMPLETED", data=[1]), state("RUNNING"), "ACCEPT RUNNING:Running"),
        (had("COMPLETED"), state("SCHEDULED"), "ACCEPT SCHEDULED:Scheduled"),
        (had("FAILED"), state("COMPLETED"), "ACCEPT COMPLETED:Completed"),
        (had("FAILED"), state("CRASHED"), "ABORT"),
        (had("CANCELLED"), state("PAUSED"), "ABORT"),
        (had("CRASHED"), state("CANCELLING"), "ABORT"),
    ],
)
def test_guard_ended_task_run(initial: State, proposed: State, expected: str) -> None:
    """A task run that has ended may run again, but not lose a stored result, and not be cancelled, paused or crash."""
    assert verdict(task_run_decision(initial, proposed)) == expected


def test_attempts_are_not_reset_when_the_rerun_is_refused() -> None:
    """A paused flow diverts the rerun: the count stays."""
    run = _INSIDE._replace(run_count=3)
    decision = task_run_decision(had("FAILED"), state("RUNNING"), run, flow_run=_around(StateType.PAUSED))
    assert verdict(decision) == "REJECT PAUSED:NotReady"
    assert "run_count" not in decision.changes


@pytest.mark.parametrize(
    ("limits", "expected", "taken"),
    [
        ([], "ACCEPT RUNNING:Running", None),
        ([TagLimit(LIMIT_ID, "a", 2, 1)], "ACCEPT RUNNING:Running", (LIMIT_ID,)),
        (
            [TagLimit(LIMIT_ID, "a", 2, 1), TagLimit(_OTHER_LIMIT, "b", 1, 0)],
            "ACCEPT RUNNING:Running",
            (LIMIT_ID, _OTHER_LIMIT),
        ),
        ([TagLimit(LIMIT_ID, "a", 2, 1), TagLimit(_OTHER_LIMIT, "b", 1, 1)], "WAIT", None),
        ([TagLimit(LIMIT_ID, "a", 0, 0), TagLimit(_OTHER_LIMIT, "b", 1, 1)], "ABORT", None),
        ([TagLimit(LIMIT_ID, "a", 1, 1, held=True)], "ACCEPT RUNNING:Running", None),
    ],
)
def test_secure_tag_slots(limits: list[TagLimit], expected: str, taken: tuple[UUID, ...] | None) -> None:
    """A task run takes a slot of all limits on its tags, or of none, and none twice."""
    decision = task_run_decision(had("PENDING"), state("RUNNING"), _TAGGED, tag_limits=tuple(limits), tuning=_TUNING)
    assert verdict(decision) == expected
    lease = AcquireLease(_LEASE, taken, None, "task_run", TASK_RUN.id) if taken else None
    assert decision.effects == ((lease,) if lease else ())


@pytest.mark.parametrize(("average", "seconds"), [(None, 10), (2.0, 2), (600.0, 10), (0.1, 1)])
def test_the_wait_for_a_slot_is_as_long_as_slots_are_held(average: float | None, seconds: int) -> None:
    """Never longer on average than the setting, never shorter than a second."""
    occupancy = timedelta(seconds=average) if average else None
    limit = TagLimit(LIMIT_ID, "a", 1, 1, occupancy)
    decision = task_run_decision(had("PENDING"), state("RUNNING"), _TAGGED, tag_limits=(limit,), tuning=_TUNING)
    assert decision.delay_seconds == seconds


def test_slots_are_not_kept_while_a_task_run_waits_for_its_time() -> None:
    """They are taken again when the time has come."""
    decision = task_run_decision(
        had("PENDING", scheduled_time=LATER), state("RUNNING"), _TAGGED, tag_limits=(TagLimit(LIMIT_ID, "a", 1, 0),)
    )
    assert verdict(decision) == "WAIT"
    assert decision.effects == ()


@pytest.mark.parametrize(
    ("initial", "proposed", "run", "released"),
    [
        (had("RUNNING"), state("COMPLETED"), _TAGGED, True),
        (had("RUNNING"), state("PAUSED"), _TAGGED, True),
        (had("CANCELLING"), state("CANCELLED"), _TAGGED, True),
        (had("RUNNING"), state("CANCELLING"), _TAGGED, False),
        (had("RUNNING"), state("COMPLETED"), TASK_RUN, False),
        (None, state("PENDING"), _TAGGED, False),
    ],
)
def test_release_tag_slots(initial: State | None, proposed: State, run: TaskRun, *, released: bool) -> None:
    """Slots are given back when the task run does not run any more; a task run without tags holds none."""
    expected = (ReleaseHolder("task_run", TASK_RUN.id),) if released else ()
    assert task_run_decision(initial, proposed, run).effects == expected
    assert task_run_decision(initial, proposed, run, policy=FORCED_TASK_RUN_POLICY).effects == expected


@pytest.mark.parametrize(
    ("proposed", "cached", "expected"),
    [
        (state("RUNNING", cache_key="k"), True, "REJECT COMPLETED:Cached"),
        (state("RUNNING", cache_key="k"), False, "ACCEPT RUNNING:Running"),
        (state("RUNNING", cache_key="k", refresh_cache=True), True, "ACCEPT RUNNING:Running"),
        (state("RUNNING"), True, "ACCEPT RUNNING:Running"),
    ],
)
def test_retrieve_cached_state(proposed: State, *, cached: bool, expected: str) -> None:
    """What is stored under the key is adopted under a new identity, before any slot is taken."""
    stored = had("COMPLETED", data=STORED, cache_key="k", flow_run_id=FLOW_RUN_ID)
    decision = task_run_decision(
        had("PENDING"),
        proposed,
        _TAGGED,
        cached_state=stored if cached else None,
        tag_limits=(TagLimit(LIMIT_ID, "a", 1, 0 if not cached or expected.startswith("ACCEPT") else 1),),
    )
    assert verdict(decision) == expected
    if expected.startswith("REJECT"):
        assert decision.state is not None
        assert decision.state.id != stored.id
        assert (decision.state.data, decision.state.timestamp) == (STORED, NOW)
        assert details(decision).flow_run_id is None
        assert stored.state_details.flow_run_id == FLOW_RUN_ID


@pytest.mark.parametrize(
    ("key", "expected", "stored"),
    [
        ("k", "ACCEPT COMPLETED:Completed", True),
        (None, "ACCEPT COMPLETED:Completed", False),
        ("k" * 2000, "ACCEPT COMPLETED:Completed", True),
        ("k" * 2001, "REJECT COMPLETED:Completed", False),
    ],
)
def test_store_cache_key(key: str | None, expected: str, *, stored: bool) -> None:
    """A completed state is found by its key, if the key is not too long; the run completes all the same."""
    proposed = state("COMPLETED", cache_key=key, cache_expiration=LATER)
    decision = task_run_decision(had("RUNNING"), proposed)
    assert verdict(decision) == expected
    assert decision.effects == ((StoreCacheKey(key or "", LATER, proposed.id),) if stored else ())


@pytest.mark.parametrize(
    ("initial", "proposed", "expected", "enqueued"),
    [
        (
            None,
            state("SCHEDULED", deferred=True),
            "ACCEPT SCHEDULED:Scheduled",
            EnqueueTaskRun(TASK_RUN.id, is_retry=False),
        ),
        (
            had("RUNNING"),
            state("SCHEDULED", "AwaitingRetry", deferred=True),
            "ACCEPT SCHEDULED:AwaitingRetry",
            EnqueueTaskRun(TASK_RUN.id, is_retry=True),
        ),
        (None, state("SCHEDULED"), "ACCEPT SCHEDULED:Scheduled", None),
        (had("PENDING"), state("PENDING", deferred=True), "ABORT", None),
        (had("RUNNING"), state("PENDING", deferred=True), "ABORT", None),
        (had("SCHEDULED"), state("PENDING", deferred=True), "ACCEPT PENDING:Pending", None),
    ],
)
def test_background_task_runs(
    initial: State | None, proposed: State, expected: str, enqueued: EnqueueTaskRun | None
) -> None:
    """A background task run is queued when it is scheduled, and taken by one worker alone."""
    decision = task_run_decision(initial, proposed, policy=BACKGROUND_TASK_RUN_POLICY)
    assert verdict(decision) == expected
    assert decision.effects == ((enqueued,) if enqueued else ())


@pytest.mark.parametrize(
    ("before", "after"), [("SCHEDULED", "PENDING"), ("PENDING", "RUNNING"), ("SCHEDULED", "RUNNING")]
)
def test_copy_task_parameters_id(before: str, after: str) -> None:
    """The parameters are found at each step, also when the step does not say where they are."""
    initial = had(before, task_parameters_id=LIMIT_ID, scheduled_time=BEFORE)
    kept = task_run_decision(initial, state(after, deferred=True), policy=BACKGROUND_TASK_RUN_POLICY)
    assert details(kept).task_parameters_id == LIMIT_ID
    own = state(after, deferred=True, task_parameters_id=FLOW_RUN_ID)
    assert details(task_run_decision(initial, own, policy=BACKGROUND_TASK_RUN_POLICY)).task_parameters_id == FLOW_RUN_ID


def test_a_client_that_takes_slots_itself_is_not_asked_for_them() -> None:
    """Its policy is that of other task runs without the tags' limits."""
    decision = task_run_decision(had("PENDING"), state("RUNNING"), _TAGGED, policy=CLIENT_ORCHESTRATED_TASK_RUN_POLICY)
    assert verdict(decision) == "ACCEPT RUNNING:Running"
    assert decision.effects == ()
