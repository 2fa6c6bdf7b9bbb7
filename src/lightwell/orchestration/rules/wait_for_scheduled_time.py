"""Nothing runs before its time, by the server's clock."""

from datetime import timedelta

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, wait
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun, TaskRun

_SECOND = timedelta(seconds=1)


@rule(leaving={StateType.SCHEDULED, StateType.PENDING}, entering={StateType.RUNNING})
def wait_for_scheduled_time(course: Course[FlowRun] | Course[TaskRun]) -> Verdict | None:
    """The contract's delay is whole seconds, so half a second early is in time."""
    due = course.initial.state_details.scheduled_time if course.initial is not None else None
    if due is None or due <= course.transition.now:
        return None
    delay = round((due - course.transition.now) / _SECOND)
    return wait(delay, "The scheduled time is in the future.") if delay > 0 else None
