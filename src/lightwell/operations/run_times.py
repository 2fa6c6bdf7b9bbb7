"""What a change of state says of a run's times: how long it ran, and how late it began."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.contract.task_runs import TaskRunReport
from lightwell.events.runs import NO_TIMES, RunTimes
from lightwell.orchestration.transition import FlowRun, TaskRun

_NONE = timedelta(0)


def times_of(run: FlowRun | TaskRun, entered: StateType, changes: Mapping[str, Any]) -> RunTimes:
    """Of a run as it was before, the state that it enters, and what is written with that."""
    if entered in TERMINAL_STATES:
        # One that never ran is given a start when it ends.
        return NO_TIMES if run.start_time is None else RunTimes(ran=changes.get("total_run_time", run.total_run_time))
    start = changes.get("start_time")
    if entered is not StateType.RUNNING or start is None:
        return NO_TIMES
    return RunTimes(start_delay=_delay(start, run.expected_start_time or changes.get("expected_start_time")))


def times_told(report: TaskRunReport) -> RunTimes:
    """Of a task run that its client orchestrates, as the client tells it."""
    run, entered = report.task_run, report.validated_state.type
    if entered in TERMINAL_STATES:
        return RunTimes(ran=run.total_run_time) if run.run_count else NO_TIMES
    if entered is not StateType.RUNNING or run.run_count > 1 or run.start_time is None:
        return NO_TIMES
    return RunTimes(start_delay=_delay(run.start_time, run.expected_start_time))


def _delay(start: datetime, expected: datetime | None) -> timedelta:
    return _NONE if expected is None else max(_NONE, start - expected)
