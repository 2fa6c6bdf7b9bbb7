"""Two workers do not submit the same run."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, abort
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun, TaskRun

_SUBMITTED = frozenset({StateType.PENDING, StateType.RUNNING, StateType.CANCELLING, StateType.CANCELLED})


@rule(leaving=_SUBMITTED, entering={StateType.PENDING})
def submit_once(course: Course[FlowRun] | Course[TaskRun]) -> Verdict | None:
    """The second Pending is refused; steps of one submission (Pending, Submitting, …) follow each other by name."""
    initial, proposed = course.initial, course.proposed
    if initial is None:
        return None
    if initial.type is StateType.PENDING and proposed.name not in {initial.name, "Pending"}:
        course.details.scheduled_time = initial.state_details.scheduled_time
        course.details.deployment_concurrency_lease_id = initial.state_details.deployment_concurrency_lease_id
        return None
    return abort(f"This run is in a {initial.type.value} state and cannot become PENDING.")
