"""What a scraper of Prometheus is told: the metrics of this process, or of all processes of the server."""

import threading
from collections.abc import Mapping
from typing import Final

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.util.types import AttributeValue

from lightwell.instrumentation.complaints import COMPLAINTS
from lightwell.instrumentation.exposition.families import Families, families_of, target
from lightwell.instrumentation.exposition.spool import Spool
from lightwell.instrumentation.exposition.text import written

EVERY_SECONDS: Final = 3.0
"""How old what is told of other processes may be."""

_OF_A_PROCESS: Final = frozenset({"process.pid", "service.instance.id"})
_TARGET: Final = "target_info"


class ScrapeReader(InMemoryMetricReader):
    """The reader that answers scrapes: nobody else may collect from it, as the SDK gives each exemplar away once."""


class Scrape:
    """Reads the metrics whenever it is asked; `resource` is who speaks."""

    def __init__(self, reader: ScrapeReader, resource: Mapping[str, AttributeValue]) -> None:
        self.reader = reader
        self._resource = dict(resource)
        self._exemplars: Families = {}
        self._spool: Spool | None = None
        self._lock = threading.Lock()

    def share(self, spool: Spool) -> None:
        """Speak from now on for all processes that share the spool, and let them speak for this one."""
        self._spool = spool
        threading.Thread(target=self._publish_regularly, name="lightwell-metrics-spool", daemon=True).start()

    def text(self, *, openmetrics: bool) -> bytes:
        """All metrics as they are now. Blocks for some milliseconds: call it in a thread. Raises Unavailable."""
        own = self.publish()
        spool = self._spool
        resource = self._resource
        families = own
        if spool is not None:
            families = spool.read()
            whole = {name: value for name, value in resource.items() if name not in _OF_A_PROCESS}
            resource = whole | {"service.instance.id": spool.instance}
        return written(families | {_TARGET: target(resource)}, openmetrics=openmetrics)

    def publish(self) -> Families:
        """Collect, and let the other processes know; what was collected. Never raises for what the disk does."""
        # One at a time, so that nothing older is ever written over something newer.
        with self._lock:
            families = self._collected()
            if self._spool is not None:
                try:
                    self._spool.write(families)
                except OSError as error:
                    COMPLAINTS.lost("metrics", 0, f"{error.strerror}: other processes are not told the newest")
            return families

    def _collected(self) -> Families:
        """What the reader has, with the last exemplar of each bucket: the SDK gives each of them away once."""
        families = families_of(self.reader.get_metrics_data())
        for name, family in families.items():
            if family.kind == "histogram":
                known = self._exemplars.setdefault(name, family.empty())
                fresh = family.empty()
                fresh.exemplars = family.exemplars
                known.absorb(fresh)
                family.exemplars = known.exemplars
        return families

    def _publish_regularly(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_SECONDS):
            self.publish()
