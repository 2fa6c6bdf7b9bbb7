"""Counts what is in the database, for metrics: runs by state, what waits and why, leases, and the sizes of tables."""

from datetime import timedelta

from lightwell.instrumentation import figures
from lightwell.kit.clock import Clock
from lightwell.loops.readings import Reading, renew
from lightwell.storage import leases, run_counts, table_sizes
from lightwell.storage.database import Database
from lightwell.storage.run_counts import Scheduled
from lightwell.storage.table_sizes import Sizes
from lightwell.storage.transaction import Reader


class Statistics:
    """What the loop counts, each thing as often as it is cheap: `tick` is the loop's."""

    def __init__(self, *, late_after: timedelta, sizes_period: timedelta) -> None:
        self._readings = (
            Reading(_flow_runs, lambda found: figures.tell_runs("flow_run", found)),
            Reading(_task_runs, lambda found: figures.tell_runs("task_run", found)),
            Reading(lambda reader: run_counts.scheduled(reader, late_after), _tell_scheduled),
            Reading(_leases, lambda found: figures.tell_leases(*found)),
            Reading(table_sizes.measure, _tell_sizes, sizes_period),
        )

    async def tick(self, database: Database, clock: Clock) -> int:  # noqa: ARG002 -- a tick is given one
        """Count again what is due; how many counts that were."""
        return await renew(self._readings, database, "statistics")


def _flow_runs(reader: Reader) -> dict[str | None, int]:
    return run_counts.by_state(reader, "flow_run")


def _task_runs(reader: Reader) -> dict[str | None, int]:
    return run_counts.by_state(reader, "task_run")


def _tell_scheduled(found: Scheduled) -> None:
    figures.tell_scheduled(found.later, found.overdue)


def _leases(reader: Reader) -> tuple[int, float]:
    number, oldest = leases.count_held(reader)
    return number, 0.0 if oldest is None else (reader.now - oldest).total_seconds()


def _tell_sizes(found: Sizes) -> None:
    figures.tell_sizes(found.rows, found.sizes, found.database)
