"""The lease of a deployment slot follows its run from state to state."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import FlowRun


@rule(leaving=ANY_STATE, entering=ANY_STATE)
def carry_deployment_lease(course: Course[FlowRun]) -> Verdict | None:
    """Workers send a null lease with states of their own; and no client gives itself a lease when it starts."""
    if course.initial is None:
        return None
    held = course.initial.state_details.deployment_concurrency_lease_id
    starts = course.initial.type is StateType.PENDING and course.proposed.type is StateType.RUNNING
    if starts or course.details.deployment_concurrency_lease_id is None:
        course.details.deployment_concurrency_lease_id = held
    return None
