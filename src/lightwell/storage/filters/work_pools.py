"""Which work pools, and which work queues."""

from lightwell.contract.work_pools import WorkPoolFilter
from lightwell.contract.work_queues import WorkQueueFilter
from lightwell.storage.filters.criteria import Clause, of_column, of_members
from lightwell.storage.tables import work_pool, work_queue

_POOL_MEMBERS = {
    "id": of_column(work_pool.c.id),
    "name": of_column(work_pool.c.name),
    "type": of_column(work_pool.c.type),
}

_QUEUE_MEMBERS = {"id": of_column(work_queue.c.id), "name": of_column(work_queue.c.name)}


def pool_clause(criteria: WorkPoolFilter) -> Clause:
    """The work pools that a filter object means."""
    return of_members(criteria, _POOL_MEMBERS)


def queue_clause(criteria: WorkQueueFilter) -> Clause:
    """The work queues that a filter object means."""
    return of_members(criteria, _QUEUE_MEMBERS)
