"""Business counters: a subscriber of the bus, so that only what was committed is counted."""

from collections.abc import Sequence
from typing import Final

from lightwell.events.facts import Fact
from lightwell.instrumentation import metrics

_KINDS: Final = {"prefect.flow-run": "flow_run", "prefect.task-run": "task_run"}


def count_facts(facts: Sequence[Fact]) -> None:
    """Count the facts of one commit, and the changes of state among them: `bus.subscribe(count_facts)`."""
    if not metrics.LIVE:
        return
    metrics.facts_committed(len(facts))
    for fact in facts:
        present = getattr(fact, "current", None)
        if present is not None:
            kind = _KINDS.get(fact.resource_id.rpartition(".")[0])
            if kind is not None:
                previous = getattr(fact, "previous", None)
                metrics.transition_committed(kind, previous and str(previous.value), str(present.value))
