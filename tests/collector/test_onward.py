"""What the project's file sends to Tempo and Loki arrives there: a second collector stands for both."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.collector.otlp import send_log, send_spans, span, trace_id
from tests.collector.real import CONFIGURATION, PORTS, Collector, collecting, until

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def pair(otelcol: Path, tmp_path: Path) -> Iterator[tuple[Collector, Collector]]:
    """A collector with the project's exporters, and what stands behind it."""
    with ExitStack() as stack:
        behind = stack.enter_context(
            collecting(otelcol, tmp_path / "behind", settings={"TEST_LOGS_PATH": "/otlp/v1/logs"})
        )
        addresses = {"TEMPO_ENDPOINT": behind.grpc, "LOKI_ENDPOINT": behind.address}
        files = (CONFIGURATION, PORTS)
        front = stack.enter_context(collecting(otelcol, tmp_path / "front", settings=addresses, configurations=files))
        yield front, behind


def test_traces_and_logs_go_on(pair: tuple[Collector, Collector]) -> None:
    """Traces over gRPC, logs to Loki's door below /otlp, with the trace id that links them."""
    front, behind = pair
    trace = trace_id()
    send_spans(front, span("root", trace), scope="lightwell")
    send_log(front, "something happened", trace)

    until(lambda: [one.name for one in behind.spans() if one.trace_id == trace] == ["root"], "the span arrives")
    until(lambda: [one.body for one in behind.records() if one.trace_id == trace] == ["something happened"], "the line")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_behind_may_be_away(how: signal.Signals, pair: tuple[Collector, Collector]) -> None:
    """Batches wait and are tried again; each arrives once."""
    front, behind = pair
    behind.stop(how)
    traces = [trace_id() for _ in range(3)]
    for trace in traces:
        send_spans(front, span("waiting", trace), scope="lightwell")
        send_log(front, "waiting", trace)
    behind.start()

    until(lambda: {one.trace_id for one in behind.spans()} >= set(traces), "the spans arrive")
    until(lambda: {one.trace_id for one in behind.records()} >= set(traces), "the lines arrive")
    assert sorted(one.trace_id for one in behind.spans()) == sorted(traces)
