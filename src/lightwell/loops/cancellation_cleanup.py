"""Looks for what cancellations of flow runs have left: those that nobody confirms, and what goes on inside."""

from datetime import timedelta

from lightwell.kit.clock import Clock
from lightwell.loops.batches import PAGE, Batches
from lightwell.operations.cancellations import cancel_subflow_runs, cancel_task_runs, end_stuck
from lightwell.orchestration.transition import Tuning
from lightwell.storage import due_flow_runs, due_task_runs
from lightwell.storage.database import Database

_LOOKING_BACK = timedelta(days=1)
"""How long after its cancellation a flow run is looked into: reports of its task runs may come late."""


async def tick(
    database: Database, clock: Clock, *, cancelling_timeout: timedelta, batch_size: int, tuning: Tuning
) -> int:
    """Call cancelled what has been being cancelled for longer than the timeout, and cancel what goes on; how many."""
    now = clock.now()
    before, since = now - cancelling_timeout, now - _LOOKING_BACK
    batches = Batches(database, "cancellation_cleanup", most=batch_size)
    items = await batches.drain(
        lambda: database.read(due_flow_runs.select_stuck, before, PAGE), end_stuck, before, tuning
    )
    items += await batches.drain(
        lambda: database.read(due_flow_runs.select_left_behind, PAGE), cancel_subflow_runs, tuning
    )
    items += await batches.drain(
        lambda: database.read(due_task_runs.select_left_behind, since, PAGE), cancel_task_runs, since, tuning
    )
    return items
