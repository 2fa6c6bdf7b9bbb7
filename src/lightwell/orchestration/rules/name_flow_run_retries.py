"""A task run that runs again because its flow run is retried says so."""

from typing import Any

from lightwell.contract.states import TERMINAL_STATES, StateType
from lightwell.orchestration.course import Course
from lightwell.orchestration.decision import Verdict
from lightwell.orchestration.needs import Need
from lightwell.orchestration.rule import rule
from lightwell.orchestration.transition import TaskRun, Transition


def belongs_to_a_flow_run(transition: Transition[Any]) -> bool:
    """Whether there is a flow run around the task run."""
    return transition.run.flow_run_id is not None


@rule(leaving=TERMINAL_STATES, entering={StateType.RUNNING}, when=belongs_to_a_flow_run, needs={Need.FLOW_RUN})
def name_flow_run_retries(course: Course[TaskRun]) -> Verdict | None:
    """It last ran in an earlier attempt of its flow run."""
    flow_run = course.transition.facts.flow_run
    if flow_run is not None and course.run.flow_run_run_count < flow_run.run_count:
        course.proposed.name = "Retrying"
    return None
