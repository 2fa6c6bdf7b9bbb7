"""A task run knows in which attempt of its flow run it ran last."""

from lightwell.contract.states import StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.needs import Need
from lightwell.orchestration.rule import ANYTHING, consequence
from lightwell.orchestration.rules.name_flow_run_retries import belongs_to_a_flow_run
from lightwell.orchestration.transition import TaskRun


@consequence(leaving=ANYTHING, entering={StateType.RUNNING}, when=belongs_to_a_flow_run, needs={Need.FLOW_RUN})
def track_flow_run_attempt(course: Course[TaskRun]) -> None:
    """By the flow run's count of attempts."""
    flow_run = course.transition.facts.flow_run
    if flow_run is not None and flow_run.run_count != course.run.flow_run_run_count:
        course.changes["flow_run_run_count"] = flow_run.run_count
