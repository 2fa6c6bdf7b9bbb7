"""What must be done beside writing the state and the run's columns: values that the caller applies in order.

All are idempotent: to release what is released, or to pin what is gone, does nothing.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from lightwell.contract.states import State

HolderKind = Literal["flow_run", "task_run"]


class AcquireLease(NamedTuple):
    """Take one slot of each limit under a new lease; `lifetime` None: it never expires by itself."""

    lease_id: UUID
    limit_ids: tuple[UUID, ...]
    lifetime: timedelta | None
    holder_kind: HolderKind
    holder_id: UUID


class RenewLease(NamedTuple):
    """Let the lease live for `lifetime` from now."""

    lease_id: UUID
    lifetime: timedelta


class PinLease(NamedTuple):
    """Let the lease live until it is released: its client is too old to renew it."""

    lease_id: UUID


class ReleaseLease(NamedTuple):
    """Give back the slots of the lease and delete it."""

    lease_id: UUID


class ReleaseHolder(NamedTuple):
    """Give back every slot that the run holds, whatever the leases are called."""

    holder_kind: HolderKind
    holder_id: UUID


class StoreCacheKey(NamedTuple):
    """Remember the state under the key until `expiration` (None: for ever); the newest state of a key counts."""

    cache_key: str
    expiration: datetime | None
    state_id: UUID


class MirrorToParent(NamedTuple):
    """Set the task run that stands for this flow run in its parent to `state`, by force."""

    task_run_id: UUID
    state: State


class EnqueueTaskRun(NamedTuple):
    """Hand the background task run to whoever serves its task; a retry goes before what is new."""

    task_run_id: UUID
    is_retry: bool


Effect = (
    AcquireLease
    | RenewLease
    | PinLease
    | ReleaseLease
    | ReleaseHolder
    | StoreCacheKey
    | MirrorToParent
    | EnqueueTaskRun
)
