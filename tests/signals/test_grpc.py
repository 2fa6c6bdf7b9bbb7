"""OTLP over gRPC, where a variable asks for it: all three signals, compressed, to a real gRPC server."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc  # type: ignore[import-untyped]  # it has no types
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

SCRIPT = """
import json
from lightwell.instrumentation.setup import configure
from lightwell.instrumentation.words import log
telemetry = configure(version="1", baseline_ratio=1.0, log_format="json")
for _ in range(600):
    telemetry.tracing.tracer.start_span("root").end()
log.warning("loop.tick_put_off", loop="late_runs")
print(json.dumps({"in_time": telemetry.shutdown(10.0)}))
"""


@dataclass
class Received:
    """What came over gRPC, and with what the requests said of themselves."""

    address: str = ""
    spans: list[str] = field(default_factory=list)
    metrics: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    tenants: set[str] = field(default_factory=set)


def _spans(received: Received, request: ExportTraceServiceRequest) -> ExportTraceServiceResponse:
    for resource in request.resource_spans:
        received.spans += [span.name for scope in resource.scope_spans for span in scope.spans]
    return ExportTraceServiceResponse()


def _metrics(received: Received, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
    for resource in request.resource_metrics:
        received.metrics |= {metric.name for scope in resource.scope_metrics for metric in scope.metrics}
    return ExportMetricsServiceResponse()


def _lines(received: Received, request: ExportLogsServiceRequest) -> ExportLogsServiceResponse:
    for resource in request.resource_logs:
        received.lines += [record.body.string_value for scope in resource.scope_logs for record in scope.log_records]
    return ExportLogsServiceResponse()


_SERVICES: dict[str, tuple[Callable[[Received, Any], Any], Any]] = {
    "trace.v1.TraceService": (_spans, ExportTraceServiceRequest),
    "metrics.v1.MetricsService": (_metrics, ExportMetricsServiceRequest),
    "logs.v1.LogsService": (_lines, ExportLogsServiceRequest),
}


@contextmanager
def receiving() -> Iterator[Received]:
    """A gRPC server on a port of its own."""
    received = Received()
    server = grpc.server(ThreadPoolExecutor(4))

    def answering(take: Callable[[Received, Any], Any]) -> Callable[[Any, Any], Any]:
        def export(request: Any, context: Any) -> Any:
            received.tenants.add(str(dict(context.invocation_metadata()).get("x-tenant")))
            return take(received, request)

        return export

    for service, (take, kind) in _SERVICES.items():
        handler = grpc.unary_unary_rpc_method_handler(
            answering(take),
            request_deserializer=kind.FromString,
            response_serializer=lambda answer: answer.SerializeToString(),
        )
        name = f"opentelemetry.proto.collector.{service}"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
    received.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield received
    server.stop(None)


def _run(**variables: str) -> dict[str, Any]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=clean | variables, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer | {"stderr": done.stderr}


@pytest.mark.timeout(180)
def test_all_signals_go_over_grpc() -> None:
    """Each span once, the metrics, the line that matters, and the configured headers."""
    with receiving() as received:
        answer = _run(
            OTEL_EXPORTER_OTLP_ENDPOINT=received.address,
            OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
            OTEL_EXPORTER_OTLP_HEADERS="x-tenant=blue",
        )

    assert answer["in_time"], answer["stderr"]
    assert received.spans == ["root"] * 600
    assert "lightwell.traces.live" in received.metrics
    assert received.lines == ["loop.tick_put_off"]
    assert received.tenants == {"blue"}


@pytest.mark.timeout(180)
def test_a_grpc_collector_that_is_away_is_one_line() -> None:
    """With what was lost; the end comes by its deadline."""
    answer = _run(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )

    told = [json.loads(line)["event"] for line in answer["stderr"].splitlines() if line.startswith("{")]
    assert told.count("telemetry.export_failed") <= 1
    assert set(told) <= {"loop.tick_put_off", "telemetry.export_failed", "telemetry.flush_abandoned"}
