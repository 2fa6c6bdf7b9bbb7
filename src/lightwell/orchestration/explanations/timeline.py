"""What happened to a run's state and what was kept from happening, in the order of time, with the traces of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise

from lightwell.contract.explanations import ExplainedTransition, StateEntered, TransitionRefused
from lightwell.contract.states import StateType
from lightwell.orchestration.explanations.situation import Came, Refused, Situation


def timeline(situation: Situation) -> list[ExplainedTransition]:
    """States and refusals by their first instants; a refusal stands before the state that was given in its place."""
    history = situation.history
    begin = history[0].state.timestamp if history and situation.is_shortened else None
    entered = [_entered(came, after, situation.now) for came, after in pairwise([*history, None]) if came is not None]
    refused = [_refused(one) for one in situation.refusals if begin is None or one.last >= begin]
    return sorted([*refused, *entered], key=lambda one: one.at)


def traces(transitions: Sequence[ExplainedTransition], own: str | None) -> list[str]:
    """The traces of these, each once, in order, and the run's own where it is another one."""
    found: Iterable[str | None] = [*(one.trace_id for one in transitions), own]
    return list(dict.fromkeys(one for one in found if one is not None))


def _entered(came: Came, after: Came | None, now: datetime) -> StateEntered:
    state = came.state
    until = after.state.timestamp if after is not None else None if state.is_terminal() else now
    return StateEntered(
        at=state.timestamp,
        state_id=state.id,
        type=state.type,
        name=state.name or state.type.value.capitalize(),
        message=state.message,
        seconds=None if until is None else (until - state.timestamp).total_seconds(),
        trace_id=came.trace_id,
    )


def _refused(one: Refused) -> TransitionRefused:
    return TransitionRefused.model_validate(
        {
            "at": one.first,
            "last": one.last,
            "times": one.times,
            "from_type": None if one.from_type is None else StateType(one.from_type),
            "type": StateType(one.type),
            "name": one.name,
            "rule": one.rule,
            "verdict": one.verdict,
            "reason": one.reason,
            "trace_id": one.trace_id,
        }
    )
