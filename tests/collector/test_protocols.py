"""Each protocol that the server speaks brings every signal to the collector."""

from pathlib import Path

import pytest

from lightwell.instrumentation.vocabulary import SCOPE
from tests.collector.real import collecting, until
from tests.collector.troubles import Troubles
from tests.serving import lightwell_server

pytestmark = pytest.mark.timeout(1800)

SETTINGS = {
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
    "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "0",
}


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_every_signal_arrives(protocol: str, otelcol: Path, tmp_path: Path) -> None:
    """The trace of a failure, its lines, and metrics."""
    with collecting(otelcol, tmp_path / "collector") as collector:
        address = f"http://{collector.grpc}" if protocol == "grpc" else collector.address
        settings = SETTINGS | {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_ENDPOINT": address}
        with (
            lightwell_server(tmp_path / "server", settings) as server,
            Troubles(server, tmp_path / "server") as troubles,
        ):
            (failure,) = troubles.failing_statements(1)
            until(lambda: failure.trace_id in {span.trace_id for span in collector.spans()}, "the trace arrives")
            until(lambda: failure.trace_id in {line.trace_id for line in collector.records()}, "its lines arrive")
            name = (SCOPE, "http.server.request.duration")
            until(lambda: name in collector.metric_names(), "metrics arrive")
            complaints = [line for line in server.log_lines() if str(line["event"]).startswith("telemetry.")]

    assert not complaints
