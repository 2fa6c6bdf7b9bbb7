"""A task run that fails is tried again as often as it may be and its client wants."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.intervals import spread
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import TaskRun


@rule(leaving={StateType.RUNNING}, entering={StateType.FAILED})
def retry_failed_task_run(course: Course[TaskRun]) -> Verdict | None:
    """The client says that a failure is not worth a retry with `retriable: false` in the state's details."""
    retries, proposed = course.retry_policy.get("retries"), course.proposed
    if course.details.retriable is False or retries is None or course.run_count > retries:
        return None
    delay = _delay(course.retry_policy, course.run_count)
    jitter = course.retry_policy.get("retry_jitter_factor")
    if jitter and delay > 0:
        delay = spread(delay, jitter, course.transition.tuning.chance)
    due = course.transition.now + timedelta(seconds=delay)
    awaiting = course.compose(
        StateType.SCHEDULED, proposed.message, name="AwaitingRetry", data=proposed.data, scheduled_time=due
    )
    return reject("Retrying", awaiting)


def _delay(policy: Mapping[str, Any], attempt: int) -> float:
    """Seconds before the next attempt: one number for all, or one for each, of which the last goes on."""
    delay = policy.get("retry_delay") or 0
    return float(delay[min(max(attempt, 1), len(delay)) - 1] if isinstance(delay, list) else delay)
