"""Taking slots of concurrency limits, for a time or until they are given back; nobody takes more than there are.

Every function here that takes limits wants them locked in the same transaction (`concurrency_limits.lock`). A limit that
is not active has no say and gives no slots. One that decays is only counted: its leases hold nothing, time frees it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, or_
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from lightwell.kit.ids import new_id
from lightwell.storage import concurrency_limits
from lightwell.storage.columns import Moment
from lightwell.storage.concurrency_limits import LimitRecord
from lightwell.storage.tables import concurrency_lease, concurrency_lease_limit
from lightwell.storage.transaction import Reader, Transaction

_SHORTEST_OCCUPANCY = 0.1
_SAMPLES = 2


class Holder(NamedTuple):
    """Who holds a lease: `flow_run`, `task_run` or `deployment`, and its id."""

    type: str
    id: UUID


class LeaseRecord(NamedTuple):
    """A lease as it is stored, and the limits of which it holds slots."""

    id: UUID
    created: datetime
    expires: datetime | None
    holder: Holder | None
    slots: dict[UUID, int]


_HOLDS = or_(concurrency_lease.c.expires.is_(None), concurrency_lease.c.expires > bindparam("now", type_=Moment()))
_LEASE = sql_select(
    concurrency_lease.c.id,
    concurrency_lease.c.created,
    concurrency_lease.c.expires,
    concurrency_lease.c.holder_type,
    concurrency_lease.c.holder_id,
)
_BY_ID = _LEASE.where(concurrency_lease.c.id == bindparam("lease_id"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
_OF_HOLDER = sql_select(concurrency_lease.c.id).where(
    concurrency_lease.c.holder_type == bindparam("holder_type"), concurrency_lease.c.holder_id == bindparam("holder_id")
)
_EXPIRED = (
    sql_select(concurrency_lease.c.id)
    .where(concurrency_lease.c.expires <= bindparam("now", type_=Moment()))
    .order_by(concurrency_lease.c.expires)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_SLOTS = sql_select(concurrency_lease_limit.c.limit_id, concurrency_lease_limit.c.slots).where(
    concurrency_lease_limit.c.lease_id == bindparam("lease_id")
)
_OF_LIMITS = (
    sql_select(
        concurrency_lease_limit.c.limit_id,
        concurrency_lease.c.id,
        concurrency_lease.c.holder_type,
        concurrency_lease.c.holder_id,
        concurrency_lease_limit.c.slots,
    )
    .join(concurrency_lease, concurrency_lease.c.id == concurrency_lease_limit.c.lease_id)
    .where(concurrency_lease_limit.c.limit_id.in_(bindparam("limit_ids", expanding=True)), _HOLDS)
    .order_by(concurrency_lease.c.created, concurrency_lease.c.id)
)
_INSERT = insert(concurrency_lease)
_INSERT_SLOTS = insert(concurrency_lease_limit)
_RENEW = sql_update(concurrency_lease).where(concurrency_lease.c.id == bindparam("lease_id"), _HOLDS)
_DELETE = sql_delete(concurrency_lease).where(concurrency_lease.c.id == bindparam("lease_id"))
_DELETE_SLOTS = sql_delete(concurrency_lease_limit).where(
    concurrency_lease_limit.c.lease_id == bindparam("lease_id"),
    concurrency_lease_limit.c.limit_id == bindparam("limit_id"),
)


def have_room(limits: Sequence[LimitRecord], slots: int, now: datetime) -> bool:
    """Whether so many slots can be taken of each active limit."""
    return all(limit.taken(now) + slots <= limit.limit for limit in limits if limit.active)


def acquire(
    tx: Transaction,
    limits: Sequence[LimitRecord],
    slots: int,
    *,
    expires: datetime | None,
    holder: Holder | None = None,
    lease_id: UUID | None = None,
) -> UUID | None:
    """Take slots of each limit under a new lease; its id, or None, with nothing taken, when one has no room.

    Without `expires` the lease holds until it is released. Without limits there is a lease all the same.
    """
    if not have_room(limits, slots, tx.now):
        return None
    new = lease_id or new_id()
    held_by = (
        {"holder_type": holder.type, "holder_id": holder.id} if holder else {"holder_type": None, "holder_id": None}
    )
    tx.execute(_INSERT, {"id": new, "created": tx.now, "expires": expires, **held_by})
    taken = [limit for limit in limits if limit.active]
    if taken:
        tx.execute(_INSERT_SLOTS, [{"limit_id": limit.id, "lease_id": new, "slots": slots} for limit in taken])
    _count(tx, [limit for limit in taken if limit.decays], slots)
    return new


def take_loose(tx: Transaction, limits: Sequence[LimitRecord], slots: int) -> bool:
    """Take slots of each limit without a lease; False, with nothing taken, when one has no room."""
    if not have_room(limits, slots, tx.now):
        return False
    _count(tx, [limit for limit in limits if limit.active], slots)
    return True


def give_back_loose(
    tx: Transaction, limits: Sequence[LimitRecord], slots: int, *, occupancy_seconds: float | None = None
) -> None:
    """Give back slots that were taken without a lease, as far as there are any; how long they were held is learnt from."""
    active = [limit for limit in limits if limit.active]
    _count(tx, active, -slots)
    if occupancy_seconds is not None:
        _learn(tx, active, occupancy_seconds / slots)


def count_denied(tx: Transaction, limits: Sequence[LimitRecord], slots: int, *, longest_wait: float) -> None:
    """Remember that so many slots were asked for in vain; `longest_wait` as of `LimitRecord.denied`."""
    for limit in limits:
        if limit.active:
            concurrency_limits.update(tx, limit.id, {"denied_slots": limit.denied(tx.now, longest_wait) + slots})


def find(reader: Reader, lease_id: UUID, *, lock: bool = False) -> LeaseRecord | None:
    """A lease, whether or not it has expired, or None; with `lock` nobody changes it before this transaction ends."""
    row = reader.execute(_BY_ID_LOCKED if lock else _BY_ID, {"lease_id": lease_id}).one_or_none()
    if row is None:
        return None
    found, created, expires, holder_type, holder_id = row
    holder = None if holder_type is None else Holder(holder_type, holder_id)
    slots = dict(reader.execute(_SLOTS, {"lease_id": lease_id}).tuples())
    return LeaseRecord(found, created, expires, holder, slots)


def holds(reader: Reader, lease_id: UUID, *, lock: bool = False) -> bool:
    """Whether the lease is there and has not expired."""
    lease = find(reader, lease_id, lock=lock)
    return lease is not None and (lease.expires is None or lease.expires > reader.now)


def renew(tx: Transaction, lease_id: UUID, expires: datetime | None) -> bool:
    """Let a lease that still holds hold until then (None: until it is released); False where it does not hold any more."""
    return tx.execute(_RENEW, {"lease_id": lease_id, "now": tx.now, "expires": expires}).rowcount > 0


def release(tx: Transaction, lease_id: UUID, *, learn: bool = True) -> LeaseRecord | None:
    """Give back what a lease holds; the lease that was, or None. How long it held is learnt from, unless `learn` is off."""
    lease = find(tx, lease_id, lock=True)
    if lease is None:
        return None
    limits = concurrency_limits.lock_ids(tx, list(lease.slots))
    tx.execute(_DELETE, {"lease_id": lease_id})
    for limit in limits:
        if limit.decays:
            _count(tx, [limit], -lease.slots[limit.id])
        if learn:
            _learn(tx, [limit], (tx.now - lease.created).total_seconds() / lease.slots[limit.id])
    return lease


def release_holder(tx: Transaction, holder: Holder) -> list[LeaseRecord]:
    """Give back all that somebody holds."""
    ids = list(tx.execute(_OF_HOLDER, {"holder_type": holder.type, "holder_id": holder.id}).scalars())
    return [lease for lease_id in ids if (lease := release(tx, lease_id)) is not None]


def release_of(tx: Transaction, lease_id: UUID, limit_id: UUID) -> None:
    """Give back what a lease holds of one limit; the lease stays for the others."""
    tx.execute(_DELETE_SLOTS, {"lease_id": lease_id, "limit_id": limit_id})


def expire(tx: Transaction, *, most: int) -> list[LeaseRecord]:
    """Delete at most so many leases that have expired, the longest expired first; what they were."""
    ids = list(tx.execute(_EXPIRED, {"now": tx.now, "most": most}).scalars())
    return [lease for lease_id in ids if (lease := release(tx, lease_id, learn=False)) is not None]


def select_by_limit(reader: Reader, limit_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, Holder | None, int]]]:
    """The leases that hold slots of each limit, oldest first: lease id, holder and slots."""
    found: dict[UUID, list[tuple[UUID, Holder | None, int]]] = {limit_id: [] for limit_id in limit_ids}
    for limit_id, lease_id, holder_type, holder_id, slots in reader.execute(
        _OF_LIMITS, {"limit_ids": list(limit_ids), "now": reader.now}
    ):
        holder = None if holder_type is None else Holder(holder_type, holder_id)
        found[limit_id].append((lease_id, holder, slots))
    return found


def set_taken(tx: Transaction, limit: LimitRecord, slots: int) -> None:
    """Let so many slots of a limit be taken: what leases hold too much is taken from the oldest, the rest is loose."""
    leased = 0 if limit.decays else limit.leased
    for lease_id, _, number in select_by_limit(tx, [limit.id])[limit.id]:
        if leased <= slots:
            break
        release_of(tx, lease_id, limit.id)
        leased -= number
    concurrency_limits.update(tx, limit.id, {"loose_slots": slots - leased})


def _count(tx: Transaction, limits: Sequence[LimitRecord], slots: int) -> None:
    for limit in limits:
        concurrency_limits.update(tx, limit.id, {"loose_slots": max(limit.loose(tx.now) + slots, 0)})


def _learn(tx: Transaction, limits: Sequence[LimitRecord], seconds: float) -> None:
    """Let the average follow how long a slot was held, over about twice as many samples as there are slots."""
    for limit in limits:
        if limit.limit > 0:
            average = limit.avg_slot_occupancy_seconds
            weight = 1 / (limit.limit * _SAMPLES)
            learnt = average + (max(seconds, _SHORTEST_OCCUPANCY) - average) * weight
            concurrency_limits.update(tx, limit.id, {"avg_slot_occupancy_seconds": learnt})
