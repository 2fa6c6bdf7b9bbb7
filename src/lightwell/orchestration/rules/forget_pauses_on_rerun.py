"""A rerun is a new life: it may pause at the same places again."""

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.rule import GOING_ON, rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving=TERMINAL_STATES, entering=GOING_ON)
def forget_pauses_on_rerun(course: Course[FlowRun]) -> Verdict | None:
    """The client sees in `retry_type` whether it is a rerun through the deployment."""
    rescheduled = course.proposed.type is StateType.SCHEDULED
    course.amend_policy(resuming=False, pause_keys=[], retry_type="reschedule" if rescheduled else None)
    return None
