"""The collector dies in the middle and comes back: the server goes on, and what happens afterwards arrives."""

import re
import signal
import time
from pathlib import Path

import pytest

from lightwell.instrumentation.vocabulary import SPANS_DROPPED, prometheus_name
from tests.collector.real import Collector, collecting, until
from tests.collector.troubles import Answer, Troubles
from tests.serving import lightwell_server

pytestmark = pytest.mark.timeout(1800)

SETTINGS = {
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "0",
}


def _sizes(collector: Collector, answers: list[Answer]) -> list[int]:
    """How many spans of each failure have arrived."""
    arrived = [span.trace_id for span in collector.spans()]
    return [arrived.count(answer.trace_id) for answer in answers]


def _dropped(collector: Collector) -> float:
    name = prometheus_name(SPANS_DROPPED)
    return sum(float(value) for value in re.findall(rf"^{name}{{.*}} (\S+)$", collector.page(), re.MULTILINE))


def _refuses(collector: Collector, what: str) -> bool:
    pattern = rf"^otelcol_receiver_refused_{what}{{.*}} [1-9]"
    return re.search(pattern, collector.own_page(), re.MULTILINE) is not None


def test_failures_after_an_outage_arrive(otelcol: Path, tmp_path: Path) -> None:
    """Before it all arrive, after it all arrive, and what was lost between is counted."""
    with collecting(otelcol, tmp_path / "collector") as collector:
        settings = SETTINGS | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        with (
            lightwell_server(tmp_path / "server", settings) as server,
            Troubles(server, tmp_path / "server") as troubles,
        ):
            before = troubles.failing_statements(5)
            until(lambda: all(_sizes(collector, before)), "failures arrive")
            collector.stop(signal.SIGKILL)
            began = time.monotonic()
            during = troubles.failing_statements(20)
            took = time.monotonic() - began
            collector.start()
            after = troubles.failing_statements(5)
            until(lambda: all(_sizes(collector, after)), "later failures arrive")
            (whole,) = set(_sizes(collector, before + after))
            lost = len(during) * whole - sum(_sizes(collector, during))
            until(lambda: _dropped(collector) >= lost, "what was lost is counted")

    assert {answer.status for answer in before + during + after} == {500}
    assert took < 10


def test_a_collector_that_refuses_everything_holds_up_nobody(otelcol: Path, tmp_path: Path) -> None:
    """Out of memory from the start: requests are answered, what is refused is counted there, and the log stays calm."""
    with collecting(otelcol, tmp_path / "collector", settings={"OTELCOL_MEMORY_MIB": "1"}) as collector:
        settings = SETTINGS | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        with (
            lightwell_server(tmp_path / "server", settings) as server,
            Troubles(server, tmp_path / "server") as troubles,
        ):
            began = time.monotonic()
            answers = troubles.failing_statements(20)
            took = time.monotonic() - began
            until(lambda: _refuses(collector, "spans"), "spans are refused")
            until(lambda: _refuses(collector, "metric_points"), "metrics are refused")
            told = "telemetry.export_failed"
            until(lambda: any(line["event"] == told for line in server.log_lines()), "the server says so")
            lines = [line for line in server.log_lines() if line["event"] == told]
        assert not collector.spans()

    assert {answer.status for answer in answers} == {500}
    assert took < 10
    assert len({line["signal"] for line in lines}) == len(lines)
