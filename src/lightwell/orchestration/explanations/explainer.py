"""From what is known of a flow run to why it is where it is; every detector is asked, and most have nothing to say."""

from collections.abc import Callable, Iterable
from typing import Final

from lightwell.contract.explanations import Certainty, Explanation, Reason
from lightwell.orchestration.explanations import endings, surroundings, waits
from lightwell.orchestration.explanations.situation import Situation
from lightwell.orchestration.explanations.timeline import timeline, traces

DETECTORS: Final[tuple[Callable[[Situation], Iterable[Reason]], ...]] = (
    waits.no_state,
    endings.completed,
    endings.crashed,
    endings.failed,
    endings.task_runs_failed,
    endings.cancelled,
    endings.cancelling,
    endings.parent_ended,
    waits.paused,
    waits.pool_or_queue_paused,
    surroundings.limits_full,
    waits.awaiting_retry,
    waits.awaiting_slot,
    waits.awaiting_scheduled_time,
    waits.no_worker_polling,
    waits.no_deployment,
    waits.pending,
    waits.late,
    surroundings.loop_stale,
    surroundings.running,
    surroundings.refused,
)
"""The contents page; what is only possible comes after all that is known, whatever its place here."""

_LONGEST_NAME: Final = 80


def explain(situation: Situation) -> Explanation:
    """Why the run is where it is; the same situation always gives the same answer."""
    found = [reason for detect in DETECTORS for reason in detect(situation)]
    found.sort(key=lambda reason: reason.certainty is Certainty.POSSIBLE)
    run, transitions = situation.run, timeline(situation)
    state = run.state
    return Explanation(
        flow_run_id=run.id,
        name=run.name,
        flow_name=run.flow_name,
        deployment_name=situation.deployment.name if situation.deployment else None,
        state_type=state.type if state else None,
        state_name=state.name if state else None,
        now=situation.now,
        headline=_headline(situation, found),
        reasons=[reason.model_copy(update={"text": _sentence(reason.text)}) for reason in found],
        transitions=transitions,
        is_shortened=situation.is_shortened,
        traces=traces(transitions, run.trace_id),
    )


def _headline(situation: Situation, reasons: list[Reason]) -> str:
    run = situation.run
    where = f" is {_cut(run.state.name or '')}" if run.state else " has no state"
    why = f": {reasons[0].text}" if reasons else ""
    return _sentence(f"{_cut(run.name)}{where}{why}", capital=False)


def _sentence(text: str, *, capital: bool = True) -> str:
    begun = f"{text[:1].upper()}{text[1:]}" if capital else text
    return begun if begun.endswith((".", '."', '!"', '?"')) else f"{begun}."


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
