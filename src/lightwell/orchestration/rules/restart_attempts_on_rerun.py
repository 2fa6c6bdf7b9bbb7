"""A task run that goes on after its end has all its retries again."""

from lightwell.contract.states import TERMINAL_STATES
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.rule import GOING_ON, rule
from lightwell.orchestration.transition import TaskRun


@rule(leaving=TERMINAL_STATES, entering=GOING_ON)
def restart_attempts_on_rerun(course: Course[TaskRun]) -> Verdict | None:
    """Retries of a flow run need it: each runs the failed tasks anew."""
    course.run_count = 0
    return None
