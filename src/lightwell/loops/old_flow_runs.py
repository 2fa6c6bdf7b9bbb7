"""Looks for flow runs that ended long ago."""

from datetime import timedelta

from lightwell.kit.clock import Clock
from lightwell.loops.batches import PAGE, Batches
from lightwell.operations.retention import delete_ended, trim_ended
from lightwell.storage import ended_flow_runs
from lightwell.storage.database import Database

_MANY_PARTS = 200
"""A run with more goes bit by bit, others whole."""
_FEWEST_PARTS = 2
"""Itself and its present state."""


async def tick(database: Database, clock: Clock, *, age: timedelta, batch_size: int) -> int:
    """Delete those that ended longer than `age` ago, with all that is theirs; how many runs."""
    before = clock.now() - age
    batches = Batches(database, "old_flow_runs", most=batch_size)
    many = max(_FEWEST_PARTS, min(_MANY_PARTS, batch_size))
    deleted, progress = 0, 1
    while progress and not batches.is_over:
        found = await database.read(ended_flow_runs.select, before, PAGE)
        progress = await batches.each([run for run in found if run.parts <= many], delete_ended, before)
        deleted += progress
        for run in found:
            if run.parts > many:
                # It is small when it is found again.
                progress += await batches.repeat(trim_ended, run.id, before)
    return deleted
