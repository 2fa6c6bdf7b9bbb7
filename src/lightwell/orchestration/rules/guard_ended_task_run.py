"""What a task run that has ended may still become."""

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, abort, reject
from lightwell.orchestration.results import refers_to_result
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import TaskRun

_NOT_AFTER_THE_END = frozenset({StateType.CANCELLING, StateType.PAUSED, StateType.CRASHED})


@rule(leaving=TERMINAL_STATES, entering=ANY_STATE)
def guard_ended_task_run(course: Course[TaskRun]) -> Verdict | None:
    """It cannot crash, pause or be cancelled; completed with a stored result it stays what it is."""
    initial = course.initial
    if initial is None:
        return None
    if course.proposed.type in _NOT_AFTER_THE_END:
        return abort(f"The run has already ended as {initial.type.value}.")
    if initial.type is StateType.COMPLETED and refers_to_result(initial.data):
        return reject("The run is COMPLETED and its result is stored.")
    return None
