"""Looks for flow runs that are paused for longer than they wanted to be."""

from lightwell.kit.clock import Clock
from lightwell.loops.batches import PAGE, Batches
from lightwell.operations.expired_pauses import fail_expired
from lightwell.orchestration.transition import Tuning
from lightwell.storage import due_flow_runs
from lightwell.storage.database import Database


async def tick(database: Database, clock: Clock, *, batch_size: int, tuning: Tuning) -> int:  # noqa: ARG001 -- a tick is given one
    """Fail them; how many there were."""
    batches = Batches(database, "pause_expirations", most=batch_size)
    return await batches.drain(lambda: database.read(due_flow_runs.select_expired_pauses, PAGE), fail_expired, tuning)
