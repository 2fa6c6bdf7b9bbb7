"""A collector that speaks OTLP over HTTP: keeps what it is sent, or refuses, or never answers."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collected:
    """What a collector was sent, and where it listens."""

    address: str
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """Path, headers and body of each request; bodies are unpacked."""

    def _of(self, path: str) -> list[bytes]:
        return [body for where, _, body in self.requests if where == path]

    @property
    def batches(self) -> list[ExportTraceServiceRequest]:
        """Every batch of spans."""
        return [ExportTraceServiceRequest.FromString(body) for body in self._of("/v1/traces")]

    @property
    def spans(self) -> list[Span]:
        """Every span."""
        return [
            span
            for batch in self.batches
            for resource in batch.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def instances(self) -> set[str]:
        """The `service.instance.id` of everybody who sent spans."""
        return {
            attribute.value.string_value
            for batch in self.batches
            for resource in batch.resource_spans
            for attribute in resource.resource.attributes
            if attribute.key == "service.instance.id"
        }

    @property
    def metric_names(self) -> set[str]:
        """The names of all metrics."""
        return {
            metric.name
            for body in self._of("/v1/metrics")
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    @property
    def records(self) -> list[LogRecord]:
        """Every log line."""
        return [
            record
            for body in self._of("/v1/logs")
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def exemplars(self, name: str) -> set[str]:
        """The traces that a histogram's exemplars point at."""
        return {
            exemplar.trace_id.hex()
            for body in self._of("/v1/metrics")
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.histogram.data_points
            for exemplar in point.exemplars
        }

    def counted(self, name: str, **attributes: str) -> float:
        """The latest sum of a counter's points that have these attributes, whose dots are written `__`."""
        wanted = {key.replace("__", "."): value for key, value in attributes.items()}
        latest = 0.0
        for body in self._of("/v1/metrics"):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                points = [
                    point
                    for scope in resource.scope_metrics
                    for metric in scope.metrics
                    if metric.name == name
                    for point in metric.sum.data_points
                    if wanted.items() <= {one.key: one.value.string_value for one in point.attributes}.items()
                ]
                latest = sum(point.as_int or point.as_double for point in points) if points else latest
        return latest


class Handler(BaseHTTPRequestHandler):
    """Takes what it is sent."""

    collected: Collected

    def do_POST(self) -> None:
        """Take one batch."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers["content-length"]))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.collected.requests.append((self.path, headers, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """Nothing is said about a batch."""


@contextmanager
def collecting() -> Iterator[Collected]:
    """A collector that takes everything."""
    collected = Collected("")
    handler = type("Handling", (Handler,), {"collected": collected})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        collected.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield collected
        server.shutdown()
        thread.join()
