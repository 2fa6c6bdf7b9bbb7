"""When a run started and ended, how long it ran, and when it is due; all by the timestamps of its states."""

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.rule import GOING_ON, bookkeeping
from lightwell.orchestration.transition import FlowRun, TaskRun

AnyCourse = Course[FlowRun] | Course[TaskRun]


@bookkeeping(entering={StateType.RUNNING})
def record_start(course: AnyCourse) -> None:
    """A run starts when it runs for the first time."""
    if course.run.start_time is None:
        course.changes["start_time"] = course.proposed.timestamp


@bookkeeping(leaving=TERMINAL_STATES, entering=GOING_ON)
def clear_end(course: AnyCourse) -> None:
    """A run that goes on has not ended."""
    course.changes["end_time"] = None


@bookkeeping(entering=TERMINAL_STATES)
def record_end(course: AnyCourse) -> None:
    """A run ends once; one that never ran starts then too, so that it has both times."""
    if course.run.end_time is None:
        course.changes["end_time"] = course.proposed.timestamp
        if course.run.start_time is None:
            course.changes["start_time"] = course.proposed.timestamp


@bookkeeping(leaving={StateType.RUNNING})
def add_run_time(course: AnyCourse) -> None:
    """Only time spent running counts."""
    if course.initial is not None:
        spent = course.proposed.timestamp - course.initial.timestamp
        course.changes["total_run_time"] = course.run.total_run_time + spent


@bookkeeping()
def record_expected_start(course: AnyCourse) -> None:
    """What was expected first stays, so that lateness can be told."""
    if course.run.expected_start_time is None:
        due = course.details.scheduled_time if course.proposed.type is StateType.SCHEDULED else None
        course.changes["expected_start_time"] = due or course.proposed.timestamp


@bookkeeping()
def record_next_scheduled_start(course: AnyCourse) -> None:
    """Only a scheduled run is due."""
    if course.proposed.type is StateType.SCHEDULED:
        course.changes["next_scheduled_start_time"] = course.details.scheduled_time
    elif course.initial is not None and course.initial.type is StateType.SCHEDULED:
        course.changes["next_scheduled_start_time"] = None
