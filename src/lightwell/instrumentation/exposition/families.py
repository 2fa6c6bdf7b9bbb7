"""What was measured as Prometheus sees it: families of points that can be written down, read again and added up."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from opentelemetry.sdk.metrics.export import Gauge, Histogram, HistogramDataPoint, Metric, MetricsData, Sum
from opentelemetry.util.types import AttributeValue

from lightwell.instrumentation.vocabulary import METRICS, exposed_name, prometheus_label, prometheus_unit

Across = Literal["sum", "max", "min"]
Exemplar = tuple[str, str, float, float]
"""Trace id, span id, the value that was measured, and when (seconds since 1970)."""

_ACROSS: Final[Mapping[str, Across]] = {metric.name: metric.across for metric in METRICS if metric.across is not None}
_GRID: Final = 2.0**24
_CHOICE: Final = {"max": max, "min": min}


@dataclass(slots=True)
class Family:
    """One metric: `points` and `exemplars` are by their labels, which are written as Prometheus writes them.

    A point is a number; that of a histogram is a list of its sum and the counts of its buckets. Exemplars are by the
    index of their bucket.
    """

    kind: Literal["counter", "gauge", "histogram", "info"]
    help: str
    unit: str = ""
    across: Across = "sum"
    bounds: list[float] = field(default_factory=list)
    points: dict[str, Any] = field(default_factory=dict)
    exemplars: dict[str, dict[str, Exemplar]] = field(default_factory=dict)

    @property
    def outlives(self) -> bool:
        """Whether what an ended process had counted still counts; counts in the database are nobody's own."""
        return self.kind in {"counter", "histogram"} and self.across == "sum"

    def add(self, labels: str, point: Any) -> None:
        """Take one more point; with labels that are there already it is put together with the one that has them."""
        known = self.points.get(labels)
        if known is None:
            self.points[labels] = point
        elif self.kind == "histogram":
            self.points[labels] = [mine + more for mine, more in zip(known, point, strict=True)]
        elif self.across == "sum":
            self.points[labels] = known + point
        else:
            self.points[labels] = _CHOICE[self.across](known, point)

    def absorb(self, other: "Family") -> None:
        """Take all points of the same metric of another process; of two exemplars the later one stays."""
        if (other.kind, other.bounds) != (self.kind, self.bounds):
            return
        for labels, point in other.points.items():
            if point is not None:  # what JSON has no number for
                self.add(labels, point)
        for labels, buckets in other.exemplars.items():
            mine = self.exemplars.setdefault(labels, {})
            for index, exemplar in buckets.items():
                if index not in mine or mine[index][3] < exemplar[3]:
                    mine[index] = exemplar

    def empty(self) -> "Family":
        """The same metric without a point."""
        return Family(self.kind, self.help, self.unit, self.across, self.bounds)


Families = dict[str, Family]
"""By their names, which end with `_total` for counters."""


def families_of(data: MetricsData | None) -> Families:
    """What a reader of the SDK has collected; histograms without fixed bounds are left out."""
    found: Families = {}
    for metric in _metrics_of(data):
        family = _family_of(metric)
        if family is None:
            continue
        name = exposed_name(metric.name, metric.unit or "", counts=family.kind == "counter")
        if name in found:
            found[name].absorb(family)
        else:
            found[name] = family
    return found


def together(living: Iterable[Families], ended: Iterable[Families] = ()) -> Families:
    """The metrics of several processes as those of one; of ended ones only what does not go back: counts and sums."""
    whole: Families = {}
    for families in living:
        _absorb(whole, families.items())
    for families in ended:
        _absorb(whole, ((name, family) for name, family in families.items() if family.outlives))
    return whole


def target(resource: Mapping[str, AttributeValue]) -> Family:
    """Who speaks, as the metric `target_info`."""
    return Family("info", "Who these metrics are about.", points={labels_of(resource): 1})


def labels_of(attributes: Mapping[str, AttributeValue] | None) -> str:
    """Attributes as Prometheus writes labels, without braces: `method="GET",status="200"`."""
    if not attributes:
        return ""
    shown = {prometheus_label(name): _escaped(_text(value)) for name, value in attributes.items()}
    return ",".join([f'{name}="{shown[name]}"' for name in sorted(shown)])


def _absorb(whole: Families, more: Iterable[tuple[str, Family]]) -> None:
    for name, family in more:
        whole.setdefault(name, family.empty()).absorb(family)


def _metrics_of(data: MetricsData | None) -> Iterator[Metric]:
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            yield from scope.metrics


def _family_of(metric: Metric) -> Family | None:
    data, unit, text = metric.data, prometheus_unit(metric.unit or ""), metric.description or metric.name
    if isinstance(data, Histogram):
        return _histogram(data, text, unit)
    if not isinstance(data, Sum | Gauge):
        return None
    counts = isinstance(data, Sum) and data.is_monotonic
    across: Across = _ACROSS.get(metric.name, "sum" if isinstance(data, Sum) else "max")
    family = Family("counter" if counts else "gauge", text, unit, across)
    for point in data.data_points:
        family.add(labels_of(point.attributes), _on_grid(point.value) if counts else point.value)
    return family


def _histogram(data: Histogram, text: str, unit: str) -> Family | None:
    points = list(data.data_points)
    if not points:
        return None
    family = Family("histogram", text, unit, bounds=list(points[0].explicit_bounds))
    for point in points:
        if len(point.bucket_counts) != len(family.bounds) + 1:
            continue
        labels = labels_of(point.attributes)
        family.add(labels, [_on_grid(point.sum), *point.bucket_counts])
        if point.exemplars:
            family.exemplars[labels] = _exemplars(point, family.bounds)
    return family


def _exemplars(point: HistogramDataPoint, bounds: list[float]) -> dict[str, Exemplar]:
    found: dict[str, Exemplar] = {}
    for one in sorted(point.exemplars, key=lambda exemplar: exemplar.time_unix_nano):
        if one.trace_id and one.span_id:
            index = next((place for place, bound in enumerate(bounds) if one.value <= bound), len(bounds))
            found[str(index)] = (f"{one.trace_id:032x}", f"{one.span_id:016x}", one.value, one.time_unix_nano / 1e9)
    return found


def _on_grid(value: float) -> float:
    """The value in steps of 2**-24: sums of such numbers are exact, in whatever order they are added.

    Without that, the same sums of the same processes could differ in their last bit between two scrapes, and a counter
    that goes back by however little has been set to zero, for Prometheus.
    """
    return value if isinstance(value, int) or not math.isfinite(value) else math.floor(value * _GRID) / _GRID


def _text(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
