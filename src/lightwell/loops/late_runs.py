"""Looks for flow runs that should have started."""

from datetime import timedelta

from lightwell.kit.clock import Clock
from lightwell.loops.batches import PAGE, Batches
from lightwell.operations.late_runs import mark_late
from lightwell.orchestration.transition import Tuning
from lightwell.storage import due_flow_runs
from lightwell.storage.database import Database


async def tick(database: Database, clock: Clock, *, after: timedelta, batch_size: int, tuning: Tuning) -> int:
    """Mark late what has waited since `after` its time; how many runs."""
    before = clock.now() - after
    batches = Batches(database, "late_runs", most=batch_size)
    return await batches.drain(
        lambda: database.read(due_flow_runs.select_late, before, PAGE), mark_late, before, tuning
    )
