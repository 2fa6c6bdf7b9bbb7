"""Looks for events that are old."""

from datetime import timedelta

from lightwell.kit.clock import Clock
from lightwell.loops.batches import Batches
from lightwell.operations.retention import delete_events
from lightwell.storage.database import Database


async def tick(database: Database, clock: Clock, *, age: timedelta, batch_size: int) -> int:
    """Delete those that are older than `age`; how many there were."""
    return await Batches(database, "old_events", most=batch_size).repeat(delete_events, clock.now() - age)
