"""How often a run was attempted; going on after a pause is no new attempt."""

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.rule import bookkeeping
from lightwell.orchestration.transition import FlowRun, TaskRun


@bookkeeping(entering={StateType.RUNNING})
def count_flow_run_attempt(course: Course[FlowRun]) -> None:
    """Each time it begins to run, unless it resumes."""
    if not course.retry_policy.get("resuming"):
        course.run_count += 1


@bookkeeping(entering={StateType.RUNNING})
def count_task_run_attempt(course: Course[TaskRun]) -> None:
    """Each time it begins to run."""
    course.run_count += 1


@bookkeeping(entering={StateType.RUNNING} | TERMINAL_STATES)
def forget_resuming(course: Course[FlowRun]) -> None:
    """Once it runs again, or has ended, it does not resume any more."""
    if course.retry_policy.get("resuming"):
        course.amend_policy(resuming=False)
