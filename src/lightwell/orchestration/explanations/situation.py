"""What is known of a flow run and of what it depends on, at one instant: the input of an explanation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from lightwell.contract.states import State, StateType


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """What counts as too long."""

    late_after: timedelta = timedelta(seconds=15)
    """How long after its time a run is called late."""
    cancelling_timeout: timedelta = timedelta(minutes=5)
    """How long a cancellation may go unconfirmed."""
    pending: timedelta = timedelta(minutes=1)
    """How long a process may take to start."""
    silence: timedelta = timedelta(minutes=10)
    """How long a running run may say nothing."""
    polling: timedelta = timedelta(minutes=1)
    """How long ago whoever takes runs may have asked for them."""


class LoopAge(NamedTuple):
    """A loop of the server: how long ago it did its work, and whether that is too long."""

    since_success: timedelta
    stale: bool


class Came(NamedTuple):
    """A state that the run came to, and the trace of what brought it there."""

    state: State
    trace_id: str | None = None


class Refused(NamedTuple):
    """A proposal that was refused so many times in a row."""

    from_type: str | None
    type: str
    name: str
    rule: str
    verdict: str
    reason: str | None
    first: datetime
    last: datetime
    times: int = 1
    trace_id: str | None = None


class Holder(NamedTuple):
    """Who holds slots of a limit, since when and until when; without a kind nobody is named."""

    since: datetime
    slots: int = 1
    kind: str | None = None
    id: UUID | None = None
    name: str | None = None
    expires: datetime | None = None


class Limit(NamedTuple):
    """A concurrency limit that has no slot left; the holders that came first, and the task runs of the run that wait.

    `hold` says how it concerns the run: it is its deployment's, one of tags of its task runs, or of any name, for which
    somebody has been refused lately.
    """

    id: UUID
    name: str
    slots: int
    taken: int
    hold: Literal["deployment", "tag", "name"]
    holders: tuple[Holder, ...] = ()
    waiting: tuple[tuple[UUID, str], ...] = ()


class Queue(NamedTuple):
    """The work queue of the run, and its pool."""

    id: UUID
    name: str
    paused: bool
    last_polled: datetime | None
    pool_id: UUID
    pool_name: str
    pool_paused: bool


class Deployment(NamedTuple):
    """The deployment of the run."""

    id: UUID
    name: str
    last_polled: datetime | None = None


class Parent(NamedTuple):
    """The flow run around the run."""

    id: UUID
    name: str
    state_type: StateType | None
    state_name: str | None
    since: datetime | None


class FailedTask(NamedTuple):
    """A task run that failed or crashed."""

    id: UUID
    name: str
    state_name: str
    since: datetime
    message: str | None


class Signs(NamedTuple):
    """When the run was last heard of."""

    event: datetime | None = None
    log: datetime | None = None
    task_run: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The run itself."""

    id: UUID
    name: str
    flow_name: str = ""
    state: State | None = None
    due: datetime | None = None
    """When it should start, or should have started, next."""
    start_time: datetime | None = None
    run_time: timedelta = timedelta()
    run_count: int = 0
    retries: int | None = None
    process: str | None = None
    trace_id: str | None = None
    """The trace that the run's own process continues, or makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All of it. What is not known, or does not concern a run in its state, stays as it is here."""

    now: datetime
    run: Run
    history: tuple[Came, ...] = ()
    """The last states, in their order; the first ones are left out where `is_shortened`."""
    is_shortened: bool = False
    refusals: tuple[Refused, ...] = ()
    deployment: Deployment | None = None
    lost_deployment_id: UUID | None = None
    """The run is of a deployment that is not there any more."""
    queue: Queue | None = None
    parent: Parent | None = None
    limits: tuple[Limit, ...] = ()
    failed_tasks: tuple[FailedTask, ...] = ()
    signs: Signs = field(default_factory=Signs)
    loops: Mapping[str, LoopAge] = field(default_factory=dict)
    """The loops that this process runs, by name."""
    expectations: Expectations = Expectations()

    @property
    def since(self) -> datetime:
        """Since when the run is in its state."""
        return self.now if self.run.state is None else self.run.state.timestamp

    def is_in(self, *kinds: StateType) -> bool:
        """Whether the run's state is of one of these types."""
        return self.run.state is not None and self.run.state.type in kinds
