"""Why a run is where it is: each situation with its reasons in order, and with its headline word for word."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from lightwell.contract.explanations import Certainty, Explanation, ReasonCode
from lightwell.contract.states import StateType
from lightwell.orchestration.explanations.explainer import explain
from lightwell.orchestration.explanations.situation import (
    Deployment,
    Expectations,
    FailedTask,
    Holder,
    Limit,
    LoopAge,
    Parent,
    Queue,
    Refused,
    Run,
    Signs,
    Situation,
)
from lightwell.orchestration.explanations.words import quoted, span
from tests.orchestration.building import NOW, state

QUEUE = Queue(
    UUID(int=30), "default", paused=False, last_polled=None, pool_id=UUID(int=31), pool_name="pool", pool_paused=False
)
DEPLOYMENT = Deployment(UUID(int=20), "nightly")
HEALTHY = {
    name: LoopAge(timedelta(seconds=2), stale=False)
    for name in ("late_runs", "pause_expirations", "cancellation_cleanup")
}
FULL = Limit(UUID(int=40), "deployment:20", 1, 1, "deployment")
ASKS_EARLY = Refused("SCHEDULED", "RUNNING", "Running", "wait_for_scheduled_time", "WAIT", "Too early.", NOW, NOW)


def ago(**length: float) -> datetime:
    """An instant so long before now."""
    return NOW - timedelta(**length)


def ahead(**length: float) -> datetime:
    """An instant so long after now."""
    return NOW + timedelta(**length)


def run(kind: str | None, name: str | None = None, at: datetime = NOW, message: str | None = None, **more: Any) -> Run:
    """A run in a state of this type; members of the run, the rest are details of the state."""
    own = {key: more.pop(key) for key in ("run_time", "run_count", "retries", "process", "due") if key in more}
    now_in = None if kind is None else state(kind, name, at=at, message=message, **more)
    return Run(id=UUID(int=10), name="dapper-fox", flow_name="etl", state=now_in, **own)


def scheduled(at: datetime, name: str | None = None, **more: Any) -> Run:
    """A run that is to start at an instant."""
    return run("SCHEDULED", name, at=ago(hours=1), scheduled_time=at, **more)


class Case(NamedTuple):
    """What is known, the codes in their order, and the headline."""

    name: str
    run: Run
    known: dict[str, Any]
    codes: tuple[str, ...]
    headline: str


CASES = (
    Case(
        "nobody has proposed a state",
        run(None),
        {},
        ("NO_STATE",),
        "dapper-fox has no state: it was made without a state, and nobody has proposed one.",
    ),
    Case(
        "it ended well",
        run("COMPLETED", at=ago(minutes=5), run_time=timedelta(minutes=3, seconds=7)),
        {},
        ("COMPLETED",),
        "dapper-fox is Completed: nothing is wrong: it ended well at 2026-03-01 11:55:00 UTC and ran for 3 min 7 s.",
    ),
    Case(
        "its code raised",
        run("FAILED", message="Flow run encountered an exception: ValueError: no good\nTraceback"),
        {},
        ("FAILED",),
        'dapper-fox is Failed: it failed: "Flow run encountered an exception: ValueError: no good".',
    ),
    Case(
        "the last of its attempts failed",
        run("FAILED", run_count=3, retries=2),
        {},
        ("FAILED",),
        "dapper-fox is Failed: it failed in attempt 3 of 3.",
    ),
    Case(
        "it ran out of its time",
        run("FAILED", "TimedOut", message="Flow run exceeded timeout of 2 seconds"),
        {},
        ("FAILED",),
        'dapper-fox is TimedOut: it ran out of its time: "Flow run exceeded timeout of 2 seconds".',
    ),
    Case(
        "tasks failed in it",
        run("FAILED", message="2/5 states failed."),
        {
            "failed_tasks": (
                FailedTask(UUID(int=1), "load-0", "Failed", ago(minutes=2), "KeyError: 'x'"),
                FailedTask(UUID(int=2), "load-1", "Crashed", ago(minutes=1), None),
            )
        },
        ("FAILED", "TASK_RUNS_FAILED"),
        'dapper-fox is Failed: it failed: "2/5 states failed."',
    ),
    Case(
        "its infrastructure crashed",
        run("CRASHED", message="Flow run infrastructure exited with non-zero status code -9.", process="host:77"),
        {},
        ("CRASHED",),
        "dapper-fox is Crashed: its process or its infrastructure crashed: "
        '"Flow run infrastructure exited with non-zero status code -9."',
    ),
    Case(
        "somebody cancelled it",
        run("CANCELLED", message="The limit is reached."),
        {},
        ("CANCELLED",),
        'dapper-fox is Cancelled: it was cancelled: "The limit is reached."',
    ),
    Case(
        "it was cancelled with the run around it",
        run("CANCELLED"),
        {"parent": Parent(UUID(int=50), "around", StateType.CANCELLED, "Cancelled", ago(seconds=20))},
        ("CANCELLED", "PARENT_ENDED"),
        "dapper-fox is Cancelled: it was cancelled.",
    ),
    Case(
        "the run around it failed",
        run("RUNNING", at=ago(minutes=1)),
        {"parent": Parent(UUID(int=50), "around", StateType.FAILED, "Failed", ago(seconds=20))},
        ("PARENT_ENDED", "RUNNING"),
        "dapper-fox is Running: the flow run around it, around, became Failed at 2026-03-01 11:59:40 UTC.",
    ),
    Case(
        "the run around it failed, and it did for itself",
        run("FAILED"),
        {"parent": Parent(UUID(int=50), "around", StateType.FAILED, "Failed", ago(seconds=20))},
        ("FAILED",),
        "dapper-fox is Failed: it failed.",
    ),
    Case(
        "the run around it goes on",
        run("RUNNING", at=ago(minutes=1)),
        {"parent": Parent(UUID(int=50), "around", StateType.RUNNING, "Running", ago(minutes=2))},
        ("RUNNING",),
        "dapper-fox is Running: it has been running for 1 min.",
    ),
    Case(
        "it is being cancelled",
        run("CANCELLING", at=ago(seconds=40)),
        {},
        ("CANCELLING",),
        "dapper-fox is Cancelling: it was asked to stop 40 s ago and nobody has confirmed it; at 2026-03-01 12:04:20 "
        "UTC the server calls it Cancelled.",
    ),
    Case(
        "nobody ends its cancellation",
        run("CANCELLING", at=ago(minutes=20)),
        {"loops": {**HEALTHY, "cancellation_cleanup": LoopAge(timedelta(minutes=19), stale=True)}},
        ("CANCELLING", "LOOP_STALE"),
        "dapper-fox is Cancelling: it was asked to stop 20 min ago and nobody has confirmed it; that is longer than "
        "the 5 min the server waits for it.",
    ),
    Case(
        "it is paused",
        run("PAUSED", at=ago(minutes=1), pause_timeout=ahead(minutes=4), pause_key="approval"),
        {},
        ("PAUSED",),
        "dapper-fox is Paused: it is paused and waits for somebody to resume it; at 2026-03-01 12:04:00 UTC the server "
        "fails it.",
    ),
    Case(
        "it waits for input",
        run("PAUSED", run_input_keyset={"schema": "s"}),
        {},
        ("PAUSED",),
        "dapper-fox is Paused: it is paused and waits for input.",
    ),
    Case(
        "it is suspended",
        run("PAUSED", "Suspended", pause_reschedule=True),
        {},
        ("SUSPENDED",),
        "dapper-fox is Suspended: it is suspended, without a process, and waits for somebody to resume it.",
    ),
    Case(
        "its pause is over, and the server does not say so",
        run("PAUSED", at=ago(minutes=9), pause_timeout=ago(minutes=4)),
        {"loops": {}},
        ("PAUSED", "LOOP_STALE"),
        "dapper-fox is Paused: it is paused and waits for somebody to resume it; it could be resumed until "
        "2026-03-01 11:56:00 UTC, and the server is about to fail it.",
    ),
    Case(
        "it is early",
        scheduled(ahead(days=2, hours=3)),
        {"deployment": DEPLOYMENT},
        ("AWAITING_SCHEDULED_TIME",),
        "dapper-fox is Scheduled: it waits for its scheduled time, 2 d 3 h from now, at 2026-03-03 15:00:00 UTC.",
    ),
    Case(
        "it was submitted early",
        run("PENDING", at=ago(minutes=3), scheduled_time=ahead(seconds=20)),
        {"deployment": DEPLOYMENT},
        ("AWAITING_SCHEDULED_TIME",),
        "dapper-fox is Pending: it waits for its scheduled time, 20 s from now, at 2026-03-01 12:00:20 UTC.",
    ),
    Case(
        "it waits for a retry",
        scheduled(ahead(seconds=30), "AwaitingRetry", run_count=1, retries=3, message="ValueError: no good"),
        {},
        ("AWAITING_RETRY",),
        "dapper-fox is AwaitingRetry: it failed and waits for a retry: attempt 2 of 4 starts in 30 s, at 2026-03-01 "
        '12:00:30 UTC: "ValueError: no good".',
    ),
    Case(
        "its retry is due, and nobody is there",
        scheduled(ago(minutes=10), "AwaitingRetry", run_count=1),
        {},
        ("AWAITING_RETRY",),
        "dapper-fox is AwaitingRetry: it failed and waits for a retry, attempt 2, which was due 10 min ago: the "
        "process that would start it may be gone.",
    ),
    Case(
        "its deployment has no slot for it",
        scheduled(ahead(seconds=12), "AwaitingConcurrencySlot"),
        {
            "deployment": DEPLOYMENT,
            "limits": (FULL._replace(holders=(Holder(ago(minutes=4), 1, "flow_run", UUID(int=11), "busy-bee"),)),),
        },
        ("CONCURRENCY_LIMIT_FULL", "AWAITING_CONCURRENCY_SLOT"),
        "dapper-fox is AwaitingConcurrencySlot: the concurrency limit deployment:20 is full, 1 of 1 slots are taken, "
        "by flow run busy-bee for 4 min.",
    ),
    Case(
        "its deployment had no slot for it",
        scheduled(ahead(seconds=12), "AwaitingConcurrencySlot"),
        {"deployment": DEPLOYMENT},
        ("AWAITING_CONCURRENCY_SLOT",),
        "dapper-fox is AwaitingConcurrencySlot: its deployment's concurrency limit was full when it was to start; it "
        "asks again in 12 s, at 2026-03-01 12:00:12 UTC.",
    ),
    Case(
        "the slots are taken by nobody by name",
        scheduled(ago(minutes=2), "Late"),
        {"deployment": DEPLOYMENT._replace(last_polled=ago(seconds=5)), "limits": (FULL,)},
        ("CONCURRENCY_LIMIT_FULL", "LATE"),
        "dapper-fox is Late: the concurrency limit deployment:20 is full, 1 of 1 slots are taken, by holders that are "
        "not named.",
    ),
    Case(
        "nobody has ever polled its queue",
        scheduled(ago(minutes=2), "Late"),
        {"queue": QUEUE, "deployment": DEPLOYMENT},
        ("NO_WORKER_POLLING", "LATE"),
        "dapper-fox is Late: nobody has ever asked for runs of its work queue default of the pool pool, and it was due "
        "2 min ago.",
    ),
    Case(
        "its worker is gone",
        scheduled(ago(minutes=2), "Late"),
        {"queue": QUEUE._replace(last_polled=ago(minutes=7))},
        ("NO_WORKER_POLLING", "LATE"),
        "dapper-fox is Late: nobody has asked since 2026-03-01 11:53:00 UTC for runs of its work queue default of the "
        "pool pool, and it was due 2 min ago.",
    ),
    Case(
        "nobody serves its deployment",
        scheduled(ago(minutes=2), "Late"),
        {"deployment": DEPLOYMENT},
        ("NO_WORKER_POLLING", "LATE"),
        "dapper-fox is Late: nobody has ever asked for runs of its deployment nightly, and it was due 2 min ago.",
    ),
    Case(
        "its worker asks, and does not take it",
        scheduled(ago(minutes=2), "Late"),
        {"queue": QUEUE._replace(last_polled=ago(seconds=7))},
        ("LATE",),
        "dapper-fox is Late: it should have started 2 min ago, at 2026-03-01 11:58:00 UTC, and nobody has taken it.",
    ),
    Case(
        "its pool and its queue are paused",
        scheduled(ago(minutes=2), "Late"),
        {"queue": QUEUE._replace(paused=True, pool_paused=True, last_polled=ago(seconds=7))},
        ("POOL_PAUSED", "QUEUE_PAUSED", "LATE"),
        "dapper-fox is Late: its work pool pool is paused.",
    ),
    Case(
        "it was made for nobody",
        scheduled(ago(minutes=2), "Late"),
        {},
        ("NO_DEPLOYMENT", "LATE"),
        "dapper-fox is Late: it was due 2 min ago, at 2026-03-01 11:58:00 UTC, and belongs to no deployment and to no "
        "work queue: no worker is given it, so only the process that made it can start it.",
    ),
    Case(
        "its deployment was deleted",
        scheduled(ago(minutes=2), "Late"),
        {"lost_deployment_id": UUID(int=20)},
        ("NO_DEPLOYMENT", "LATE"),
        "dapper-fox is Late: it was due 2 min ago, at 2026-03-01 11:58:00 UTC, and its deployment does not exist any "
        "more: no worker is given it.",
    ),
    Case(
        "it is due just now",
        scheduled(ago(seconds=3)),
        {"queue": QUEUE._replace(last_polled=ago(seconds=2)), "loops": HEALTHY},
        ("STARTING",),
        "dapper-fox is Scheduled: it is due since 3 s and is about to be taken.",
    ),
    Case(
        "the loop that marks late runs is behind",
        scheduled(ago(minutes=5)),
        {
            "queue": QUEUE._replace(last_polled=ago(seconds=2)),
            "loops": {**HEALTHY, "late_runs": LoopAge(timedelta(minutes=6), stale=True)},
        },
        ("LATE", "LOOP_STALE"),
        "dapper-fox is Scheduled: it should have started 5 min ago, at 2026-03-01 11:55:00 UTC, and nobody has taken "
        "it.",
    ),
    Case(
        "its process is about to start",
        run("PENDING", at=ago(seconds=12), process="host:77"),
        {},
        ("STARTING",),
        "dapper-fox is Pending: it was submitted 12 s ago and its process is expected to start.",
    ),
    Case(
        "its infrastructure never came",
        run("PENDING", at=ago(minutes=12)),
        {"deployment": DEPLOYMENT},
        ("NOT_STARTED",),
        "dapper-fox is Pending: it was submitted 12 min ago and nobody has started it: its infrastructure may have "
        "crashed before the run began.",
    ),
    Case(
        "who made it is gone",
        run("PENDING", at=ago(minutes=12)),
        {},
        ("NOT_STARTED",),
        "dapper-fox is Pending: it was submitted 12 min ago and nobody has started it: the process that made it may "
        "be gone.",
    ),
    Case(
        "it runs",
        run("RUNNING", at=ago(minutes=30)),
        {"signs": Signs(event=ago(minutes=9), log=ago(seconds=3), task_run=ago(minutes=8))},
        ("RUNNING",),
        "dapper-fox is Running: it has been running for 30 min; the last sign of life was a log line, 3 s ago.",
    ),
    Case(
        "it runs and says nothing",
        run("RUNNING", at=ago(hours=2)),
        {"signs": Signs(event=ago(minutes=25))},
        ("RUNNING", "SILENT"),
        "dapper-fox is Running: it has been running for 2 h; the last sign of life was an event, 25 min ago.",
    ),
    Case(
        "its tasks find no slot",
        run("RUNNING", at=ago(minutes=3)),
        {
            "limits": (
                FULL._replace(
                    name="tag:db",
                    hold="tag",
                    slots=2,
                    taken=2,
                    holders=(Holder(ago(minutes=1), 1, "task_run", UUID(int=8), "greedy"), Holder(ago(seconds=1))),
                    waiting=((UUID(int=9), "load-0"), (UUID(int=7), "load-1")),
                ),
            )
        },
        ("CONCURRENCY_LIMIT_FULL", "RUNNING"),
        "dapper-fox is Running: task run load-0 and 1 more cannot start: the concurrency limit tag:db is full, 2 of 2 "
        "slots are taken, by task run greedy for 1 min and 1 more.",
    ),
    Case(
        "it may wait for a named limit",
        run("RUNNING", at=ago(minutes=3)),
        {"limits": (FULL._replace(name="db", hold="name", holders=(Holder(ago(minutes=1)),)),)},
        ("RUNNING", "CONCURRENCY_LIMIT_FULL"),
        "dapper-fox is Running: it has been running for 3 min.",
    ),
    Case(
        "a full limit does not concern what has ended",
        run("CANCELLED"),
        {"limits": (FULL,)},
        ("CANCELLED",),
        "dapper-fox is Cancelled: it was cancelled.",
    ),
    Case(
        "what it asks for is refused",
        run("PENDING", at=ago(seconds=30)),
        {
            "refusals": (
                ASKS_EARLY._replace(first=ago(minutes=9), last=ago(minutes=8)),
                ASKS_EARLY._replace(first=ago(seconds=20), last=ago(seconds=2), times=4),
            )
        },
        ("STARTING", "REFUSED"),
        "dapper-fox is Pending: it was submitted 30 s ago and its process is expected to start.",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_situation_has_its_reasons(case: Case) -> None:
    """The headline says the first reason, and each reason is a sentence."""
    found = explain(Situation(now=NOW, run=case.run, **case.known))

    assert [reason.code for reason in found.reasons] == list(case.codes)
    assert found.headline == case.headline
    for reason in found.reasons:
        assert reason.text[0].isupper()
        assert reason.text[-1] in {".", '"'}
        assert reason.since is None or reason.since <= NOW
    assert Explanation.model_validate_json(found.model_dump_json()) == found


def test_every_code_has_a_case() -> None:
    """No detector is left untried."""
    assert {code for case in CASES for code in case.codes} == set(ReasonCode)


def test_every_code_is_in_the_manual() -> None:
    """With what somebody who reads it can do."""
    manual = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()

    assert not [code for code in ReasonCode if f"`{code}`" not in manual]


def test_what_is_only_possible_comes_last() -> None:
    """Whatever its place on the contents page."""
    for case in CASES:
        certain = [reason.certainty is not Certainty.POSSIBLE for reason in explain(_of(case)).reasons]
        assert certain == sorted(certain, reverse=True)


def _of(case: Case) -> Situation:
    return Situation(now=NOW, run=case.run, **case.known)


def test_what_counts_as_too_long_can_be_told() -> None:
    """By the server's settings."""
    patient = Expectations(pending=timedelta(hours=1), late_after=timedelta(hours=1))
    pending = Situation(now=NOW, run=run("PENDING", at=ago(minutes=30)), expectations=patient)
    late = Situation(now=NOW, run=scheduled(ago(minutes=30)), expectations=patient, queue=QUEUE)

    assert [reason.code for reason in explain(pending).reasons] == ["STARTING"]
    assert [reason.code for reason in explain(late).reasons] == ["NO_WORKER_POLLING", "STARTING"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a second"),
        (0.2, "less than a second"),
        (1, "1 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (90_061, "1 d 1 h"),
        (86_400 * 400, "400 d"),
    ],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    """The two largest units, if the second is not none."""
    assert span(timedelta(seconds=seconds)) == words


def test_what_was_said_is_cut() -> None:
    """Its first line that says something, and not more than a screen holds."""
    assert quoted("\n  \n first \nsecond") == '"first"'
    assert quoted(None) == quoted(" \n") == ""
    assert len(quoted("x" * 5000)) == 302


def test_a_name_of_any_length_leaves_a_headline() -> None:
    """Names are the client's."""
    found = explain(Situation(now=NOW, run=Run(id=UUID(int=1), name="n" * 500, state=state("RUNNING", "s" * 500))))

    assert len(found.headline) < 300
