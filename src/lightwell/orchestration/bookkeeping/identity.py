"""A state and its run point to each other, and the states of a flow run have an order in time."""

from datetime import timedelta

from lightwell.orchestration.course import Course
from lightwell.orchestration.rule import ANY_STATE, bookkeeping
from lightwell.orchestration.transition import FlowRun, TaskRun

_TICK = timedelta(microseconds=1)


@bookkeeping(leaving=ANY_STATE)
def order_states_in_time(course: Course[FlowRun]) -> None:
    """No state of a flow run is as old as the one before it, whatever the clock did."""
    if course.initial is not None and course.proposed.timestamp <= course.initial.timestamp:
        course.proposed.timestamp = course.initial.timestamp + _TICK


@bookkeeping()
def record_state(course: Course[FlowRun] | Course[TaskRun]) -> None:
    """The run knows its state without looking at the history."""
    state, changes = course.proposed, course.changes
    changes["state_id"] = state.id
    changes["state_type"] = state.type
    changes["state_name"] = state.name
    changes["state_timestamp"] = state.timestamp


@bookkeeping()
def name_flow_run_in_state(course: Course[FlowRun]) -> None:
    """The state names its flow run, and the task run that stands for it in a parent."""
    course.details.flow_run_id = course.run.id
    if course.run.parent_task_run_id is not None:
        course.details.task_run_id = course.run.parent_task_run_id


@bookkeeping()
def name_task_run_in_state(course: Course[TaskRun]) -> None:
    """The state names its task run, and the flow run around it."""
    course.details.flow_run_id = course.run.flow_run_id
    course.details.task_run_id = course.run.id
