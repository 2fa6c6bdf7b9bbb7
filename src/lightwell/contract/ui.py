"""Answers that only pages of the UI ask for."""

from datetime import timedelta
from uuid import UUID

from lightwell.contract.model import Instant, Model
from lightwell.contract.states import StateType
from lightwell.contract.task_runs import TaskRun


class SimpleFlowRun(Model):
    """A flow run as one point: when it started or is to start, how long it took and how late it was."""

    id: UUID
    state_type: StateType
    timestamp: Instant
    duration: timedelta
    lateness: timedelta


class SimpleNextFlowRun(Model):
    """The next flow run of a flow."""

    id: UUID
    flow_id: UUID
    name: str
    state_name: str
    state_type: StateType
    next_scheduled_start_time: Instant


class TaskRunCount(Model):
    """Task runs that have ended, well or not, in one span of time."""

    completed: int
    failed: int


class UITaskRun(TaskRun):
    """A task run with the name of its flow run."""

    flow_run_name: str | None = None
