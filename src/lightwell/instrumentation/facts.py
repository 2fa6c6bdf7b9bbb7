"""Business counters: a subscriber of the bus, so that only what was committed is counted."""

from collections.abc import Sequence

from lightwell.events.facts import Fact
from lightwell.events.runs import RunStateChanged
from lightwell.instrumentation import business, metrics


def count_facts(facts: Sequence[Fact]) -> None:
    """Count the facts of one commit, and the changes of state among them: `bus.subscribe(count_facts)`."""
    if not metrics.LIVE:
        return
    stated = 0
    delays = []
    for fact in facts:
        if isinstance(fact, RunStateChanged):
            previous = None if fact.previous is None else fact.previous.value
            business.run_moved(fact.kind, previous, fact.current.value, *fact.times)
        if fact.received is not None:
            delays.append((fact.received - fact.occurred).total_seconds())
        elif fact.is_event:
            stated += 1
    business.events_stored(stated, delays)
