"""The observer given to the orchestration engine: each rule's verdict and reason, on the trace of the request."""

from time import perf_counter_ns

from lightwell.instrumentation.recording import recording_to


def observe_verdict(rule: str, verdict: str, reason: str | None = None) -> None:
    """Remember that `rule` gave `verdict` (`ACCEPT`, `REJECT`, `WAIT`, `ABORT`, ...) for `reason`."""
    entries = recording_to()
    if entries is not None:
        entries.append(("verdict", perf_counter_ns(), rule, verdict, reason or ""))
