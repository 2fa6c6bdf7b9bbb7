"""Rows of leases: who holds slots of which limits, and until when.

They are the one truth of what is taken; `concurrency_limits.py` counts them. On a limit that gives slots back by time a
lease remembers how many it took, and what is left of them is given back with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Row, bindparam, exists, func, or_
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from lightwell.storage import concurrency_limits
from lightwell.storage.columns import Id, Moment
from lightwell.storage.concurrency_limits import LimitRecord
from lightwell.storage.tables import concurrency_lease, concurrency_lease_limit, flow_run, task_run
from lightwell.storage.transaction import Reader, Transaction

HolderType = Literal["flow_run", "task_run", "deployment"]


class Holder(NamedTuple):
    """Who holds a lease."""

    type: HolderType
    id: UUID


class HolderRecord(NamedTuple):
    """Who holds slots of a limit, by what name, since when and until when."""

    limit_id: UUID
    type: str | None
    id: UUID | None
    name: str | None
    slots: int
    since: datetime
    expires: datetime | None


_now = bindparam("now", type_=Moment())
_ids = bindparam("lease_ids", expanding=True, type_=Id())
_HOLDS = or_(concurrency_lease.c.expires.is_(None), concurrency_lease.c.expires > _now)
_HAS_EXPIRED = concurrency_lease.c.expires <= _now
_of_lease = concurrency_lease_limit.c.lease_id == concurrency_lease.c.id

_INSERT = sql_insert(concurrency_lease)
_INSERT_SLOTS = sql_insert(concurrency_lease_limit)
_ALIVE_LOCKED = (
    sql_select(concurrency_lease.c.id)
    .where(concurrency_lease.c.id == bindparam("lease_id"), _HOLDS)
    .with_for_update(of=concurrency_lease)
)
_RENEW = sql_update(concurrency_lease).where(concurrency_lease.c.id == bindparam("lease_id"), _HOLDS)
_HELD_BY = (
    sql_select(concurrency_lease_limit.c.limit_id, concurrency_lease.c.id)
    .join(concurrency_lease, _of_lease)
    .where(
        concurrency_lease.c.holder_id == bindparam("holder_id"),
        concurrency_lease.c.holder_type == bindparam("holder_type"),
        _HOLDS,
    )
)
_HOLDERS = (
    sql_select(concurrency_lease_limit.c.limit_id, concurrency_lease.c.holder_id)
    .join(concurrency_lease, _of_lease)
    .where(
        concurrency_lease_limit.c.limit_id.in_(bindparam("limit_ids", expanding=True)),
        concurrency_lease.c.holder_type == bindparam("holder_type"),
        _HOLDS,
    )
    .order_by(concurrency_lease.c.created, concurrency_lease.c.id)
)
_order = (concurrency_lease.c.created, concurrency_lease.c.id)
_HELD = (
    sql_select(
        concurrency_lease_limit.c.limit_id,
        concurrency_lease.c.holder_type,
        concurrency_lease.c.holder_id,
        func.coalesce(flow_run.c.name, task_run.c.name).label("name"),
        concurrency_lease_limit.c.slots,
        concurrency_lease.c.created,
        concurrency_lease.c.expires,
        func.row_number().over(partition_by=concurrency_lease_limit.c.limit_id, order_by=_order).label("place"),
    )
    .join(concurrency_lease, _of_lease)
    .outerjoin(flow_run, flow_run.c.id == concurrency_lease.c.holder_id)
    .outerjoin(task_run, task_run.c.id == concurrency_lease.c.holder_id)
    .where(concurrency_lease_limit.c.limit_id.in_(bindparam("limit_ids", expanding=True)), _HOLDS)
    .subquery()
)
_OLDEST_HOLDERS = (
    sql_select(*(column for column in _HELD.c if column.name != "place"))
    .where(_HELD.c.place <= bindparam("most"))
    .order_by(_HELD.c.limit_id, _HELD.c.place)
)
_SLOTS = sql_select(
    concurrency_lease_limit.c.lease_id, concurrency_lease_limit.c.limit_id, concurrency_lease_limit.c.slots
).where(concurrency_lease_limit.c.lease_id.in_(_ids))
_DELETE = sql_delete(concurrency_lease).where(concurrency_lease.c.id.in_(_ids))
_ENDED = (concurrency_lease.c.id, concurrency_lease.c.created)
_END = _DELETE.returning(*_ENDED)
_END_EXPIRED = _DELETE.where(_HAS_EXPIRED).returning(*_ENDED)
_EXPIRED = (
    sql_select(concurrency_lease.c.id)
    .where(_HAS_EXPIRED)
    .order_by(concurrency_lease.c.expires)
    .limit(bindparam("most"))
)
_BY_HOLDERS = sql_select(concurrency_lease.c.id).where(
    concurrency_lease.c.holder_type == bindparam("holder_type"),
    concurrency_lease.c.holder_id.in_(bindparam("holder_ids", expanding=True)),
)
_BY_TASK_RUNS_OF_FLOW_RUNS = (
    sql_select(concurrency_lease.c.id)
    .join(task_run, task_run.c.id == concurrency_lease.c.holder_id)
    .where(
        concurrency_lease.c.holder_type == "task_run",
        task_run.c.flow_run_id.in_(bindparam("holder_ids", expanding=True)),
    )
)
_FLOW_RUNS_OF_FLOWS = (
    sql_select(concurrency_lease.c.id)
    .join(flow_run, flow_run.c.id == concurrency_lease.c.holder_id)
    .where(concurrency_lease.c.holder_type == "flow_run", flow_run.c.flow_id.in_(bindparam("flow_ids", expanding=True)))
)
_TASK_RUNS_OF_FLOWS = (
    sql_select(concurrency_lease.c.id)
    .join(task_run, task_run.c.id == concurrency_lease.c.holder_id)
    .join(flow_run, flow_run.c.id == task_run.c.flow_run_id)
    .where(concurrency_lease.c.holder_type == "task_run", flow_run.c.flow_id.in_(bindparam("flow_ids", expanding=True)))
)
_OF_LIMIT = (
    sql_select(concurrency_lease.c.id, concurrency_lease_limit.c.slots)
    .join(concurrency_lease, _of_lease)
    .where(concurrency_lease_limit.c.limit_id == bindparam("limit_id"), _HOLDS)
    .order_by(concurrency_lease.c.created.desc(), concurrency_lease.c.id.desc())
)
_TAKE_AWAY = sql_delete(concurrency_lease_limit).where(
    concurrency_lease_limit.c.limit_id == bindparam("limit_id"), concurrency_lease_limit.c.lease_id.in_(_ids)
)
_DELETE_EMPTY = _DELETE.where(~exists().where(_of_lease))
_COUNT_HELD = sql_select(func.count(), func.min(concurrency_lease.c.created)).where(_HOLDS)


def acquire(
    tx: Transaction,
    lease_id: UUID,
    limits: Sequence[LimitRecord],
    slots: int,
    *,
    lifetime: timedelta | None,
    holder: Holder | None = None,
) -> None:
    """Hold slots of limits that are locked and have room, for a time or (None) until they are given back."""
    kind, holder_id = (None, None) if holder is None else holder
    expires = None if lifetime is None else tx.now + lifetime
    tx.execute(
        _INSERT,
        {"id": lease_id, "created": tx.now, "expires": expires, "holder_type": kind, "holder_id": holder_id},
    )
    if limits:
        rows = [{"limit_id": limit.id, "lease_id": lease_id, "slots": slots} for limit in limits]
        tx.execute(_INSERT_SLOTS, rows)
        concurrency_limits.take_loose(tx, [limit for limit in limits if limit.decays], slots)


def is_alive(tx: Transaction, lease_id: UUID) -> bool:
    """Whether the lease holds; then it holds until this transaction ends."""
    return tx.execute(_ALIVE_LOCKED, {"lease_id": lease_id, "now": tx.now}).first() is not None


def renew(tx: Transaction, lease_id: UUID, lifetime: timedelta | None) -> bool:
    """Let a lease that still holds live for so long from now, or (None) until it is given back; whether it held."""
    expires = None if lifetime is None else tx.now + lifetime
    return tx.execute(_RENEW, {"lease_id": lease_id, "now": tx.now, "expires": expires}).rowcount == 1


def count_held(reader: Reader) -> tuple[int, datetime | None]:
    """How many leases hold, and when the oldest of them was made."""
    number, oldest = reader.execute(_COUNT_HELD, {"now": reader.now}).one()
    return number, oldest


def held_by(reader: Reader, holder: Holder) -> dict[UUID, list[UUID]]:
    """The leases by which somebody holds slots, by limit."""
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    parameters = {"holder_id": holder.id, "holder_type": holder.type, "now": reader.now}
    for limit_id, lease_id in reader.execute(_HELD_BY, parameters):
        found[limit_id].append(lease_id)
    return found


def holders(reader: Reader, limit_ids: Iterable[UUID], holder_type: HolderType) -> dict[UUID, list[UUID]]:
    """Who of this type holds slots of each limit, in the order in which they came; nobody's limits are left out."""
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    parameters = {"limit_ids": list(limit_ids), "holder_type": holder_type, "now": reader.now}
    for limit_id, holder_id in reader.execute(_HOLDERS, parameters):
        found[limit_id].append(holder_id)
    return found


def oldest_holders(reader: Reader, limit_ids: Iterable[UUID], most: int) -> list[HolderRecord]:
    """At most so many holders of slots of each limit, those that hold longest first."""
    parameters = {"limit_ids": list(limit_ids), "now": reader.now, "most": most}
    return [HolderRecord._make(row) for row in reader.execute(_OLDEST_HOLDERS, parameters)]


def release(tx: Transaction, lease_ids: Iterable[UUID]) -> int:
    """Give back all slots of these leases; how many of the leases there were."""
    return _end(tx, list(lease_ids))


def release_holders(tx: Transaction, holder_type: HolderType, holder_ids: Sequence[UUID]) -> int:
    """Give back all slots that these hold, and those of the task runs of flow runs; how many leases that were."""
    found = tx.execute(_BY_HOLDERS, {"holder_type": holder_type, "holder_ids": list(holder_ids)}).scalars().all()
    lease_ids = list(found)
    if holder_type == "flow_run":
        lease_ids.extend(tx.execute(_BY_TASK_RUNS_OF_FLOW_RUNS, {"holder_ids": list(holder_ids)}).scalars())
    return release(tx, lease_ids)


def release_flows(tx: Transaction, flow_ids: Sequence[UUID]) -> int:
    """Give back all slots that runs of these flows hold, and their task runs; how many leases that were."""
    lease_ids: list[UUID] = []
    for statement in (_FLOW_RUNS_OF_FLOWS, _TASK_RUNS_OF_FLOWS):
        lease_ids.extend(tx.execute(statement, {"flow_ids": list(flow_ids)}).scalars())
    return release(tx, lease_ids)


def release_expired(tx: Transaction, *, most: int) -> int:
    """End at most so many leases that have expired, the oldest first; how many there were."""
    expired = list(tx.execute(_EXPIRED, {"most": most, "now": tx.now}).scalars())
    return _end(tx, expired, only_expired=True)


def revoke(tx: Transaction, limit_id: UUID, *, keep: int) -> int:
    """Take slots of a limit that is locked away from its oldest leases, until at most `keep` are held; how many are.

    A lease that holds slots of other limits keeps those; one that holds nothing any more is over.
    """
    kept = 0
    revoked: list[UUID] = []
    for lease_id, slots in tx.execute(_OF_LIMIT, {"limit_id": limit_id, "now": tx.now}):
        if revoked or kept + slots > keep:
            revoked.append(lease_id)
        else:
            kept += slots
    if revoked:
        tx.execute(_TAKE_AWAY, {"limit_id": limit_id, "lease_ids": revoked})
        tx.execute(_DELETE_EMPTY, {"lease_ids": revoked})
    return kept


def _end(tx: Transaction, lease_ids: Sequence[UUID], *, only_expired: bool = False) -> int:
    if not lease_ids:
        return 0
    held = tx.execute(_SLOTS, {"lease_ids": lease_ids}).all()
    # Limits are locked before leases, here as wherever slots are taken.
    limits = concurrency_limits.select_by_ids(tx, {row.limit_id for row in held}, lock=True) if held else []
    if only_expired:
        ended = tx.execute(_END_EXPIRED, {"lease_ids": lease_ids, "now": tx.now}).all()
    else:
        ended = tx.execute(_END, {"lease_ids": lease_ids}).all()
    seconds = {row.id: (tx.now - row.created).total_seconds() for row in ended}
    for limit in limits:
        _give_back(tx, limit, [row for row in held if row.limit_id == limit.id and row.lease_id in seconds], seconds)
    return len(ended)


def _give_back(
    tx: Transaction, limit: LimitRecord, held: Sequence[Row[*tuple[Any, ...]]], seconds: dict[UUID, float]
) -> None:
    if not held:
        return
    average = limit
    for row in held:
        occupancy = average.occupancy_after(seconds[row.lease_id], row.slots)
        average = average._replace(avg_slot_occupancy_seconds=occupancy)
    changes: dict[str, Any] = {"avg_slot_occupancy_seconds": average.avg_slot_occupancy_seconds}
    if limit.decays:
        loose, since = limit.loose(tx.now)
        changes["loose_slots"], changes["loose_at"] = max(0, loose - sum(row.slots for row in held)), since
    concurrency_limits.settle(tx, limit, **changes)
