"""A run does not forget when it was due."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import FlowRun, TaskRun


@rule(leaving={StateType.SCHEDULED}, entering={StateType.PENDING})
def copy_scheduled_time(course: Course[FlowRun] | Course[TaskRun]) -> Verdict | None:
    """Workers submit runs before their time; a time that the client gives itself wins."""
    if course.initial is not None and course.details.scheduled_time is None:
        course.details.scheduled_time = course.initial.state_details.scheduled_time
    return None
