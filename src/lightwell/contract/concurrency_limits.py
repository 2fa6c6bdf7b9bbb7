"""Concurrency limits: of tags (the older kind, which counts task runs) and by name (with slots, decay and leases)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from lightwell.contract.model import Envelope, Input, Instant, Model
from lightwell.contract.values import Count, Int32, Name, Offset, Text

MIN_LEASE_SECONDS = 60
MAX_LEASE_SECONDS = 86_400
MAX_HOLDERS = 10_000
"""How many task runs one request can make hold a slot."""

Slots = Annotated[int, Field(gt=0, le=2**31 - 1)]
"""How many slots to take or to give back."""

LimitNames = list[Text]
"""Names of limits; those that do not exist are left alone."""

Mode = Literal["concurrency", "rate_limit"]
"""Whether slots are given back by their holder, or by time alone."""

Decay = Annotated[float, Field(ge=0, le=2**31)]
"""How many slots become free in a second by themselves."""

LeaseDuration = Annotated[float, Field(ge=MIN_LEASE_SECONDS, le=MAX_LEASE_SECONDS)]
"""How long slots are held, in seconds, unless the lease is renewed."""


class TagLimitCreate(Input):
    """A limit of a tag to make, or to change."""

    tag: Text
    concurrency_limit: Int32


class TagLimit(Model):
    """A limit of a tag; `active_slots` are the task runs that hold one."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    tag: str
    concurrency_limit: int
    active_slots: list[UUID] = Field(default_factory=list)


class TagSlots(Envelope):
    """A task run that takes a slot of each tag, or gives it back."""

    names: list[Text]
    task_run_id: UUID


class TagLimitReset(Envelope):
    """Who is to hold the slots from now on; nobody where it is absent."""

    slot_override: Annotated[list[UUID], Field(max_length=MAX_HOLDERS)] | None = None


class ConcurrencyLimitsQuery(Envelope):
    """Which limits to list; `limit` null means the server's default."""

    limit: int | None = None
    offset: Offset = 0


class ConcurrencyLimitCreate(Input):
    """A named limit to make."""

    active: bool = True
    name: Name
    limit: Count
    active_slots: Count = 0
    denied_slots: Count = 0
    slot_decay_per_second: Decay = 0.0


class ConcurrencyLimitUpdate(Input):
    """What may change of a named limit; members that were not sent stay as they are."""

    active: bool | None = None
    name: Name | None = None
    limit: Count | None = None
    active_slots: Count | None = None
    denied_slots: Count | None = None
    slot_decay_per_second: Decay | None = None


class ConcurrencyLimit(Model):
    """A named limit as it is kept."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    active: bool = True
    name: str
    limit: int
    active_slots: int = 0
    denied_slots: int = 0
    slot_decay_per_second: float = 0
    avg_slot_occupancy_seconds: float = 2.0


class ConcurrencyLimitResponse(Model):
    """A named limit as it is read."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    active: bool = True
    name: str
    limit: int
    active_slots: int
    slot_decay_per_second: float = 2.0


class LimitSummary(Model):
    """A limit of which slots were taken or given back."""

    id: UUID
    name: str
    limit: int


class SlotsTaken(Model):
    """The slots that were taken, and the lease that holds them."""

    lease_id: UUID
    limits: list[LimitSummary]


class LeaseHolder(Input):
    """Who holds a lease."""

    type: Literal["flow_run", "task_run", "deployment"]
    id: UUID


class TakeSlots(Envelope):
    """Slots to take from each limit; `create_if_missing` has no effect any more."""

    slots: Slots
    names: LimitNames
    mode: Mode = "concurrency"
    create_if_missing: bool | None = None


class TakeSlotsWithLease(Envelope):
    """Slots to take from each limit, to be held by a lease."""

    slots: Slots
    names: LimitNames
    mode: Mode = "concurrency"
    lease_duration: LeaseDuration = 300
    holder: LeaseHolder | None = None


class GiveSlotsBack(Envelope):
    """Slots to give back to each limit, and how long they were held."""

    slots: Slots
    names: LimitNames
    occupancy_seconds: Annotated[float, Field(gt=0)] | None = None
    create_if_missing: bool = True


class GiveLeaseBack(Envelope):
    """A lease whose slots are to be given back."""

    lease_id: UUID


class RenewLease(Envelope):
    """How long the lease holds from now on."""

    lease_duration: LeaseDuration = 300
