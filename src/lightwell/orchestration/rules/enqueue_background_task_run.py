"""A background task run that is scheduled is handed to whoever serves its task."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.effects import EnqueueTaskRun
from lightwell.orchestration.rule import ANYTHING, consequence
from lightwell.orchestration.transition import TaskRun


@consequence(leaving=ANYTHING, entering={StateType.SCHEDULED})
def enqueue_background_task_run(course: Course[TaskRun]) -> None:
    """Deferred is what the client calls a task run that is not run by whoever submits it."""
    if course.details.deferred:
        course.effects.append(EnqueueTaskRun(course.run.id, course.proposed.name == "AwaitingRetry"))
