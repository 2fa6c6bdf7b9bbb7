"""Looks for log lines of flow runs that somebody has deleted."""

from lightwell.kit.clock import Clock
from lightwell.loops.batches import Batches
from lightwell.operations.retention import delete_orphaned_logs
from lightwell.storage.database import Database


async def tick(database: Database, clock: Clock, *, batch_size: int) -> int:  # noqa: ARG001 -- a tick is given one
    """Delete them; how many there were, and the runs of which no line was left."""
    return await Batches(database, "deleted_logs", most=batch_size).repeat(delete_orphaned_logs)
