"""What a rule must know beyond the run and its two states: asked for by `engine.needs`, looked up by the caller.

Whatever is looked up here must be locked for the rest of the transaction where the text says so: a rule decides
on it and the effects are applied later in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Literal, NamedTuple
from uuid import UUID

from lightwell.contract.states import State, StateType


class Need(Enum):
    """One lookup; the member of `Facts` that holds its answer has the same name in lower case."""

    DEPLOYMENT = "deployment"
    """The deployment of the flow run and its active concurrency limit, the limit's row locked."""
    LEASE = "lease_is_alive"
    """Whether the lease named in the initial state exists and has not expired, its row locked."""
    FLOW_RUN = "flow_run"
    """The flow run that the task run belongs to."""
    TAG_LIMITS = "tag_limits"
    """The active limits on the tags of the task run, their rows locked in order of their ids."""
    CACHED_STATE = "cached_state"
    """The newest unexpired completed state stored under the cache key of the proposed state."""


class DeploymentLimit(NamedTuple):
    """An active concurrency limit of a deployment; `taken` counts the slots of leases that have not expired."""

    id: UUID
    slots: int
    taken: int
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"
    grace_period: timedelta | None = None
    """How long a lease lives before the run's own process renews it; None: the server's default."""


class Deployment(NamedTuple):
    """A deployment, as far as orchestration cares."""

    limit: DeploymentLimit | None = None


class TagLimit(NamedTuple):
    """An active concurrency limit on a tag; `held` says that this task run has a slot of it already."""

    id: UUID
    tag: str
    slots: int
    taken: int
    average_occupancy: timedelta | None = None
    held: bool = False


class EnclosingFlowRun(NamedTuple):
    """The flow run around a task run."""

    id: UUID
    run_count: int
    state_type: StateType | None
    pause_timeout: datetime | None = None
    pause_reschedule: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The answers to the needs of one transition; what was not needed stays as it is here."""

    loaded: frozenset[Need] = frozenset()
    deployment: Deployment | None = None
    lease_is_alive: bool = False
    flow_run: EnclosingFlowRun | None = None
    tag_limits: tuple[TagLimit, ...] = ()
    cached_state: State | None = None


NOTHING = Facts()
"""For a transition that needs no lookup, which most do not."""
