"""The input of a decision: a run, the state it has, the state somebody proposes, and the circumstances."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from lightwell.contract.states import State
from lightwell.kit.ids import new_id
from lightwell.orchestration.needs import NOTHING, Facts

_NO_POLICY: Mapping[str, Any] = MappingProxyType({})


class FlowRun(NamedTuple):
    """The columns of a flow run that rules read; the names are those of the columns."""

    id: UUID
    run_count: int = 0
    empirical_policy: Mapping[str, Any] = _NO_POLICY
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: timedelta = timedelta()
    expected_start_time: datetime | None = None
    deployment_id: UUID | None = None
    parent_task_run_id: UUID | None = None
    infrastructure_pid: str | None = None


class TaskRun(NamedTuple):
    """The columns of a task run that rules read; the names are those of the columns."""

    id: UUID
    run_count: int = 0
    empirical_policy: Mapping[str, Any] = _NO_POLICY
    start_time: datetime | None = None
    end_time: datetime | None = None
    total_run_time: timedelta = timedelta()
    expected_start_time: datetime | None = None
    flow_run_id: UUID | None = None
    flow_run_run_count: int = 0
    tags: Sequence[str] = ()


R = TypeVar("R", FlowRun, TaskRun)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What an operator may set, and where identifiers and chance come from; one for the process."""

    deployment_slot_wait: timedelta = timedelta(seconds=30)
    """When a run that found its deployment's limit full asks again."""
    tag_slot_wait: timedelta = timedelta(seconds=10)
    """The longest average wait of a task run for a slot of its tags."""
    max_slot_wait: timedelta = timedelta(seconds=30)
    """The longest average wait for a slot of any other limit."""
    initial_lease: timedelta = timedelta(minutes=5)
    """The life of a deployment slot's lease until the run's own process renews it."""
    longest_cache_key: int = 2000
    new_id: Callable[[], UUID] = new_id
    chance: Callable[[], float] = random
    """A number from 0 up to but not including 1."""


DEFAULTS = Tuning()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition(Generic[R]):
    """One proposed change of state.

    `proposed` has its final id and timestamp (see `proposals.propose`); `client_version` is that of the
    asking client as its User-Agent says (`3.8.8`), None where it says nothing.
    """

    run: R
    initial: State | None
    proposed: State
    now: datetime
    client_version: str | None = None
    facts: Facts = NOTHING
    tuning: Tuning = DEFAULTS
