"""Gives back the slots of leases that nobody has renewed in time.

They count as free from the instant at which their lease ends; this takes the leases themselves out of the way.
"""

from lightwell.kit.clock import Clock
from lightwell.loops.batches import Batches
from lightwell.operations.concurrency_limits import expire_leases
from lightwell.storage.database import Database


async def tick(database: Database, clock: Clock, *, batch_size: int) -> int:  # noqa: ARG001 -- a tick is given one
    """End all leases that are over; how many there were."""
    return await Batches(database, "lease_expiry", most=batch_size).repeat(expire_leases)
