"""Counters and histograms that this process keeps itself, at a fifth of what the SDK's cost a request.

The SDK's readers collect them with everything else.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import time_ns
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.metrics import Counter, Histogram, Meter, NoOpMeter
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricReader,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import get_current_span

_MOST_SETS: Final = 2000
_OVERFLOW: Final = (("otel.metric.overflow", True),)
_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE

_OF_THE_SDK: Final = (
    "create_observable_counter",
    "create_observable_gauge",
    "create_observable_up_down_counter",
    "create_up_down_counter",
    "create_gauge",
)

Key = tuple[tuple[str, Any], ...]
Shown = tuple[int, float, int, int]
"""When something was measured, its value, and the ids of its trace and span."""


class CellCounter(Counter):
    """A counter: a number for each set of attributes."""

    def __init__(self, name: str, unit: str = "", description: str = "") -> None:
        self._about = (name, description, unit)
        self._lock = threading.Lock()
        self._points: dict[Key, float] = {}

    def add(self, amount: float, attributes: Mapping[str, Any] | None = None, context: object = None) -> None:
        """Count."""
        del context
        key = tuple(attributes.items()) if attributes else ()
        with self._lock:
            known = self._points.get(key)
            if known is None:
                key = key if len(self._points) < _MOST_SETS else _OVERFLOW
                known = self._points.get(key, 0)
            self._points[key] = known + amount

    def collected(self, began: int, now: int, since: int) -> Metric:
        """What was counted so far."""
        del since
        with self._lock:
            points = list(self._points.items())
        data = [NumberDataPoint(dict(key), began, now, value) for key, value in points]
        return Metric(*self._about, Sum(data, _CUMULATIVE, is_monotonic=True))


class _Distribution:
    __slots__ = ("counts", "largest", "shown", "smallest", "total")

    def __init__(self, buckets: int) -> None:
        self.total: float = 0
        self.smallest = float("inf")
        self.largest = float("-inf")
        self.counts = [0] * buckets
        self.shown: dict[int, Shown] = {}


class CellHistogram(Histogram):
    """A histogram: a distribution for each set of attributes, and the last exemplar of each bucket."""

    def __init__(self, name: str, unit: str, description: str, bounds: Sequence[float]) -> None:
        self._about = (name, description, unit)
        self._bounds = list(bounds)
        self._lock = threading.Lock()
        self._points: dict[Key, _Distribution] = {}

    def record(
        self, amount: float, attributes: Mapping[str, Any] | None = None, context: Context | None = None
    ) -> None:
        """Count one value; the sampled span of a context that is given is its exemplar."""
        key = tuple(attributes.items()) if attributes else ()
        index = bisect_left(self._bounds, amount)
        with self._lock:
            point = self._points.get(key) or self._new(key)
            point.counts[index] += 1
            point.total += amount
            point.smallest = min(point.smallest, amount)
            point.largest = max(point.largest, amount)
            if context:
                span = get_current_span(context).get_span_context()
                if span.trace_flags & 1:
                    point.shown[index] = (time_ns(), amount, span.trace_id, span.span_id)

    def _new(self, key: Key) -> _Distribution:
        key = key if len(self._points) < _MOST_SETS else _OVERFLOW
        return self._points.setdefault(key, _Distribution(len(self._bounds) + 1))

    def collected(self, began: int, now: int, since: int) -> Metric:
        """What was counted so far; with the exemplars that are newer than `since`."""
        with self._lock:
            points = [self._point(key, point, (began, now, since)) for key, point in self._points.items()]
        return Metric(*self._about, HistogramData(points, _CUMULATIVE))

    def _point(self, key: Key, point: _Distribution, times: tuple[int, int, int]) -> HistogramDataPoint:
        began, now, since = times
        return HistogramDataPoint(
            attributes=dict(key),
            start_time_unix_nano=began,
            time_unix_nano=now,
            count=sum(point.counts),
            sum=point.total,
            bucket_counts=tuple(point.counts),
            explicit_bounds=self._bounds,
            min=point.smallest,
            max=point.largest,
            exemplars=[
                Exemplar({}, value, at, span_id, trace_id)
                for at, value, trace_id, span_id in point.shown.values()
                if at >= since
            ],
        )


class CellMeter(NoOpMeter):
    """Makes counters and histograms of its own; everything else is the SDK's meter's."""

    def __init__(self, meter: Meter, scope: InstrumentationScope) -> None:
        super().__init__(scope.name)
        self._meter = meter
        self._scope = scope
        self._began = time_ns()
        self._cells: list[CellCounter | CellHistogram] = []
        for kind in _OF_THE_SDK:
            setattr(self, kind, getattr(meter, kind))

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Counter:
        """A counter of this process's own."""
        cell = CellCounter(name, unit, description)
        self._cells.append(cell)
        return cell

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> Histogram:
        """A histogram of this process's own."""
        cell = CellHistogram(name, unit, description, explicit_bucket_boundaries_advisory or ())
        self._cells.append(cell)
        return cell

    def hand_to(self, readers: Sequence[MetricReader], resource: Resource) -> None:
        """Have these readers, of the provider that the meter is of, collect what is kept here too."""
        for reader in readers:
            before: Any = reader._collect  # noqa: SLF001 -- no other way in
            reader._set_collect_callback(partial(_Collection(self, resource), before))  # noqa: SLF001

    def added_to(self, data: MetricsData | None, resource: Resource, since: int) -> MetricsData:
        """What the SDK has collected, with what is kept here."""
        now = time_ns()
        made = [cell.collected(self._began, now, since) for cell in self._cells]
        mine = [metric for metric in made if metric.data.data_points]
        resources = list(data.resource_metrics) if data is not None else []
        if not resources:
            return MetricsData([ResourceMetrics(resource, [ScopeMetrics(self._scope, mine, "")], "")])
        scopes = [
            replace(scope, metrics=[*scope.metrics, *mine]) if scope.scope == self._scope else scope
            for scope in resources[0].scope_metrics
        ]
        if all(scope.scope != self._scope for scope in scopes):
            scopes.append(ScopeMetrics(self._scope, mine, ""))
        return MetricsData([replace(resources[0], scope_metrics=scopes), *resources[1:]])


class _Collection:
    """How one reader collects."""

    def __init__(self, meter: CellMeter, resource: Resource) -> None:
        self._meter = meter
        self._resource = resource
        self._last = 0

    def __call__(self, collect: Callable[..., MetricsData | None], reader: MetricReader, **options: Any) -> MetricsData:
        since, self._last = self._last, time_ns()
        return self._meter.added_to(collect(reader, **options), self._resource, since)


def can_collect_cells(reader: MetricReader) -> bool:
    """Whether a reader takes what cells are: sums since the beginning, and buckets with fixed bounds."""
    temporalities = reader._instrument_class_temporality.values()  # noqa: SLF001 -- no other way to know
    aggregations = reader._instrument_class_aggregation.values()  # noqa: SLF001
    return all(one is _CUMULATIVE for one in temporalities) and not any(
        isinstance(one, ExponentialBucketHistogramAggregation) for one in aggregations
    )
