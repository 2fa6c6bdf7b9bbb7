"""Where nothing runs, nobody is needed to stop it."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving={StateType.SCHEDULED, StateType.PAUSED}, entering={StateType.CANCELLING})
def cancel_at_once_without_infrastructure(course: Course[FlowRun]) -> Verdict | None:
    """Scheduled without a process (one that waits to be retried may have it), resuming, or suspended."""
    initial = course.initial
    if initial is None:
        return None
    never_started = initial.type is StateType.SCHEDULED and not course.run.infrastructure_pid
    if never_started or initial.name == "Resuming":
        return reject("The scheduled run has no infrastructure to stop.", course.compose(StateType.CANCELLED))
    if initial.type is StateType.PAUSED and initial.state_details.pause_reschedule:
        return reject("The suspended run has no infrastructure to stop.", course.compose(StateType.CANCELLED))
    return None
