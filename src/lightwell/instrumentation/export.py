"""The way of kept spans to an exporter: a bounded queue and one daemon thread, so that no request ever waits for it."""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from lightwell.instrumentation.kept import KeptTrace
from lightwell.instrumentation.metrics import GAUGES, count_dropped
from lightwell.instrumentation.vocabulary import TELEMETRY_FAILED
from lightwell.instrumentation.words import log

_BETWEEN_WARNINGS: Final = 60.0


class SpanQueue:
    """A sink that exports in batches, in a thread of its own.

    Holds at most `most_spans`; when it is full the oldest traces go first. What is lost is counted, and told once a
    minute.
    """

    def __init__(self, exporter: SpanExporter, *, most_spans: int = 2048, batch: int = 512, every: float = 5.0) -> None:
        self._exporter = exporter
        self._most_spans = most_spans
        self._batch = batch
        self._every = every
        self._traces: deque[Sequence[ReadableSpan]] = deque()
        self._held = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._warned = -_BETWEEN_WARNINGS

    def __call__(self, kept: KeptTrace) -> None:
        """Take the spans of one trace."""
        spans = kept.spans
        if not spans:
            return
        lost = 0
        with self._lock:
            if self._closed:
                count_dropped("shut_down", len(spans))
                return
            self._traces.append(spans)
            self._held += len(spans)
            while self._held > self._most_spans and len(self._traces) > 1:
                oldest = len(self._traces.popleft())
                self._held -= oldest
                lost += oldest
            self._start()
            is_full = self._held >= self._batch
        if lost:
            count_dropped("queue_full", lost)
        if is_full:
            self._wake.set()

    def close(self, deadline: float) -> bool:
        """Export what is left, for at most `deadline` seconds; whether everything was tried in time."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._stopping = True
        self._wake.set()
        if thread is not None:
            thread.join(deadline)
        in_time = thread is None or not thread.is_alive()
        if not in_time:
            count_dropped("shut_down", self._held)
        threading.Thread(target=self._exporter.shutdown, name="lightwell-spans-end", daemon=True).start()
        return in_time

    def flush(self, deadline: float) -> bool:
        """Wait until what was taken before is exported, for at most `deadline` seconds."""
        end = monotonic() + deadline
        pause = threading.Event()
        while self._held and monotonic() < end:
            self._wake.set()
            pause.wait(0.005)
        return not self._held

    def _start(self) -> None:
        if self._thread is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="lightwell-spans", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._every)
            self._wake.clear()
            while spans := self._next():
                self._export(spans)
                with self._lock:
                    self._held -= len(spans)
            if self._stopping:
                return

    def _next(self) -> list[ReadableSpan]:
        spans: list[ReadableSpan] = []
        with self._lock:
            while self._traces and len(spans) < self._batch:
                spans.extend(self._traces.popleft())
        return spans

    def _export(self, spans: list[ReadableSpan]) -> None:
        try:
            with suppress_instrumentation():
                is_delivered = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:  # noqa: BLE001 -- an exporter that raises must not end the thread
            is_delivered = False
        if is_delivered:
            GAUGES.exported += len(spans)
            return
        count_dropped("export_failed", len(spans))
        now = monotonic()
        if now - self._warned >= _BETWEEN_WARNINGS:
            self._warned = now
            log.warning(TELEMETRY_FAILED.name, signal="traces", lost=GAUGES.dropped["export_failed"])


Closer = Callable[[], object]


def within(deadline: float, close: Closer, name: str) -> bool:
    """Run `close` in a daemon thread and wait for it at most `deadline` seconds; whether it ended in time."""
    thread = threading.Thread(target=close, name=name, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline))
    return not thread.is_alive()
