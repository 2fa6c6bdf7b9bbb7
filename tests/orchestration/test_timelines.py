"""How a flow run came where it is: its states and what was refused to it, in order."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from lightwell.contract.explanations import StateEntered, TransitionRefused
from lightwell.orchestration.explanations.explainer import explain
from lightwell.orchestration.explanations.situation import Came, Refused, Run, Situation
from tests.orchestration.building import NOW, state

ASKS_EARLY = Refused("SCHEDULED", "RUNNING", "Running", "wait_for_scheduled_time", "WAIT", "Too early.", NOW, NOW)


def ago(**length: float) -> datetime:
    """An instant so long before now."""
    return NOW - timedelta(**length)


def _trace(number: int) -> str:
    return f"{number:032x}"


def _history() -> Iterator[Came]:
    yield Came(state("SCHEDULED", at=ago(minutes=10)), _trace(1))
    yield Came(state("PENDING", at=ago(minutes=4)), _trace(3))
    yield Came(state("RUNNING", at=ago(minutes=3)))
    yield Came(state("FAILED", at=ago(minutes=1)), _trace(4))


def test_the_timeline_has_states_and_refusals_in_order() -> None:
    """A refusal stands before the state that was given in its place; the last state of an ended run has no length."""
    history = tuple(_history())
    refusals = (
        ASKS_EARLY._replace(first=ago(minutes=9), last=ago(minutes=8), times=3, trace_id=_trace(2)),
        ASKS_EARLY._replace(first=ago(minutes=1), last=ago(minutes=1), verdict="REJECT", trace_id=_trace(4)),
    )
    ended = Run(id=UUID(int=10), name="x", state=history[-1].state, trace_id=_trace(9))
    found = explain(Situation(now=NOW, run=ended, history=history, refusals=refusals))

    kinds = [type(one) for one in found.transitions]
    assert kinds == [StateEntered, TransitionRefused, StateEntered, StateEntered, TransitionRefused, StateEntered]
    lengths = [one.seconds for one in found.transitions if isinstance(one, StateEntered)]
    assert lengths == [360, 60, 120, None]
    assert found.traces == [_trace(1), _trace(2), _trace(3), _trace(4), _trace(9)]


def test_a_shortened_timeline_begins_with_a_state() -> None:
    """What was refused before it is left out too."""
    history = tuple(_history())[1:]
    refusals = (
        ASKS_EARLY._replace(first=ago(minutes=9), last=ago(minutes=8)),
        ASKS_EARLY._replace(first=ago(minutes=2), last=ago(minutes=2)),
    )
    ended = Run(id=UUID(int=10), name="x", state=history[-1].state)
    found = explain(Situation(now=NOW, run=ended, history=history, refusals=refusals, is_shortened=True))

    assert found.is_shortened
    assert [one.kind for one in found.transitions] == ["state", "state", "refusal", "state"]


def test_the_state_that_lasts_has_a_length_until_now() -> None:
    """How long it has lasted."""
    history = tuple(_history())[:3]
    found = explain(Situation(now=NOW, run=Run(id=UUID(int=1), name="x", state=history[-1].state), history=history))

    (*_, last) = found.transitions
    assert isinstance(last, StateEntered)
    assert last.seconds == 180
