"""Counters and histograms of our own: to whoever collects they are as the SDK's, whose place they take."""

import random
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, MetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from lightwell.instrumentation.cells import CellMeter, can_collect_cells
from tests.signals.conftest import Signals
from tests.signals.toy import make_app

_BOUNDS = [0.1, 1.0, 10.0]
_WHO = Resource({"service.name": "cells"})


def _meters(*readers: InMemoryMetricReader) -> CellMeter:
    """A meter with cells that these readers collect."""
    provider = MeterProvider(readers, resource=_WHO, shutdown_on_exit=False)
    meter = CellMeter(provider.get_meter("cells", "1"), InstrumentationScope("cells", "1"))
    meter.hand_to(readers, _WHO)
    return meter


def _measure(meter: Meter) -> None:
    chance = random.Random(5)  # noqa: S311 -- any numbers will do
    histogram = meter.create_histogram("took", unit="s", explicit_bucket_boundaries_advisory=_BOUNDS)
    counter = meter.create_counter("done", unit="{job}", description="What was done.")
    meter.create_observable_gauge("level", callbacks=[lambda _: []])
    meter.create_up_down_counter("open").add(3)
    meter.create_histogram("never", explicit_bucket_boundaries_advisory=_BOUNDS)
    for value in (0.1, 1.0, 10.0, *(chance.expovariate(0.5) for _ in range(200))):
        histogram.record(value, {"kind": chance.choice(["a", "b"]), "n": 1})
        counter.add(2, {"kind": "a"})
    counter.add(1)


def _shown(reader: InMemoryMetricReader) -> dict[str, Any]:
    """Everything that a reader gets, but for the times."""
    data = reader.get_metrics_data()
    assert data is not None
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    assert (resource.resource, scope.scope.name) == (_WHO, "cells")
    return {
        metric.name: (
            metric.unit,
            metric.description or "",
            type(metric.data),
            sorted(
                (
                    sorted(dict(point.attributes or {}).items()),
                    [getattr(point, name, None) for name in ("value", "count", "sum", "min", "max")],
                    list(getattr(point, "bucket_counts", ())),
                    list(getattr(point, "explicit_bounds", ())),
                )
                for point in metric.data.data_points
            ),
        )
        for metric in scope.metrics
    }


def test_they_are_collected_as_the_sdks_are() -> None:
    """Of the same measurements the same points, together with the instruments that the SDK keeps."""
    ours, theirs = InMemoryMetricReader(), InMemoryMetricReader()
    _measure(_meters(ours))
    _measure(MeterProvider([theirs], resource=_WHO, shutdown_on_exit=False).get_meter("cells", "1"))

    assert _shown(ours) == _shown(theirs)
    assert {"took", "done", "open"} == _shown(ours).keys()


def test_each_reader_gets_everything() -> None:
    """Also where nothing of the SDK's is there to be collected; sums since the beginning, however often it asks."""
    one, other = InMemoryMetricReader(), InMemoryMetricReader()
    counter = _meters(one, other).create_counter("alone")
    counter.add(1)
    first = _shown(one)["alone"]
    counter.add(1)

    assert first[3][0][1][0] == 1
    assert _shown(one)["alone"][3][0][1][0] == _shown(other)["alone"][3][0][1][0] == 2


def test_their_number_is_bounded() -> None:
    """What is too much is counted under one attribute, as the SDK does."""
    reader = InMemoryMetricReader()
    meter = _meters(reader)
    counter = meter.create_counter("many")
    histogram = meter.create_histogram("wide", explicit_bucket_boundaries_advisory=_BOUNDS)
    for number in range(2100):
        counter.add(1, {"n": number})
        histogram.record(1, {"n": number})

    for name in ("many", "wide"):
        points = _shown(reader)[name][3]
        assert len(points) == 2001
        (rest,) = [point for point in points if point[0] == [("otel.metric.overflow", True)]]
        assert 100 in rest[1]


def test_threads_lose_nothing() -> None:
    """Several count in the same cells at once."""
    reader = InMemoryMetricReader()
    meter = _meters(reader)
    counter = meter.create_counter("done")
    histogram = meter.create_histogram("took", explicit_bucket_boundaries_advisory=_BOUNDS)

    def work() -> None:
        for _ in range(2000):
            counter.add(1, {"kind": "a"})
            histogram.record(0.5, {"kind": "a"})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shown = _shown(reader)

    assert shown["done"][3][0][1][0] == 8000
    assert shown["took"][3][0][2] == [0, 8000, 0, 0]


@pytest.mark.parametrize(
    ("make", "can"),
    [
        (InMemoryMetricReader, True),
        (lambda: InMemoryMetricReader({Counter: AggregationTemporality.DELTA}), False),
        (lambda: InMemoryMetricReader({Histogram: AggregationTemporality.DELTA}), False),
        (lambda: InMemoryMetricReader(None, {Histogram: ExponentialBucketHistogramAggregation()}), False),
    ],
    ids=["as it comes", "differences of counters", "differences of histograms", "other buckets"],
)
def test_who_wants_other_sums_gets_the_sdks(make: Callable[[], MetricReader], can: bool) -> None:  # noqa: FBT001 -- a column
    """Differences, or buckets of its own choice, are made by the SDK alone."""
    assert can_collect_cells(make()) is can


async def test_exemplars_are_of_kept_traces_alone(make_signals: Callable[..., Signals]) -> None:
    """Of a failed request though it was not sampled, and of no healthy one that is not kept; each is told once."""
    signals = make_signals(ratio=0.0)
    transport = httpx.ASGITransport(make_app(signals.telemetry.tracing), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
        await client.get("/api/things/linked/run")
        failed = (await client.get("/api/things/fail/unit")).headers["x-trace-id"]
    points = signals.points("http.server.request.duration")
    shown = [f"{one.trace_id:032x}" for point in points for one in point.exemplars]

    assert shown == [failed]
    assert {f"{span.context.trace_id:032x}" for span in signals.spans if span.context} == {failed}
    again = signals.points("http.server.request.duration")
    assert [one for point in again for one in point.exemplars] == []
