"""Making, changing and deleting concurrency limits, and taking their slots; those of tags are in `tag_limits.py`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from lightwell.contract.concurrency_limits import (
    ConcurrencyLimit,
    ConcurrencyLimitCreate,
    ConcurrencyLimitUpdate,
    GiveSlotsBack,
    LimitSummary,
    SlotsTaken,
    TakeSlots,
    TakeSlotsWithLease,
)
from lightwell.errors import Conflict, Gone, Invalid
from lightwell.events.concurrency_limits import concurrency_limit_changed
from lightwell.instrumentation.operation import operation
from lightwell.orchestration.intervals import spread
from lightwell.orchestration.transition import Tuning
from lightwell.storage import concurrency_limits, leases
from lightwell.storage.concurrency_limits import TAG_PREFIX, LimitRecord
from lightwell.storage.leases import Holder
from lightwell.storage.transaction import Transaction

_SPREAD = 0.3
_LONGEST_WAIT = 86_400.0


class Full(NamedTuple):
    """The slots are not free, which was noted; `retry_after` is when to ask again, in seconds."""

    retry_after: float


@operation
def create(tx: Transaction, proposed: ConcurrencyLimitCreate) -> ConcurrencyLimit:
    """Make a limit; raises Conflict where the name is taken."""
    values = proposed.model_dump(exclude={"active_slots"})
    limit = concurrency_limits.insert(tx, {**values, "loose_slots": proposed.active_slots})
    if limit is None:
        message = "The change contradicts what is stored: there is a limit of this name"
        raise Conflict(message, constraint="uq_concurrency_limit__name")
    tx.emit(concurrency_limit_changed(concurrency_limits.response(limit, tx.now), "created", tx.now))
    return concurrency_limits.newly_made(limit, tx.now)


@operation
def update(tx: Transaction, key: UUID | str, changes: ConcurrencyLimitUpdate) -> None:
    """Change the members that were sent; raises NotFound, and Conflict where the new name is taken.

    Where fewer slots are said to be taken than leases hold, the oldest of these are over.
    """
    limit = concurrency_limits.get(tx, key, lock=True)
    values = changes.model_dump(exclude_none=True)
    taken = values.pop("active_slots", None)
    if "denied_slots" in values:
        values["denied_at"] = tx.now
    if taken is not None or "slot_decay_per_second" in values:
        decays = values.get("slot_decay_per_second", limit.slot_decay_per_second) > 0
        values |= _counted_anew(tx, limit, taken, decays=decays)
    change(tx, limit, values)


@operation
def delete(tx: Transaction, key: UUID | str) -> None:
    """Delete a limit, and end the leases that hold slots of no other; raises NotFound."""
    remove(tx, concurrency_limits.get(tx, key, lock=True))


@operation
def take(tx: Transaction, asked: TakeSlots, tuning: Tuning) -> list[LimitSummary] | Full:
    """Take slots of all limits of these names that are active, or none; raises Invalid where that can never be."""
    limits = concurrency_limits.select_named(tx, asked.names, lock=True)
    active = _active(limits)
    full = _obstacle(tx, active, asked, tuning)
    if full is not None:
        return full
    concurrency_limits.take_loose(tx, active, asked.slots)
    return _summaries(limits)


@operation
def take_with_lease(tx: Transaction, asked: TakeSlotsWithLease, tuning: Tuning) -> SlotsTaken | Full:
    """The same as `take`; the slots are given back with a lease, or when nobody renews it."""
    limits = concurrency_limits.select_named(tx, asked.names, lock=True)
    active = _active(limits)
    full = _obstacle(tx, active, asked, tuning)
    if full is not None:
        return full
    lease_id = tuning.new_id()
    holder = None if asked.holder is None else Holder(asked.holder.type, asked.holder.id)
    lifetime = timedelta(seconds=asked.lease_duration)
    leases.acquire(tx, lease_id, active, asked.slots, lifetime=lifetime, holder=holder)
    return SlotsTaken(lease_id=lease_id, limits=_summaries(limits))


@operation
def give_back(tx: Transaction, asked: GiveSlotsBack) -> list[LimitSummary]:
    """Give back slots that were taken without a lease; those of leases stay taken."""
    limits = concurrency_limits.select_named(tx, asked.names, lock=True)
    concurrency_limits.give_loose_back(tx, _active(limits), asked.slots, asked.occupancy_seconds)
    return _summaries(limits)


@operation
def give_lease_back(tx: Transaction, lease_id: UUID) -> None:
    """Give back what a lease holds; nothing where it is over."""
    leases.release(tx, [lease_id])


@operation
def renew_lease(tx: Transaction, lease_id: UUID, lifetime: timedelta) -> None:
    """Let a lease hold for so long from now; raises Gone where it is over."""
    if not leases.renew(tx, lease_id, lifetime):
        message = "Lease not found - it may have expired or been revoked"
        raise Gone(message)


@operation
def expire_leases(tx: Transaction, most: int) -> int:
    """Give back what at most so many leases hold that nobody has renewed in time; how many there were."""
    return leases.release_expired(tx, most=most)


def change(tx: Transaction, limit: LimitRecord, values: dict[str, Any]) -> LimitRecord:
    """Change columns of a limit that is locked, and say so; the limit after it."""
    concurrency_limits.update(tx, limit.id, values)
    changed = concurrency_limits.get(tx, limit.id)
    tx.emit(concurrency_limit_changed(concurrency_limits.response(changed, tx.now), "updated", tx.now))
    return changed


def remove(tx: Transaction, limit: LimitRecord) -> None:
    """Delete a limit that is locked, and say so."""
    leases.revoke(tx, limit.id, keep=0)
    concurrency_limits.delete(tx, limit.id)
    tx.emit(concurrency_limit_changed(concurrency_limits.response(limit, tx.now), "deleted", tx.now))


def _counted_anew(tx: Transaction, limit: LimitRecord, taken: int | None, *, decays: bool) -> dict[str, Any]:
    """What is to be stored of loose slots, so that as many are taken as somebody says, or (None) as before."""
    total = limit.taken(tx.now) if taken is None else taken
    if decays:
        return {"loose_slots": total, "loose_at": tx.now}
    held = limit.leased if taken is None else leases.revoke(tx, limit.id, keep=taken)
    return {"loose_slots": max(0, total - held), "loose_at": tx.now}


def _active(limits: Sequence[LimitRecord]) -> list[LimitRecord]:
    return [limit for limit in limits if limit.active]


def _summaries(limits: Sequence[LimitRecord]) -> list[LimitSummary]:
    return [LimitSummary(id=limit.id, name=limit.name, limit=limit.limit) for limit in limits]


def _obstacle(
    tx: Transaction, limits: Sequence[LimitRecord], asked: TakeSlots | TakeSlotsWithLease, tuning: Tuning
) -> Full | None:
    if any(limit.limit < asked.slots for limit in limits):
        message = "Slots requested is greater than the limit"
        raise Invalid(message)
    lasting = [limit.name for limit in limits if not limit.decays]
    if lasting and asked.mode == "rate_limit":
        names = ",".join(lasting)
        message = (
            "Only concurrency limits with slot decay can be used for rate limiting. "
            f"The following limits do not have a decay configured: '{names}'"
        )
        raise Invalid(message)
    full = [limit for limit in limits if limit.taken(tx.now) + asked.slots > limit.limit]
    return _denied(tx, full, asked.slots, tuning) if full else None


def _denied(tx: Transaction, full: Sequence[LimitRecord], slots: int, tuning: Tuning) -> Full:
    """Those who were refused ask again one after the other, as slots become free: the more of them, the later."""
    waits: list[float] = []
    for limit in full:
        longest = tuning.tag_slot_wait if limit.name.startswith(TAG_PREFIX) else tuning.max_slot_wait
        ahead = slots + limit.denied(tx.now, longest)[0]
        wait = limit.seconds_per_slot(longest) * ahead
        waits.append(min(wait, _LONGEST_WAIT) if limit.decays else min(wait / limit.limit, longest.total_seconds()))
        concurrency_limits.deny(tx, limit, slots, longest)
    return Full(spread(max(waits), _SPREAD, tuning.chance))
