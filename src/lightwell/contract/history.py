"""Runs counted by state, over intervals of time."""

from datetime import timedelta

from lightwell.contract.model import Instant, Model
from lightwell.contract.states import StateType


class HistoryState(Model):
    """The runs of one interval that are in one state."""

    state_type: StateType
    state_name: str
    count_runs: int
    sum_estimated_run_time: timedelta
    sum_estimated_lateness: timedelta


class HistoryInterval(Model):
    """One interval, from its start on and up to its end, and its runs by state."""

    interval_start: Instant
    interval_end: Instant
    states: list[HistoryState]
