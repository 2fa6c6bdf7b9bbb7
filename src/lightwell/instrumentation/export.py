"""The way of kept spans and log lines to an exporter: bounded queues, each with a daemon thread of its own.

So no request ever waits for a collector. What is lost is counted by signal and reason, and told once a minute.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Final, Generic, Literal, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from lightwell.instrumentation.complaints import COMPLAINTS
from lightwell.instrumentation.kept import KeptTrace
from lightwell.instrumentation.metrics import GAUGES, count_dropped

T = TypeVar("T")
Signal = Literal["traces", "metrics", "logs"]

TRACES: Final = "traces"
METRICS: Final = "metrics"


class Queue(Generic[T]):
    """Sends what it is given in batches, in a thread of its own.

    Holds at most `most` items; when it is full the oldest groups go first. A group stays together, unless it alone is
    larger than a batch. `send` is told the items, and answers whether they were delivered; `end` ends the sender.
    """

    def __init__(
        self,
        signal: Signal,
        send: Callable[[Sequence[T]], bool],
        end: Callable[[], object],
        *,
        most: int,
        batch: int,
        every: float,
    ) -> None:
        self.signal: Signal = signal
        self._send = send
        self._end = end
        self._most = most
        self._batch = batch
        self._every = every
        self._groups: deque[Sequence[T]] = deque()
        self._held = 0
        self._overflow = 0
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stopping = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        GAUGES.queued[signal] = lambda: self._held

    @property
    def held(self) -> int:
        """Items that wait, those on their way included."""
        return self._held

    def put(self, group: Sequence[T]) -> None:
        """Take some items that belong together; returns at once."""
        if not group:
            return
        lost = 0
        with self._lock:
            if self._closed:
                count_dropped(self.signal, "shut_down", len(group))
                return
            self._groups.append(group)
            self._held += len(group)
            while self._held > self._most and len(self._groups) > 1:
                oldest = len(self._groups.popleft())
                self._held -= oldest
                lost += oldest
            self._overflow += lost
            self._start()
            is_full = self._held >= self._batch
        if lost:
            count_dropped(self.signal, "queue_full", lost)
        if is_full:
            self._wake.set()

    def wake(self) -> None:
        """Send what waits now."""
        self._wake.set()

    def close(self, deadline: float) -> bool:
        """Send what is left, for at most `deadline` seconds; whether everything was tried in time."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._stopping = True
        self._wake.set()
        if thread is not None:
            thread.join(deadline)
        in_time = thread is None or not thread.is_alive()
        if not in_time:
            count_dropped(self.signal, "shut_down", self._held)
        threading.Thread(target=self._end, name=f"lightwell-{self.signal}-end", daemon=True).start()
        return in_time

    def flush(self, deadline: float) -> bool:
        """Wait until what was taken before is sent, for at most `deadline` seconds."""
        end = monotonic() + deadline
        pause = threading.Event()
        while self._held and monotonic() < end:
            self._wake.set()
            pause.wait(0.005)
        return not self._held

    def _start(self) -> None:
        if self._thread is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name=f"lightwell-{self.signal}", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._every)
            self._wake.clear()
            while items := self._next():
                delivered(self.signal, len(items), self._send, items)
                with self._lock:
                    self._held -= len(items)
                    lost, self._overflow = self._overflow, 0
                if lost:
                    COMPLAINTS.lost(self.signal, lost, "the queue was full")
            if self._stopping:
                return

    def _next(self) -> list[T]:
        items: list[T] = []
        with self._lock:
            while self._groups and len(items) < self._batch:
                items.extend(self._groups.popleft())
        return items


class SpanQueue:
    """A sink that exports the spans of kept traces."""

    def __init__(self, exporter: SpanExporter, *, most_spans: int = 2048, batch: int = 512, every: float = 5.0) -> None:
        def send(spans: Sequence[ReadableSpan]) -> bool:
            return exporter.export(spans) is SpanExportResult.SUCCESS

        self.queue = Queue(TRACES, send, exporter.shutdown, most=most_spans, batch=batch, every=every)
        self.close = self.queue.close
        self.flush = self.queue.flush

    def __call__(self, kept: KeptTrace) -> None:
        """Take the spans of one trace."""
        self.queue.put(kept.spans)


class WatchedMetrics(MetricExporter):
    """An exporter of metrics whose failures are counted and told as those of other signals are."""

    def __init__(self, exporter: MetricExporter) -> None:
        super().__init__(exporter._preferred_temporality, exporter._preferred_aggregation)  # noqa: SLF001 -- as given
        self._exporter = exporter

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Export, and account for it."""

        def send(data: MetricsData) -> bool:
            return self._exporter.export(data, timeout_millis, **kwargs) is MetricExportResult.SUCCESS

        is_delivered = delivered(METRICS, _points_in(metrics_data), send, metrics_data)
        return MetricExportResult.SUCCESS if is_delivered else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """As the exporter does."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """As the exporter does."""
        self._exporter.shutdown(timeout_millis, **kwargs)


def _points_in(data: MetricsData) -> int:
    return sum(
        len(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )


def delivered(signal: Signal, items: int, send: Callable[[T], bool], batch: T) -> bool:
    """Send a batch, count what became of it, and tell of a failure; whether it was delivered."""
    error: Exception | None = None
    with COMPLAINTS.listening(), suppress_instrumentation():
        try:
            is_delivered = send(batch)
        except Exception as raised:  # noqa: BLE001 -- an exporter that raises must not end the thread
            is_delivered, error = False, raised
    if is_delivered:
        GAUGES.exported[signal] = GAUGES.exported.get(signal, 0) + items
    else:
        count_dropped(signal, "export_failed", items)
        COMPLAINTS.lost(signal, items, "it was refused" if error is None else type(error).__name__)
    return is_delivered


Closer = Callable[[], object]


def started(work: Closer, name: str) -> threading.Thread:
    """A daemon thread that does some work, and nothing holds up if it never ends."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def within(deadline: float, close: Closer, name: str) -> bool:
    """Run `close` in a daemon thread and wait for it at most `deadline` seconds; whether it ended in time."""
    thread = started(close, name)
    thread.join(max(0.0, deadline))
    return not thread.is_alive()
