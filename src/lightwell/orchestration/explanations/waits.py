"""Why a run has not started, or does not go on: it waits for its time, a person, a slot, or somebody who starts it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from lightwell.contract.explanations import Certainty, Evidence, EvidenceKind, Reason, ReasonCode
from lightwell.contract.states import StateType
from lightwell.orchestration.explanations.reasons import moment, number, reason, thing
from lightwell.orchestration.explanations.situation import Situation
from lightwell.orchestration.explanations.words import clock, said, span

_RETRY: Final = "AwaitingRetry"
_SLOT: Final = "AwaitingConcurrencySlot"


def no_state(situation: Situation) -> Iterator[Reason]:
    """Nobody has proposed a state for it."""
    if situation.run.state is None:
        yield reason(ReasonCode.NO_STATE, "it was made without a state, and nobody has proposed one")


def awaiting_retry(situation: Situation) -> Iterator[Reason]:
    """It failed and is tried again, by the same process."""
    state, run = situation.run.state, situation.run
    if state is None or state.type is not StateType.SCHEDULED or state.name != _RETRY:
        return
    due = state.state_details.scheduled_time or run.due or state.timestamp
    attempt = f"attempt {run.run_count + 1}" + (f" of {run.retries + 1}" if run.retries is not None else "")
    if due > situation.now:
        text = f"it failed and waits for a retry: {attempt} starts in {span(due - situation.now)}, at {clock(due)}"
    else:
        text = (
            f"it failed and waits for a retry, {attempt}, which was due {span(situation.now - due)} ago: "
            "the process that would start it may be gone"
        )
    yield reason(
        ReasonCode.AWAITING_RETRY,
        said(text, state.message),
        moment(EvidenceKind.DUE, due),
        number(EvidenceKind.ATTEMPTS, run.run_count, "attempts"),
        since=situation.since,
    )


def awaiting_slot(situation: Situation) -> Iterator[Reason]:
    """Its deployment's limit was full when it was to start."""
    due = _due(situation)
    if due is None or not _is_called(situation, _SLOT) or due <= situation.now:
        return
    text = (
        "its deployment's concurrency limit was full when it was to start; "
        f"it asks again in {span(due - situation.now)}, at {clock(due)}"
    )
    yield reason(ReasonCode.AWAITING_CONCURRENCY_SLOT, text, moment(EvidenceKind.DUE, due), since=situation.since)


def awaiting_scheduled_time(situation: Situation) -> Iterator[Reason]:
    """It is early."""
    due = _due(situation)
    if due is None or due <= situation.now or _is_called(situation, _RETRY, _SLOT):
        return
    text = f"it waits for its scheduled time, {span(due - situation.now)} from now, at {clock(due)}"
    yield reason(ReasonCode.AWAITING_SCHEDULED_TIME, text, moment(EvidenceKind.DUE, due), since=situation.since)


def pool_or_queue_paused(situation: Situation) -> Iterator[Reason]:
    """Nobody gets runs of a queue that is paused."""
    queue = situation.queue
    if queue is None or not situation.is_in(StateType.SCHEDULED):
        return
    if queue.pool_paused:
        pool = thing(EvidenceKind.WORK_POOL, queue.pool_id, queue.pool_name)
        yield reason(ReasonCode.POOL_PAUSED, f"its work pool {queue.pool_name} is paused", pool)
    if queue.paused:
        yield reason(
            ReasonCode.QUEUE_PAUSED,
            f"its work queue {queue.name} of the pool {queue.pool_name} is paused",
            thing(EvidenceKind.WORK_QUEUE, queue.id, queue.name),
        )


def no_worker_polling(situation: Situation) -> Iterator[Reason]:
    """It is due, and whoever would start it does not ask for it."""
    due, queue, deployment = _overdue(situation), situation.queue, situation.deployment
    if due is None or (queue is None and deployment is None):
        return
    polled = max(
        (at for at in (queue and queue.last_polled, deployment and deployment.last_polled) if at), default=None
    )
    if polled is not None and situation.now - polled <= situation.expectations.polling:
        return
    evidence: list[Evidence] = [moment(EvidenceKind.DUE, due)]
    what = ""
    if deployment is not None:
        evidence.append(thing(EvidenceKind.DEPLOYMENT, deployment.id, deployment.name))
        what = f"its deployment {deployment.name}"
    if queue is not None:
        evidence.append(thing(EvidenceKind.WORK_QUEUE, queue.id, queue.name))
        what = f"its work queue {queue.name} of the pool {queue.pool_name}"
    if polled is not None:
        evidence.append(moment(EvidenceKind.LAST_POLLED, polled))
    asked = "nobody has ever asked" if polled is None else f"nobody has asked since {clock(polled)}"
    text = f"{asked} for runs of {what}, and it was due {span(situation.now - due)} ago"
    yield reason(ReasonCode.NO_WORKER_POLLING, text, *evidence, since=due)


def no_deployment(situation: Situation) -> Iterator[Reason]:
    """It is due, and no worker will ever be given it."""
    due = _overdue(situation)
    if due is None or situation.deployment is not None or situation.queue is not None:
        return
    if _is_called(situation, _RETRY):
        return
    text, evidence = (
        f"it was due {span(situation.now - due)} ago, at {clock(due)}, and ",
        [moment(EvidenceKind.DUE, due)],
    )
    if situation.lost_deployment_id is None:
        text += (
            "belongs to no deployment and to no work queue: no worker is given it, so only the process that made it "
            "can start it"
        )
    else:
        text += "its deployment does not exist any more: no worker is given it"
        evidence.append(thing(EvidenceKind.DEPLOYMENT, situation.lost_deployment_id, None))
    yield reason(ReasonCode.NO_DEPLOYMENT, text, *evidence, since=due)


def late(situation: Situation) -> Iterator[Reason]:
    """It is due, and nobody has taken it yet."""
    due = _overdue(situation)
    if due is None or _is_called(situation, _RETRY):
        return
    if situation.now - due < situation.expectations.late_after:
        text = f"it is due since {span(situation.now - due)} and is about to be taken"
        yield reason(ReasonCode.STARTING, text, moment(EvidenceKind.DUE, due), since=due, certainty=Certainty.LIKELY)
        return
    text = f"it should have started {span(situation.now - due)} ago, at {clock(due)}, and nobody has taken it"
    yield reason(ReasonCode.LATE, text, moment(EvidenceKind.DUE, due), since=due)


def paused(situation: Situation) -> Iterator[Reason]:
    """Somebody has to say that it shall go on."""
    state = situation.run.state
    if state is None or state.type is not StateType.PAUSED:
        return
    details, evidence = state.state_details, []
    suspended = details.pause_reschedule
    if details.pause_key:
        evidence.append(Evidence(kind=EvidenceKind.PAUSE_KEY, text=details.pause_key))
    what = "is suspended, without a process," if suspended else "is paused"
    wish = "waits for input" if details.run_input_keyset else "waits for somebody to resume it"
    text = f"it {what} and {wish}"
    if details.pause_timeout is not None:
        evidence.append(moment(EvidenceKind.TIMEOUT, details.pause_timeout))
        text += (
            f"; at {clock(details.pause_timeout)} the server fails it"
            if details.pause_timeout > situation.now
            else f"; it could be resumed until {clock(details.pause_timeout)}, and the server is about to fail it"
        )
    code = ReasonCode.SUSPENDED if suspended else ReasonCode.PAUSED
    yield reason(code, text, *evidence, since=situation.since)


def pending(situation: Situation) -> Iterator[Reason]:
    """It was submitted, and its process has not started."""
    due = _due(situation)
    if not situation.is_in(StateType.PENDING) or (due is not None and due > situation.now):
        return
    age = situation.now - situation.since
    process = situation.run.process
    evidence = [thing(EvidenceKind.PROCESS, None, process)] if process else []
    if age <= situation.expectations.pending:
        text = f"it was submitted {span(age)} ago and its process is expected to start"
        yield reason(ReasonCode.STARTING, text, *evidence, since=situation.since)
        return
    blame = (
        "its infrastructure may have crashed before the run began"
        if situation.deployment is not None
        else "the process that made it may be gone"
    )
    text = f"it was submitted {span(age)} ago and nobody has started it: {blame}"
    yield reason(ReasonCode.NOT_STARTED, text, *evidence, since=situation.since, certainty=Certainty.LIKELY)


def _due(situation: Situation) -> datetime | None:
    """When a run that has not started is to start."""
    state = situation.run.state
    if state is None or state.type not in {StateType.SCHEDULED, StateType.PENDING}:
        return None
    if state.type is StateType.PENDING:
        return state.state_details.scheduled_time
    return state.state_details.scheduled_time or situation.run.due or state.timestamp


def _overdue(situation: Situation) -> datetime | None:
    """When a scheduled run was to start that has not; None where there is time."""
    due = _due(situation) if situation.is_in(StateType.SCHEDULED) else None
    return due if due is not None and due <= situation.now else None


def _is_called(situation: Situation, *names: str) -> bool:
    return situation.run.state is not None and situation.run.state.name in names
