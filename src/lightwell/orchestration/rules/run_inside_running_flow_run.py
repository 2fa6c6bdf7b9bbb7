"""A task runs only while its flow runs."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict, abort, reject
from lightwell.orchestration.needs import Need
from lightwell.orchestration.rule import ANYTHING, rule
from lightwell.orchestration.rules.name_flow_run_retries import belongs_to_a_flow_run
from lightwell.orchestration.transition import TaskRun


@rule(leaving=ANYTHING, entering={StateType.RUNNING}, when=belongs_to_a_flow_run, needs={Need.FLOW_RUN})
def run_inside_running_flow_run(course: Course[TaskRun]) -> Verdict | None:
    """While the flow is paused the task pauses with it; in any other state of the flow it does not start."""
    flow_run = course.transition.facts.flow_run
    if flow_run is None or flow_run.state_type is StateType.RUNNING:
        return None
    if flow_run.state_type is not StateType.PAUSED:
        return abort("The enclosing flow must be running to begin task execution.")
    paused = course.compose(
        StateType.PAUSED,
        name="NotReady",
        pause_timeout=flow_run.pause_timeout,
        pause_reschedule=flow_run.pause_reschedule,
    )
    return reject(f"The flow run {flow_run.id} is paused; its tasks run when it resumes.", paused)
