"""The observer given to the orchestration engine: each rule's verdict and reason, on the trace of the request.

Objections are counted as well, when they are made: what a unit that is tried again says is said twice.
"""

from time import perf_counter_ns
from typing import Final

from lightwell.instrumentation import metrics
from lightwell.instrumentation.recording import recording_to

_NO_OBJECTION: Final = "ACCEPT"


def observe_verdict(rule: str, verdict: str, reason: str | None = None) -> None:
    """Remember that `rule` gave `verdict` (`ACCEPT`, `REJECT`, `WAIT`, `ABORT`, ...) for `reason`."""
    entries = recording_to()
    if entries is not None:
        entries.append(("verdict", perf_counter_ns(), rule, verdict, reason or ""))
    if verdict != _NO_OBJECTION and metrics.LIVE:
        metrics.rule_objected(rule, str(verdict))
