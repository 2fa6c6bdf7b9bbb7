"""Rows of concurrency limits, and how many of their slots are taken.

What is taken is counted, never kept: the slots of the leases that hold (`leases.py`) and the loose ones, which nobody
holds by name. Whoever is about to take slots locks the limits first; then nobody else takes any before the transaction
ends.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import floor
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, bindparam, func, or_
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select
from sqlalchemy import update as sql_update

from lightwell.contract.concurrency_limits import ConcurrencyLimit, ConcurrencyLimitResponse
from lightwell.errors import NotFound
from lightwell.kit.ids import new_id
from lightwell.storage.columns import Id, Moment
from lightwell.storage.conflicts import insert_if_absent
from lightwell.storage.tables import concurrency_lease, concurrency_lease_limit, concurrency_limit
from lightwell.storage.transaction import Reader, Transaction

TAG_PREFIX = "tag:"
"""How the name of a tag's limit begins."""

_AFTER_TAGS = "tag;"
_SHORTEST_OCCUPANCY = 0.1
_LONGEST_OCCUPANCY = 1e9
_SAMPLES_PER_SLOT = 2
_FIRST_OCCUPANCY = 2.0
_MOST = 2**31 - 1


class LimitRecord(NamedTuple):
    """A limit as it is stored; `leased` are the slots of leases that have not expired."""

    id: UUID
    created: datetime
    updated: datetime
    name: str
    active: bool
    limit: int
    slot_decay_per_second: float
    avg_slot_occupancy_seconds: float
    loose_slots: int
    loose_at: datetime
    denied_slots: int
    denied_at: datetime
    leased: int

    @property
    def decays(self) -> bool:
        """Whether slots are given back by time; then all of them are loose."""
        return self.slot_decay_per_second > 0

    def taken(self, now: datetime) -> int:
        """How many slots are taken."""
        return self.loose(now)[0] + (0 if self.decays else self.leased)

    def loose(self, now: datetime) -> tuple[int, datetime]:
        """How many slots nobody holds by name, and since when that is their number: what is to be stored of it."""
        return _decayed(self.loose_slots, self.loose_at, self.slot_decay_per_second, now)

    def denied(self, now: datetime, longest_wait: timedelta) -> tuple[int, datetime]:
        """How many slots were refused of late, and since when that is their number.

        A refusal is forgotten after as long as a slot is held on average, or as the limit takes to give one back.
        """
        return _decayed(self.denied_slots, self.denied_at, 1 / self.seconds_per_slot(longest_wait), now)

    def seconds_per_slot(self, longest_wait: timedelta) -> float:
        """How long it takes until a slot is free again."""
        if self.decays:
            return 1 / self.slot_decay_per_second
        return max(_SHORTEST_OCCUPANCY, min(self.avg_slot_occupancy_seconds, longest_wait.total_seconds()))

    def occupancy_after(self, seconds: float, slots: int) -> float:
        """The average occupancy of a slot, when so many slots were held for so long and given back."""
        sample = min(max(_SHORTEST_OCCUPANCY, seconds / max(1, slots)), _LONGEST_OCCUPANCY)
        average = self.avg_slot_occupancy_seconds
        return average + (sample - average) / (max(1, self.limit) * _SAMPLES_PER_SLOT)


_ids = bindparam("limit_ids", expanding=True, type_=Id())
_LIMITS = sql_select(*(concurrency_limit.c[name] for name in LimitRecord._fields[:-1]))
_BY_IDS = _LIMITS.where(concurrency_limit.c.id.in_(_ids)).order_by(concurrency_limit.c.id)
_BY_NAMES = _LIMITS.where(concurrency_limit.c.name.in_(bindparam("names", expanding=True))).order_by(
    concurrency_limit.c.id
)
# Rows are locked in the order of their ids, so that two transactions never wait for each other. The lock leaves
# other rows free to refer to the limit.
_LOCKED_BY_IDS = _BY_IDS.with_for_update(key_share=True)
_LOCKED_BY_NAMES = _BY_NAMES.with_for_update(key_share=True)
_IN_ORDER = _LIMITS.order_by(concurrency_limit.c.name)
_OF_TAGS_IN_ORDER = _IN_ORDER.where(concurrency_limit.c.name >= TAG_PREFIX, concurrency_limit.c.name < _AFTER_TAGS)
_LEASED = (
    sql_select(concurrency_lease_limit.c.limit_id, func.sum(concurrency_lease_limit.c.slots))
    .join(concurrency_lease, concurrency_lease.c.id == concurrency_lease_limit.c.lease_id)
    .where(
        concurrency_lease_limit.c.limit_id.in_(_ids),
        or_(concurrency_lease.c.expires.is_(None), concurrency_lease.c.expires > bindparam("now", type_=Moment())),
    )
    .group_by(concurrency_lease_limit.c.limit_id)
)
_REFUSING = (
    _LIMITS.where(
        concurrency_limit.c.active,
        concurrency_limit.c.denied_slots > 0,
        concurrency_limit.c.denied_at > bindparam("since", type_=Moment()),
    )
    .order_by(concurrency_limit.c.denied_at.desc(), concurrency_limit.c.id)
    .limit(bindparam("most"))
)
_INSERT = insert_if_absent(concurrency_limit)
_UPDATE = sql_update(concurrency_limit).where(concurrency_limit.c.id == bindparam("limit_id"))
_DELETE = sql_delete(concurrency_limit).where(concurrency_limit.c.id == bindparam("limit_id"))


def find(reader: Reader, limit_id: UUID, *, lock: bool = False) -> LimitRecord | None:
    """A limit by its id, or None."""
    found = select_by_ids(reader, [limit_id], lock=lock)
    return found[0] if found else None


def get(reader: Reader, key: UUID | str, *, lock: bool = False) -> LimitRecord:
    """A limit by its id or its name; raises NotFound."""
    found = select_by_ids(reader, [key], lock=lock) if isinstance(key, UUID) else select_named(reader, [key], lock=lock)
    if not found:
        raise NotFound("concurrency_limit", detail="Concurrency Limit not found")
    return found[0]


def select_by_ids(reader: Reader, limit_ids: Iterable[UUID], *, lock: bool = False) -> list[LimitRecord]:
    """The limits of these ids that there are, in the order of their ids."""
    rows = reader.execute(_LOCKED_BY_IDS if lock else _BY_IDS, {"limit_ids": list(limit_ids)}).all()
    return _records(reader, rows)


def select_named(reader: Reader, names: Iterable[str], *, lock: bool = False) -> list[LimitRecord]:
    """The limits of these names that there are, in the order of their ids."""
    rows = reader.execute(_LOCKED_BY_NAMES if lock else _BY_NAMES, {"names": list(names)}).all()
    return _records(reader, rows)


def read(reader: Reader, key: UUID | str) -> ConcurrencyLimitResponse:
    """A limit as it is answered; raises NotFound."""
    return response(get(reader, key), reader.now)


def select(reader: Reader, *, limit: int | None = None, offset: int = 0) -> list[ConcurrencyLimitResponse]:
    """Limits as they are answered, by name; those of tags too."""
    rows = reader.execute(_IN_ORDER.limit(limit).offset(offset)).all()
    return [response(found, reader.now) for found in _records(reader, rows)]


def select_of_tags(reader: Reader, *, limit: int | None = None, offset: int = 0) -> list[LimitRecord]:
    """Limits of tags, by name."""
    return _records(reader, reader.execute(_OF_TAGS_IN_ORDER.limit(limit).offset(offset)).all())


def select_refusing(reader: Reader, since: datetime, most: int) -> list[LimitRecord]:
    """At most so many active limits that have refused somebody slots since then, the last ones first."""
    return _records(reader, reader.execute(_REFUSING, {"since": since, "most": most}).all())


def count(reader: Reader) -> int:
    """How many limits there are."""
    return int(reader.execute(sql_select(func.count()).select_from(concurrency_limit)).scalar_one())


def insert(tx: Transaction, values: Mapping[str, Any]) -> LimitRecord | None:
    """Insert a limit, or None where there is one of this name.

    `values` are columns by name, at least `name` and `limit`.
    """
    row: dict[str, Any] = {
        "id": new_id(),
        "created": tx.now,
        "updated": tx.now,
        "active": True,
        "slot_decay_per_second": 0.0,
        "avg_slot_occupancy_seconds": _FIRST_OCCUPANCY,
        "loose_slots": 0,
        "loose_at": tx.now,
        "denied_slots": 0,
        "denied_at": tx.now,
        **values,
    }
    return LimitRecord(**row, leased=0) if tx.execute(_INSERT[tx.dialect], row).rowcount == 1 else None


def update(tx: Transaction, limit_id: UUID, changes: Mapping[str, Any]) -> None:
    """Change what an operator has set; raises NotFound, and Conflict where a new name is taken."""
    if tx.execute(_UPDATE, {**changes, "updated": tx.now, "limit_id": limit_id}).rowcount == 0:
        raise NotFound("concurrency_limit", detail="Concurrency Limit not found")


def delete(tx: Transaction, limit_id: UUID) -> None:
    """Delete a limit; no lease holds slots of it any more. Raises NotFound."""
    if tx.execute(_DELETE, {"limit_id": limit_id}).rowcount == 0:
        raise NotFound("concurrency_limit", detail="Concurrency Limit not found")


def take_loose(tx: Transaction, limits: Iterable[LimitRecord], slots: int) -> None:
    """Take slots of limits that are locked, to be held by nobody."""
    for limit in limits:
        loose, since = limit.loose(tx.now)
        # A decay starts with the first slot.
        settle(tx, limit, loose_slots=loose + slots, loose_at=since if loose else max(since, tx.now))


def give_loose_back(tx: Transaction, limits: Iterable[LimitRecord], slots: int, seconds: float | None) -> None:
    """Give back slots of limits that are locked, which were held for so many seconds; what is not taken stays free."""
    for limit in limits:
        loose, since = limit.loose(tx.now)
        occupancy = limit.avg_slot_occupancy_seconds if seconds is None else limit.occupancy_after(seconds, slots)
        settle(
            tx,
            limit,
            loose_slots=max(0, loose - slots),
            loose_at=since,
            avg_slot_occupancy_seconds=occupancy,
        )


def deny(tx: Transaction, limit: LimitRecord, slots: int, longest_wait: timedelta) -> None:
    """Remember that slots of a limit that is locked were refused."""
    denied, since = limit.denied(tx.now, longest_wait)
    settle(tx, limit, denied_slots=min(denied + slots, _MOST), denied_at=since if denied else max(since, tx.now))


def settle(tx: Transaction, limit: LimitRecord, **changes: Any) -> None:
    """Change what use has made of a limit that is locked; it does not count as updated."""
    tx.execute(_UPDATE, {**changes, "limit_id": limit.id})


def response(limit: LimitRecord, now: datetime) -> ConcurrencyLimitResponse:
    """A limit as it is answered at `now`."""
    return ConcurrencyLimitResponse.trusted(
        {
            "id": limit.id,
            "created": limit.created,
            "updated": limit.updated,
            "active": limit.active,
            "name": limit.name,
            "limit": limit.limit,
            "active_slots": limit.taken(now),
            "slot_decay_per_second": limit.slot_decay_per_second,
        }
    )


def newly_made(limit: LimitRecord, now: datetime) -> ConcurrencyLimit:
    """A limit that was made at `now`, as it is answered then."""
    return ConcurrencyLimit.trusted(
        {
            "id": limit.id,
            "created": limit.created,
            "updated": limit.updated,
            "active": limit.active,
            "name": limit.name,
            "limit": limit.limit,
            "active_slots": limit.taken(now),
            "denied_slots": limit.denied_slots,
            "slot_decay_per_second": limit.slot_decay_per_second,
            "avg_slot_occupancy_seconds": limit.avg_slot_occupancy_seconds,
        }
    )


def _records(reader: Reader, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[LimitRecord]:
    if not rows:
        return []
    # A statement of its own: one that had to wait for a lock sees other tables as they were before.
    found = reader.execute(_LEASED, {"limit_ids": [row[0] for row in rows], "now": reader.now})
    leased: dict[UUID, int] = {limit_id: int(slots) for limit_id, slots in found}
    return [LimitRecord._make((*row, leased.get(row[0], 0))) for row in rows]


def _decayed(slots: int, since: datetime, per_second: float, now: datetime) -> tuple[int, datetime]:
    """What is left of slots, and the instant from which the next one counts: parts of a slot are not lost."""
    elapsed = (now - since).total_seconds()
    gone = floor(per_second * elapsed) if elapsed > 0 else 0
    if gone <= 0:
        return slots, since
    if gone >= slots:
        return 0, now
    return slots - gone, since + timedelta(seconds=gone / per_second)
