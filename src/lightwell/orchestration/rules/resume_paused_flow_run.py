"""Where a paused flow run may go, and until when."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, reject
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import FlowRun

_NOWHERE_TO_RESUME = frozenset({StateType.PENDING, StateType.PAUSED})


@rule(leaving={StateType.PAUSED}, entering=ANY_STATE)
def resume_paused_flow_run(course: Course[FlowRun]) -> Verdict | None:
    """It resumes, is cancelled or ends; after its time it fails, except that cancelling must reach its process."""
    initial, proposed = course.initial, course.proposed
    if initial is None:
        return None
    if proposed.type in _NOWHERE_TO_RESUME:
        return reject(f"A paused run cannot become {proposed.type.value}.")
    if initial.state_details.pause_reschedule and course.run.deployment_id is None:
        return reject("A suspended run without a deployment cannot be started again.")
    timeout = initial.state_details.pause_timeout
    if timeout is None or timeout >= course.transition.now or proposed.type is StateType.CANCELLING:
        return None
    failed = course.compose(StateType.FAILED, "The flow run was paused and nobody resumed it in time.")
    return reject("The pause has timed out, the run can no longer resume.", failed)


@resume_paused_flow_run.afterwards
def _mark_as_resuming(course: Course[FlowRun]) -> None:
    course.amend_policy(resuming=True)
