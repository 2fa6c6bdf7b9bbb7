"""Rows of work queues, as far as runs in them care."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select

from lightwell.errors import NotFound
from lightwell.storage.tables import work_pool, work_queue
from lightwell.storage.transaction import Reader


class WorkQueueRecord(NamedTuple):
    """A work queue and its pool."""

    id: UUID
    name: str
    pool_id: UUID
    pool_name: str
    pool_type: str


_QUEUES = sql_select(
    work_queue.c.id, work_queue.c.name, work_pool.c.id, work_pool.c.name, work_pool.c.type
).select_from(work_queue.join(work_pool, work_pool.c.id == work_queue.c.work_pool_id))
_BY_ID = _QUEUES.where(work_queue.c.id == bindparam("work_queue_id"))
_BY_NAMES = _QUEUES.where(
    work_pool.c.name == bindparam("work_pool_name"), work_queue.c.name == bindparam("work_queue_name")
)
_POOL = sql_select(work_pool.c.id).where(work_pool.c.name == bindparam("work_pool_name"))
_DEFAULT_OF = _QUEUES.where(
    work_pool.c.name == bindparam("work_pool_name"), work_queue.c.id == work_pool.c.default_queue_id
)


def find(reader: Reader, work_queue_id: UUID) -> WorkQueueRecord | None:
    """A work queue by its id, or None."""
    row = reader.execute(_BY_ID, {"work_queue_id": work_queue_id}).one_or_none()
    return None if row is None else WorkQueueRecord._make(row)


def find_by_name(reader: Reader, work_pool_name: str, work_queue_name: str | None) -> WorkQueueRecord | None:
    """A work queue by its pool's name and its own, or None; the default one of the pool where it has no name."""
    if work_queue_name is None:
        row = reader.execute(_DEFAULT_OF, {"work_pool_name": work_pool_name}).one_or_none()
    else:
        names = {"work_pool_name": work_pool_name, "work_queue_name": work_queue_name}
        row = reader.execute(_BY_NAMES, names).one_or_none()
    return None if row is None else WorkQueueRecord._make(row)


def get_id(reader: Reader, work_pool_name: str, work_queue_name: str | None) -> UUID:
    """The id of the queue that `find_by_name` finds; raises NotFound."""
    found = find_by_name(reader, work_pool_name, work_queue_name)
    if found is None:
        raise NotFound("work_queue", detail=_missing(reader, work_pool_name, work_queue_name))
    return found.id


def _missing(reader: Reader, work_pool_name: str, work_queue_name: str | None) -> str:
    pool = reader.execute(_POOL, {"work_pool_name": work_pool_name}).one_or_none()
    if pool is None:
        return f'Work pool "{work_pool_name}" not found.'
    return f"Work queue '{work_pool_name}/{work_queue_name or 'default'}' not found."
