"""Tail sampling never drops what the server, a flow or a failure has to say, and keeps little else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collector.otlp import seconds_long, send_spans, span, trace_id
from tests.collector.real import Collector, collecting, until

pytestmark = pytest.mark.timeout(1800)

ERROR = {"status": {"code": 2}}
KEPT = {"attributes": [{"key": "lightwell.kept.reason", "value": {"stringValue": "slow"}}]}


@pytest.fixture(scope="module")
def collector(otelcol: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector that keeps none of what nobody asked for."""
    with collecting(otelcol, tmp_path_factory.mktemp("sampling"), settings={"OTELCOL_BASELINE": "0"}) as running:
        yield running


def _arrived(collector: Collector, trace: str) -> set[str]:
    return {one.name for one in collector.spans() if one.trace_id == trace}


def _until_arrived(collector: Collector, trace: str, *names: str) -> None:
    until(lambda: _arrived(collector, trace) == set(names), f"{names} arrive, and nothing else of their trace")


def test_what_the_server_kept_is_kept(collector: Collector) -> None:
    """By the reason on its root, whoever wrote the span."""
    trace = trace_id()
    send_spans(collector, span("root", trace, **KEPT), span("child", trace), scope="any.instrumentation")

    _until_arrived(collector, trace, "root", "child")


def test_what_comes_late_from_the_server_is_kept(collector: Collector) -> None:
    """By its scope: spans without their root, of a trace that the collector has never heard of."""
    trace = trace_id()
    send_spans(collector, span("late", trace), scope="lightwell")

    _until_arrived(collector, trace, "late")


def test_runs_of_flows_are_kept(collector: Collector) -> None:
    """The client's spans come one by one, long before the run's end; all are kept, and so are the server's beside."""
    trace = trace_id()
    send_spans(collector, span("a task run", trace), scope="prefect")
    send_spans(collector, span("root", trace, **KEPT), scope="lightwell")
    send_spans(collector, span("the flow run", trace), scope="prefect")

    _until_arrived(collector, trace, "a task run", "root", "the flow run")


@pytest.mark.parametrize("members", [ERROR, seconds_long(6)], ids=["failed", "slow"])
def test_failed_and_slow_traces_of_others_are_kept(members: dict[str, object], collector: Collector) -> None:
    """With what came of the trace before, in another batch."""
    trace = trace_id()
    send_spans(collector, span("before", trace))
    send_spans(collector, span("itself", trace, **members))

    _until_arrived(collector, trace, "before", "itself")


def test_healthy_traces_of_others_are_dropped(collector: Collector) -> None:
    """Once the wait is over; but what the server has to say of the same trace afterwards is kept."""
    trace, healthy = trace_id(), trace_id()
    for one in (trace, healthy):
        send_spans(collector, span("healthy", one))
    dropped = r'global_count_traces_sampled\{[^}]*decision="not_sampled"[^}]*\} ([2-9]|\d\d)'
    until(lambda: re.search(dropped, collector.own_page()), "they are dropped")
    send_spans(collector, span("later", healthy))
    send_spans(collector, span("a failure", trace, **KEPT, **ERROR), scope="lightwell")

    _until_arrived(collector, trace, "a failure")
    assert _arrived(collector, healthy) == set()


def test_a_share_of_healthy_traces_is_kept(otelcol: Path, tmp_path: Path) -> None:
    """The baseline is a percentage of everybody's traces."""
    traces = [trace_id() for _ in range(2000)]
    with collecting(otelcol, tmp_path, settings={"OTELCOL_BASELINE": "20"}) as collector:
        for number in range(0, len(traces), 100):
            send_spans(collector, *(span("healthy", trace) for trace in traces[number : number + 100]))
        collector.stop()
        kept = {one.trace_id for one in collector.spans()}

    assert 0.13 < len(kept) / len(traces) < 0.27
