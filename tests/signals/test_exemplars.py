"""Exemplars point at kept traces, and at those alone: from a red panel straight to what happened."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan

from lightwell.instrumentation.sampling import KeepPolicy
from tests.signals.conftest import Signals
from tests.signals.toy import make_app

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
REQUEST = "http.server.request.duration"
OPERATION = "lightwell.operation.duration"
UNIT = "lightwell.db.unit.duration"
MakeSignals = Callable[..., Signals]


class Pointed:
    """What the exemplars of each metric point at, of one collection: collecting takes them away."""

    def __init__(self, signals: Signals) -> None:
        data = signals.reader.get_metrics_data()
        assert data is not None
        self.at: dict[str, set[tuple[Any, Any]]] = {
            metric.name: {
                (exemplar.trace_id, exemplar.span_id)
                for point in metric.data.data_points
                for exemplar in point.exemplars
            }
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }
        self.roots = {_here(span) for span in signals.spans if span.parent is None}


def _here(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


async def _ask(signals: Signals, *requests: tuple[str, str]) -> None:
    transport = httpx.ASGITransport(make_app(signals.telemetry.tracing))
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
        for method, path in requests:
            await client.request(method, path)


async def test_a_failure_outside_of_the_baseline_has_exemplars(make_signals: MakeSignals) -> None:
    """On the request's duration, and on the durations of the unit and the verb that failed in it."""
    signals = make_signals(0.0)
    await _ask(signals, ("GET", f"/api/things/{ID}"), ("GET", "/api/things/fail/unit"))

    pointed = Pointed(signals)
    assert len(pointed.roots) == 1
    assert pointed.at[REQUEST] == pointed.at[OPERATION] == pointed.at[UNIT] == pointed.roots


async def test_what_is_not_kept_has_none(make_signals: MakeSignals) -> None:
    """Healthy requests outside of the baseline, also those that a caller has sampled beyond the limit."""
    signals = make_signals(0.0)
    await _ask(signals, ("GET", f"/api/things/{ID}"), ("POST", f"/api/things/{ID}/set_state"))
    transport = httpx.ASGITransport(make_app(signals.telemetry.tracing))
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    async with httpx.AsyncClient(transport=transport, base_url="http://toy", headers=headers) as client:
        await client.post(f"/api/things/{ID}/set_state")

    pointed = Pointed(signals)
    assert {REQUEST, OPERATION, UNIT} <= set(pointed.at)
    assert not any(pointed.at.values())


@pytest.mark.parametrize(
    ("ratio", "policy"),
    [
        (1.0, KeepPolicy(slow_after=60.0)),
        (0.0, KeepPolicy(slow_after=0.0)),
        (0.0, KeepPolicy(statuses=frozenset({200}))),
    ],
    ids=["baseline", "slow", "status"],
)
async def test_each_kept_request_has_one(ratio: float, policy: KeepPolicy, make_signals: MakeSignals) -> None:
    """Whatever it is kept for, the exemplar has its trace and its root span."""
    signals = make_signals(ratio, policy)
    await _ask(signals, ("POST", f"/api/things/{ID}/set_state"))

    pointed = Pointed(signals)
    assert len(pointed.roots) == 1
    assert pointed.at[REQUEST] == pointed.roots


async def test_exemplars_of_the_baseline_are_on_every_duration(make_signals: MakeSignals) -> None:
    """What is known to be kept from its beginning is pointed at from all of its parts."""
    signals = make_signals(1.0)
    await _ask(signals, ("POST", f"/api/things/{ID}/set_state"))

    pointed = Pointed(signals)
    assert pointed.at[OPERATION] == pointed.at[UNIT] == pointed.roots


def test_a_tick_that_failed_has_one(make_signals: MakeSignals) -> None:
    """On the duration of ticks."""
    signals = make_signals(0.0)
    with signals.telemetry.ticks.tick("late_runs"):
        pass
    with pytest.raises(ValueError, match="x"), signals.telemetry.ticks.tick("late_runs"):
        raise ValueError("x")

    pointed = Pointed(signals)
    assert len(pointed.roots) == 1
    assert pointed.at["lightwell.loop.tick.duration"] == pointed.roots
