"""Making and deleting the limits of tags, and the slots that task runs take of them.

A task run holds one slot of a tag, however often it asks.
"""

from collections.abc import Sequence
from uuid import UUID

from lightwell.contract.concurrency_limits import LimitSummary, TagLimit, TagLimitCreate, TagSlots
from lightwell.errors import Locked
from lightwell.events.concurrency_limits import concurrency_limit_changed
from lightwell.instrumentation.operation import operation
from lightwell.operations.concurrency_limits import change, remove
from lightwell.orchestration.transition import Tuning
from lightwell.storage import concurrency_limits, leases, tag_limits
from lightwell.storage.concurrency_limits import LimitRecord
from lightwell.storage.leases import Holder
from lightwell.storage.tag_limits import name_of, tag_of
from lightwell.storage.transaction import Transaction


@operation
def create(tx: Transaction, proposed: TagLimitCreate) -> tuple[TagLimit, bool]:
    """The limit of this tag, and whether it was made now; one that was there gets the new number of slots."""
    values = {"name": name_of(proposed.tag), "limit": proposed.concurrency_limit}
    limit = concurrency_limits.insert(tx, values)
    is_new = limit is not None
    if limit is None:
        limit = change(tx, tag_limits.get(tx, proposed.tag, lock=True), {"limit": proposed.concurrency_limit})
    else:
        tx.emit(concurrency_limit_changed(concurrency_limits.response(limit, tx.now), "created", tx.now))
    return tag_limits.responses(tx, [limit])[0], is_new


@operation
def delete(tx: Transaction, key: UUID | str) -> None:
    """Delete the limit of a tag, by its id or the tag; raises NotFound."""
    remove(tx, tag_limits.get(tx, key, lock=True))


@operation
def reset(tx: Transaction, tag: str, holders: Sequence[UUID], tuning: Tuning) -> None:
    """Let these task runs hold the slots of a tag, and nobody else, however many they are; raises NotFound."""
    limit = tag_limits.get(tx, tag, lock=True)
    leases.revoke(tx, limit.id, keep=0)
    concurrency_limits.settle(tx, limit, loose_slots=0, loose_at=tx.now)
    for holder_id in dict.fromkeys(holders):
        leases.acquire(tx, tuning.new_id(), [limit], 1, lifetime=None, holder=Holder("task_run", holder_id))


@operation
def take(tx: Transaction, asked: TagSlots, tuning: Tuning) -> list[LimitSummary]:
    """Take a slot of each tag that has an active limit, or none; raises Locked where one is full."""
    limits = _named(tx, asked.names)
    active = [limit for limit in limits if limit.active]
    for limit in active:
        if limit.limit == 0:
            message = (
                f'The concurrency limit on tag "{tag_of(limit)}" is 0 and will deadlock if the task tries to run again.'
            )
            raise Locked(message, retry_after=None)
    holder = Holder("task_run", asked.task_run_id)
    held = leases.held_by(tx, holder) if active else {}
    wanted = [limit for limit in active if limit.id not in held]
    for limit in wanted:
        if limit.taken(tx.now) >= limit.limit:
            message = f"Concurrency limit for the {tag_of(limit)} tag has been reached"
            raise Locked(message, retry_after=tuning.tag_slot_wait.total_seconds())
    if wanted:
        leases.acquire(tx, tuning.new_id(), wanted, 1, lifetime=None, holder=holder)
    return [LimitSummary(id=limit.id, name=tag_of(limit), limit=limit.limit) for limit in active]


@operation
def give_back(tx: Transaction, asked: TagSlots) -> list[LimitSummary]:
    """Give back the slots that a task run holds of these tags, with those that it took at the same time."""
    limits = _named(tx, asked.names)
    held = leases.held_by(tx, Holder("task_run", asked.task_run_id)) if limits else {}
    leases.release(tx, {lease_id for limit in limits for lease_id in held.get(limit.id, ())})
    return [LimitSummary(id=limit.id, name=limit.name, limit=limit.limit) for limit in limits]


def _named(tx: Transaction, tags: Sequence[str]) -> list[LimitRecord]:
    """The limits of these tags, locked, in the order in which the tags are named."""
    limits = {tag_of(limit): limit for limit in concurrency_limits.select_named(tx, map(name_of, tags), lock=True)}
    return [limits[tag] for tag in dict.fromkeys(tags) if tag in limits]
