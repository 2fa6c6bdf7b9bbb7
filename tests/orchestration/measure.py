"""Prints what decisions cost: `python -m tests.orchestration.measure` (microseconds, the best of many)."""

import sys
from collections.abc import Callable
from timeit import repeat
from typing import Any

from lightwell.orchestration.engine import decide, needs
from lightwell.orchestration.policies import FLOW_RUN_POLICY, FORCED_FLOW_RUN_POLICY, TASK_RUN_POLICY
from lightwell.orchestration.policy import Policy
from lightwell.orchestration.transition import FlowRun, TaskRun, Transition
from tests.orchestration.building import FLOW_RUN, NOW, TASK_RUN, had, state

_NUMBER = 5000


def main() -> None:
    """Measure a whole decision (transition, needs, decide) for the ordinary life of runs."""
    tell: Callable[[str, str, str | None], None] = lambda *_: None  # noqa: E731 - the smallest observer
    cases: list[tuple[str, Policy[Any], FlowRun | TaskRun, str | None, str]] = [
        ("flow run: new, Pending", FORCED_FLOW_RUN_POLICY, FLOW_RUN, None, "PENDING"),
        ("flow run: Pending, Running", FLOW_RUN_POLICY, FLOW_RUN, "PENDING", "RUNNING"),
        ("flow run: Running, Completed", FLOW_RUN_POLICY, FLOW_RUN, "RUNNING", "COMPLETED"),
        ("task run: Pending, Running", TASK_RUN_POLICY, TASK_RUN, "PENDING", "RUNNING"),
        ("task run: Running, Completed", TASK_RUN_POLICY, TASK_RUN, "RUNNING", "COMPLETED"),
    ]
    for title, policy, run, initial, proposed in cases:
        before, after = had(initial) if initial else None, state(proposed)
        for observed, observer in (("", None), (", observed", tell)):

            def once(policy: Policy[Any] = policy, run: Any = run, observer: Any = observer) -> None:
                transition = Transition(run=run, initial=before, proposed=after, now=NOW, client_version="3.8.8")  # noqa: B023
                needs(policy, transition)
                decide(policy, transition, observer)

            best = min(repeat(once, number=_NUMBER, repeat=7)) / _NUMBER * 1e6
            sys.stdout.write(f"{title + observed:<45}{best:6.1f}\n")


if __name__ == "__main__":
    main()
