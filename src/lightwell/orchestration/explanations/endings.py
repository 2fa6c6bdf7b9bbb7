"""Why a run has ended as it has, or is about to."""

from collections.abc import Iterator

from lightwell.contract.explanations import Certainty, EvidenceKind, Reason, ReasonCode
from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.explanations.reasons import moment, number, reason, thing
from lightwell.orchestration.explanations.situation import Situation
from lightwell.orchestration.explanations.words import clock, quoted, said, span


def completed(situation: Situation) -> Iterator[Reason]:
    """Nothing is wrong."""
    if situation.is_in(StateType.COMPLETED):
        text = f"nothing is wrong: it ended well at {clock(situation.since)} and ran for {span(situation.run.run_time)}"
        yield reason(ReasonCode.COMPLETED, text, since=situation.since)


def failed(situation: Situation) -> Iterator[Reason]:
    """Its code raised, it ran out of time, or the server failed it; the message of the state says which."""
    state, run = situation.run.state, situation.run
    if state is None or state.type is not StateType.FAILED:
        return
    attempts = number(EvidenceKind.ATTEMPTS, run.run_count, "attempts")
    what = "it ran out of its time" if state.name == "TimedOut" else "it failed"
    tries = f" in attempt {run.run_count} of {run.retries + 1}" if run.retries else ""
    text = said(f"{what}{tries}", state.message)
    yield reason(ReasonCode.FAILED, text, attempts, since=situation.since)


def crashed(situation: Situation) -> Iterator[Reason]:
    """Its process or what it runs on is gone."""
    state = situation.run.state
    if state is None or state.type is not StateType.CRASHED:
        return
    text = said("its process or its infrastructure crashed", state.message)
    process = situation.run.process
    evidence = [thing(EvidenceKind.PROCESS, None, process)] if process else []
    yield reason(ReasonCode.CRASHED, text, *evidence, since=situation.since)


def task_runs_failed(situation: Situation) -> Iterator[Reason]:
    """Task runs that failed in a run that failed."""
    tasks = situation.failed_tasks
    if not tasks or not situation.is_in(StateType.FAILED, StateType.CRASHED):
        return
    more = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    first = tasks[0]
    text = said(f"task run {first.name}{more} ended as {first.state_name}", first.message)
    evidence = [
        thing(EvidenceKind.TASK_RUN, task.id, task.name, task.since).model_copy(
            update={"text": quoted(task.message) or None}
        )
        for task in tasks
    ]
    yield reason(
        ReasonCode.TASK_RUNS_FAILED,
        text,
        *evidence,
        since=min(task.since for task in tasks),
        certainty=Certainty.LIKELY,
    )


def cancelled(situation: Situation) -> Iterator[Reason]:
    """Somebody cancelled it."""
    state = situation.run.state
    if state is not None and state.type is StateType.CANCELLED:
        yield reason(ReasonCode.CANCELLED, said("it was cancelled", state.message), since=situation.since)


def parent_ended(situation: Situation) -> Iterator[Reason]:
    """The run around it has ended before it, or was cancelled with it."""
    parent = situation.parent
    if parent is None or parent.state_type not in TERMINAL_STATES or parent.state_type is StateType.COMPLETED:
        return
    if situation.is_in(*TERMINAL_STATES) and not situation.is_in(StateType.CANCELLED, StateType.CRASHED):
        return
    when = f" at {clock(parent.since)}" if parent.since else ""
    text = f"the flow run around it, {parent.name}, became {parent.state_name}{when}"
    evidence = thing(EvidenceKind.FLOW_RUN, parent.id, parent.name, parent.since)
    yield reason(ReasonCode.PARENT_ENDED, text, evidence, since=parent.since)


def cancelling(situation: Situation) -> Iterator[Reason]:
    """Somebody cancels it, and its process or its worker has not confirmed that it stopped."""
    if not situation.is_in(StateType.CANCELLING):
        return
    over = situation.since + situation.expectations.cancelling_timeout
    outlook = (
        f"at {clock(over)} the server calls it Cancelled"
        if over > situation.now
        else f"that is longer than the {span(situation.expectations.cancelling_timeout)} the server waits for it"
    )
    text = f"it was asked to stop {span(situation.now - situation.since)} ago and nobody has confirmed it; {outlook}"
    yield reason(ReasonCode.CANCELLING, text, moment(EvidenceKind.TIMEOUT, over), since=situation.since)
