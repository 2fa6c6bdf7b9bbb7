"""The names of signals: documented, well formed, and the only ones in use."""

import re
from collections import Counter
from pathlib import Path

import httpx

from docs.telemetry import whole
from lightwell.instrumentation.vocabulary import (
    ATTRIBUTES,
    LOG_EVENTS,
    METRICS,
    SPAN_EVENTS,
    SPANS,
    prometheus_name,
)
from tests.signals.conftest import Signals

DOCUMENT = Path(__file__).parents[2] / "docs" / "telemetry.md"
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def test_the_document_is_what_the_vocabulary_says() -> None:
    """docs/telemetry.md is up to date (`make docs` writes it)."""
    assert DOCUMENT.read_text() == whole("")


def test_every_name_is_declared_once_and_described() -> None:
    """No two signals of a kind share a name; every one says what it means."""
    for kind in (ATTRIBUTES, METRICS, LOG_EVENTS, SPANS):
        counted = Counter(signal.name for signal in kind)
        assert [name for name, number in counted.items() if number > 1] == []
        assert all(signal.description.endswith(".") for signal in kind)


def test_every_attribute_in_use_is_declared() -> None:
    """Spans, events of spans and metrics use attributes from the one list."""
    declared = {attribute.name for attribute in ATTRIBUTES}
    used = {name for signal in (*SPANS, *METRICS) for name in signal.attributes}
    used |= {name for event in SPAN_EVENTS for name in event.attributes if not name.startswith("exception.")}

    assert used <= declared


def test_metrics_suit_prometheus() -> None:
    """No unit `1` (it becomes `_ratio`); names are distinct after their translation."""
    assert all(metric.unit != "1" for metric in METRICS)
    names = [prometheus_name(metric) for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)


async def test_what_comes_out_is_in_the_vocabulary(client: httpx.AsyncClient, signals: Signals) -> None:
    """Metrics have their declared unit and attributes, log events declared names, spans declared attributes."""
    for path in (f"/api/things/{ID}", "/api/things/fail/unit", "/api/things/fail/conflict", "/nowhere"):
        await client.get(path)
    await client.post(f"/api/things/{ID}/set_state")
    with signals.telemetry.ticks.tick("late_runs") as tick:
        tick.items = 1

    declared = {metric.name: metric for metric in METRICS}
    data = signals.reader.get_metrics_data()
    assert data is not None
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        assert metric.unit == declared[metric.name].unit
        assert metric.description == declared[metric.name].description
        for point in metric.data.data_points:
            assert set(point.attributes or {}) <= set(declared[metric.name].attributes)
    assert {line["event"] for line in signals.lines} <= {event.name for event in LOG_EVENTS}
    attributes = {attribute.name for attribute in ATTRIBUTES} | {"lightwell.flow_run_id", "lightwell.thing_id"}
    assert {name for span in signals.spans for name in span.attributes or {}} <= attributes
