"""What a flow run that has ended may still become."""

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, abort, reject
from lightwell.orchestration.results import refers_to_result
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import FlowRun

_NOT_AFTER_THE_END = frozenset({StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED})


@rule(leaving=TERMINAL_STATES, entering=ANY_STATE)
def guard_ended_flow_run(course: Course[FlowRun]) -> Verdict | None:
    """It cannot crash, pause or be cancelled; a stored result forbids a rerun; only a deployment can reschedule."""
    initial, proposed = course.initial, course.proposed
    if initial is None:
        return None
    if proposed.type in _NOT_AFTER_THE_END:
        return abort(f"The run has already ended as {initial.type.value}.")
    if initial.type is StateType.COMPLETED and not proposed.is_terminal() and refers_to_result(initial.data):
        return reject("The run is COMPLETED and its result is stored.")
    if proposed.type is StateType.SCHEDULED and course.run.deployment_id is None:
        return abort("Only a run of a deployment can be scheduled again.")
    return None
