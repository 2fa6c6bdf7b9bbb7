"""The transitions whose outcome on the reference server is kept in `data/transitions.json`.

`record.py` plays them against a server and writes the outcomes; `test_parity.py` plays them against our rules.
A step is the name of a state, with `!` before it when it is set by force; the first is the run's first state.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

_RESULT = {"type": "reference", "storage_key": "k"}
_TRANSITION = "5b1c2d34-0000-4000-8000-000000000001"

STATES: Mapping[str, Mapping[str, Any]] = {
    "scheduled": {"type": "SCHEDULED"},
    "scheduled_later": {"type": "SCHEDULED", "state_details": {"scheduled_time": 3600}},
    "awaiting_retry": {"type": "SCHEDULED", "name": "AwaitingRetry"},
    "late": {"type": "SCHEDULED", "name": "Late"},
    "resuming": {"type": "SCHEDULED", "name": "Resuming"},
    "pending": {"type": "PENDING"},
    "pending_later": {"type": "PENDING", "state_details": {"scheduled_time": 3600}},
    "submitting": {"type": "PENDING", "name": "Submitting"},
    "running": {"type": "RUNNING"},
    "running_known": {"type": "RUNNING", "state_details": {"transition_id": _TRANSITION}},
    "running_cacheable": {"type": "RUNNING", "state_details": {"cache_key": "KEY"}},
    "running_refreshing": {"type": "RUNNING", "state_details": {"cache_key": "KEY", "refresh_cache": True}},
    "completed": {"type": "COMPLETED"},
    "completed_stored": {"type": "COMPLETED", "data": _RESULT},
    "completed_unstored": {"type": "COMPLETED", "data": {"type": "unpersisted"}},
    "completed_long_key": {"type": "COMPLETED", "state_details": {"cache_key": "k" * 2001}},
    "failed": {"type": "FAILED"},
    "failed_for_good": {"type": "FAILED", "state_details": {"retriable": False}},
    "cancelled": {"type": "CANCELLED"},
    "crashed": {"type": "CRASHED"},
    "paused": {"type": "PAUSED", "state_details": {"pause_key": "here"}},
    "paused_elsewhere": {"type": "PAUSED", "state_details": {"pause_key": "there"}},
    "paused_too_long": {"type": "PAUSED", "state_details": {"pause_timeout": -60}},
    "suspended": {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}},
    "cancelling": {"type": "CANCELLING"},
}
"""By name; times are seconds from now, `KEY` stands for a cache key that is new in each case."""

_ENDED = ["failed", "cancelled", "crashed"]
_COMPLETED = ["completed", "completed_stored", "completed_unstored"]
_PAUSED = ["paused", "paused_too_long", "suspended"]
_SCHEDULED = ["scheduled", "scheduled_later", "awaiting_retry"]
_PENDING = ["pending", "pending_later", "submitting"]
_RUNNING = ["running", "running_known"]

_FLOW_RUN_INITIAL = [
    *_SCHEDULED,
    "late",
    "resuming",
    *_PENDING,
    *_RUNNING,
    *_COMPLETED,
    *_ENDED,
    *_PAUSED,
    "cancelling",
]
_FLOW_RUN_PROPOSED = [
    "scheduled",
    "late",
    "pending",
    "submitting",
    *_RUNNING,
    "completed",
    "completed_stored",
    *_ENDED,
    "paused",
    "suspended",
    "cancelling",
]
_TASK_RUN_INITIAL = [*_SCHEDULED, "pending", "running", *_COMPLETED, *_ENDED, "paused", "cancelling"]
_TASK_RUN_PROPOSED = [
    "scheduled",
    "pending",
    "running",
    "completed",
    "completed_stored",
    "completed_long_key",
    *_ENDED,
    "paused",
    "cancelling",
]


class Case(NamedTuple):
    """Steps of one run; `kind` says what sort of run it is (see `record.py` and `replay.py`)."""

    kind: str
    steps: tuple[str, ...]


def opening(case: Case) -> tuple[str, tuple[str, ...]]:
    """The state to create the run with, and the steps that follow.

    The reference server cannot create a run in a state with data: such a state follows by force.
    """
    first, *steps = case.steps
    if "data" in STATES[first]:
        return first.partition("_")[0], (f"!{first}", *steps)
    return first, tuple(steps)


def _pairs(kinds: str, initial: list[str], proposed: list[str], prefix: str = "") -> list[Case]:
    return [Case(kind, (a, f"{prefix}{b}")) for kind in kinds.split() for a in initial for b in proposed]


def _sequences(text: str) -> list[Case]:
    lines = (line.split() for line in text.strip().splitlines())
    return [Case(kind, tuple(steps)) for kind, *steps in lines]


FLOW_RUN_CASES = [
    *_pairs("plain deployed", _FLOW_RUN_INITIAL, _FLOW_RUN_PROPOSED),
    *_pairs("plain", _FLOW_RUN_INITIAL, _FLOW_RUN_PROPOSED, "!"),
    *_pairs("placed", _FLOW_RUN_INITIAL, ["cancelling"]),
    *_sequences("""
plain pending running completed
plain pending running failed running completed
plain running paused running completed
plain running paused running paused running paused_elsewhere running completed
plain running paused_too_long completed
plain running paused_too_long cancelling cancelled
plain running paused failed running paused running completed
plain running_known running_known completed running_known
plain pending submitting pending submitting running completed
plain running cancelling completed cancelled
plain running completed_stored completed completed_stored !completed !running completed
plain running completed_unstored running completed
plain scheduled !cancelling
deployed scheduled late late pending running completed
deployed scheduled pending running suspended resuming pending running completed
deployed running suspended cancelling
deployed running failed scheduled pending running completed
deployed running crashed running completed
inside running suspended paused running completed
retrying running failed running failed running completed
retrying running paused failed
retrying running paused running failed running failed
retrying running failed cancelling
full_enqueue scheduled pending
full_cancel scheduled pending
free scheduled pending submitting running completed
free scheduled pending cancelled
free scheduled pending running paused running failed
"""),
]
TASK_RUN_CASES = [
    *_pairs("inside_running", _TASK_RUN_INITIAL, _TASK_RUN_PROPOSED),
    *_pairs("background", _TASK_RUN_INITIAL, _TASK_RUN_PROPOSED),
    *_pairs("alone", _TASK_RUN_INITIAL, _TASK_RUN_PROPOSED, "!"),
    *_pairs("alone inside_paused inside_failed inside_retried", _TASK_RUN_INITIAL, ["running"]),
    *_sequences("""
inside_running pending running completed
retrying running failed running failed running failed
retrying running failed_for_good
retrying running failed completed_stored running
alone running completed running completed
cached pending running_cacheable
cached pending running_refreshing
none pending running
"""),
]


def materialize(name: str, now: datetime, key: str, *, deferred: bool = False) -> dict[str, Any]:
    """The JSON of the state `name` to propose at the instant `now`; `key` takes the place of `KEY`."""
    state = dict(STATES[name.removeprefix("!")])
    details = dict(state.get("state_details", {}))
    for member in ("scheduled_time", "pause_timeout"):
        if member in details:
            details[member] = (now + timedelta(seconds=details[member])).isoformat()
    if details.get("cache_key") == "KEY":
        details["cache_key"] = key
    if deferred:
        details["deferred"] = True
    return state | {"state_details": details}


def outline(status: str, state: Mapping[str, Any] | None, run: Mapping[str, Any]) -> str:
    """What a client sees of an outcome, in one line; `state` and `run` are as in the contract's JSON."""
    policy = run.get("empirical_policy") or {}
    words = [status, f"{state['type']}:{state['name']}" if state else "none", f"count={run['run_count']}"]
    words += [word for word, column in _MARKS.items() if run.get(column)]
    if run.get("flow_run_run_count"):
        words.append(f"attempt={run['flow_run_run_count']}")
    if policy.get("resuming"):
        words.append("resuming")
    if policy.get("retry_type"):
        words.append(f"retry={policy['retry_type']}")
    if policy.get("pause_keys"):
        words.append(f"pauses={len(policy['pause_keys'])}")
    return " ".join(words)


_MARKS = {"started": "start_time", "ended": "end_time", "due": "next_scheduled_start_time", "ran": "total_run_time"}
