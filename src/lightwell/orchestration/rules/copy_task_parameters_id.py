"""A background task run does not forget where its parameters are stored."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import TaskRun


@rule(leaving={StateType.SCHEDULED, StateType.PENDING}, entering={StateType.PENDING, StateType.RUNNING})
def copy_task_parameters_id(course: Course[TaskRun]) -> Verdict | None:
    """Whoever submits it says so once, in the scheduled state."""
    if course.initial is not None and course.details.task_parameters_id is None:
        course.details.task_parameters_id = course.initial.state_details.task_parameters_id
    return None
