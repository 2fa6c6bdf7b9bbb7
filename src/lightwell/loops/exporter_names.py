"""Counts what the community's `prometheus-prefect-exporter` tells, for metrics by its names."""

from datetime import timedelta

from lightwell.instrumentation import exporter_names as told
from lightwell.kit.clock import Clock
from lightwell.loops.readings import Reading, renew
from lightwell.storage import exporter_names
from lightwell.storage.database import Database


class ExporterNames:
    """What that exporter asks the API for: `tick` is the loop's."""

    def __init__(self, *, window: timedelta, most_series: int) -> None:
        self._readings = (Reading(lambda reader: exporter_names.measure(reader, window, most_series), told.tell),)

    async def tick(self, database: Database, clock: Clock) -> int:  # noqa: ARG002 -- a tick is given one
        """Count again, if that is cheap enough; how often that was."""
        return await renew(self._readings, database, "exporter_names")
