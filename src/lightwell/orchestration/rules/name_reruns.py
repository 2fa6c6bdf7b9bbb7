"""A task run that did not run for the first time says so."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.rule import ANY_STATE, rule
from lightwell.orchestration.transition import TaskRun


@rule(leaving=ANY_STATE, entering={StateType.RUNNING})
def name_reruns(course: Course[TaskRun]) -> Verdict | None:
    """`Retrying` after it awaited its retry, else `Rerunning`."""
    if course.run_count > 0 and course.initial is not None:
        course.proposed.name = "Retrying" if course.initial.name == "AwaitingRetry" else "Rerunning"
    return None
