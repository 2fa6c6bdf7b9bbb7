"""What around a run holds it up: full limits, loops that are behind, refusals; and how a run that runs is."""

from collections.abc import Iterator
from typing import Final

from lightwell.contract.explanations import Certainty, Evidence, EvidenceKind, Reason, ReasonCode
from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.explanations.reasons import moment, number, reason, thing
from lightwell.orchestration.explanations.situation import Holder, Limit, Situation
from lightwell.orchestration.explanations.words import clock, quoted, span

_HOLDER_NAMES: Final = {"flow_run": "flow run", "task_run": "task run", "deployment": "deployment"}
_CERTAINTY: Final = {"deployment": Certainty.CERTAIN, "tag": Certainty.LIKELY, "name": Certainty.POSSIBLE}


def limits_full(situation: Situation) -> Iterator[Reason]:
    """A limit that the run, or one of its task runs, needs has no slot left."""
    if situation.is_in(*TERMINAL_STATES):
        return
    for limit in situation.limits:
        taken = f"{limit.taken} of {limit.slots} slots are taken"
        text = f"the concurrency limit {limit.name} is full, {taken}{_held_by(limit, situation)}"
        if limit.waiting:
            more = f" and {len(limit.waiting) - 1} more" if len(limit.waiting) > 1 else ""
            text = f"task run {limit.waiting[0][1]}{more} cannot start: {text}"
        if limit.hold == "name":
            text += "; somebody was refused lately, and clients do not say for which run they ask"
        yield reason(
            ReasonCode.CONCURRENCY_LIMIT_FULL,
            text,
            thing(EvidenceKind.CONCURRENCY_LIMIT, limit.id, limit.name),
            number(EvidenceKind.SLOTS, limit.slots, "slots"),
            number(EvidenceKind.SLOTS_TAKEN, limit.taken, "slots"),
            *(_as_evidence(holder) for holder in limit.holders),
            *(thing(EvidenceKind.TASK_RUN, task_id, name) for task_id, name in limit.waiting),
            since=max((holder.since for holder in limit.holders), default=None),
            certainty=_CERTAINTY[limit.hold],
        )


def _held_by(limit: Limit, situation: Situation) -> str:
    if not limit.holders:
        return ", by holders that are not named"
    first = limit.holders[0]
    more = f" and {len(limit.holders) - 1} more" if len(limit.holders) > 1 else ""
    who = f"{_HOLDER_NAMES.get(first.kind or '', 'a lease')} {first.name or first.id or ''}".strip()
    return f", by {who} for {span(situation.now - first.since)}{more}"


def _as_evidence(holder: Holder) -> Evidence:
    return Evidence(
        kind=EvidenceKind.HOLDER,
        id=holder.id,
        name=holder.name,
        number=holder.slots,
        unit="slots",
        at=holder.since,
        text=_HOLDER_NAMES.get(holder.kind or ""),
    )


def loop_stale(situation: Situation) -> Iterator[Reason]:
    """The loop of the server that should have moved the run on by now does not do its work."""
    name = _responsible(situation)
    if name is None:
        return
    health = situation.loops.get(name)
    if health is None:
        text = f"the server that was asked does not run the loop {name}, which is to move it on"
        evidence = thing(EvidenceKind.LOOP, None, name)
        yield reason(ReasonCode.LOOP_STALE, text, evidence, certainty=Certainty.POSSIBLE)
    elif health.stale:
        at = situation.now - health.since_success
        text = f"the server's loop {name}, which is to move it on, last did its work {span(health.since_success)} ago"
        yield reason(
            ReasonCode.LOOP_STALE,
            text,
            thing(EvidenceKind.LOOP, None, name),
            moment(EvidenceKind.LAST_SUCCESS, at),
            since=at,
        )


def _responsible(situation: Situation) -> str | None:
    state, now, limits = situation.run.state, situation.now, situation.expectations
    if state is None:
        return None
    if state.type is StateType.CANCELLING:
        return "cancellation_cleanup" if now - state.timestamp > limits.cancelling_timeout else None
    if state.type is StateType.PAUSED:
        timeout = state.state_details.pause_timeout
        return "pause_expirations" if timeout is not None and timeout < now else None
    due = state.state_details.scheduled_time or situation.run.due
    if state.type is StateType.SCHEDULED and state.name == "Scheduled" and due is not None:
        return "late_runs" if now - due > limits.late_after else None
    return None


def running(situation: Situation) -> Iterator[Reason]:
    """It runs, and was last heard of then."""
    if not situation.is_in(StateType.RUNNING):
        return
    signs = situation.signs
    kinds = (
        (EvidenceKind.LAST_EVENT, "an event", signs.event),
        (EvidenceKind.LAST_LOG, "a log line", signs.log),
        (EvidenceKind.LAST_TASK_RUN_STATE, "a state of a task run", signs.task_run),
    )
    heard = [(at, word, kind) for kind, word, at in kinds if at is not None]
    evidence = [moment(kind, at) for at, _, kind in heard]
    text = f"it has been running for {span(situation.now - situation.since)}"
    last = situation.since
    if heard:
        last, word, _ = max(heard)
        text += f"; the last sign of life was {word}, {span(situation.now - last)} ago"
    silence = situation.now - max(last, situation.since)
    yield reason(ReasonCode.RUNNING, text, *evidence, since=situation.since)
    if silence > situation.expectations.silence:
        text = f"nothing has been heard of it for {span(silence)}: its process may be gone, or it may be busy"
        yield reason(ReasonCode.SILENT, text, *evidence, since=situation.now - silence, certainty=Certainty.POSSIBLE)


def refused(situation: Situation) -> Iterator[Reason]:
    """What was proposed since the run is in its state, and refused."""
    if not situation.refusals:
        return
    last = situation.refusals[-1]
    if last.last <= situation.since:
        return
    times = f" {last.times} times since {clock(last.first)}" if last.times > 1 else f" at {clock(last.last)}"
    text = f"{last.name} was proposed{times} and refused with {last.verdict} by the rule {last.rule}"
    if last.reason:
        text += f": {quoted(last.reason)}"
    rule = Evidence(kind=EvidenceKind.RULE, name=last.rule, number=last.times, unit="times", at=last.last)
    yield reason(ReasonCode.REFUSED, text, rule, since=last.first)
