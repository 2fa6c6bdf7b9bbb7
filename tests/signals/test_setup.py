"""Setting telemetry up: once, from values and `OTEL_*` variables, beside a host's own, and ending within a deadline."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from lightwell.instrumentation.export import SpanQueue
from lightwell.instrumentation.kept import KeptTrace
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.setup import Telemetry, assemble
from tests.signals.collector import collecting


def _run(script: str, **variables: str) -> dict[str, Any]:
    """Run a script in a process of its own, because providers are the process's; what it prints last."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=clean | variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer | {"stderr": done.stderr}


_CONFIGURE = """
import json
from opentelemetry import metrics, trace
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.setup import configure
from lightwell.kit.token_bucket import TokenBucket
"""


def test_configuring_twice_makes_nothing_anew() -> None:
    """The second call gives the same telemetry and the same providers, with the newer threshold and ratio."""
    answer = _run(
        _CONFIGURE
        + """
first = configure(version="1")
provider = trace.get_tracer_provider()
second = configure(version="1", keep=KeepPolicy(slow_after=2.0), log_level="ERROR")
print(json.dumps({
    "same": first is second and trace.get_tracer_provider() is provider is first.tracer_provider,
    "slow_after": second.tracing.policy.slow_after,
    "processors": len(provider._active_span_processor._span_processors),
    "handlers": len([h for h in __import__("logging").getLogger().handlers]),
}))
"""
    )
    assert (answer["same"], answer["slow_after"], answer["processors"], answer["handlers"]) == (True, 2.0, 1, 1)


def test_a_host_applications_providers_are_kept() -> None:
    """Spans and metrics go through what the host had set, and nothing of ours is added to it."""
    answer = _run(
        """
import asyncio, json, httpx
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
tracers, meters = TracerProvider(), MeterProvider([reader])
tracers.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(tracers)
metrics.set_meter_provider(meters)
from lightwell.instrumentation.setup import configure
from tests.signals.toy import make_app
telemetry = configure(version="1", baseline_ratio=0.0)
app = make_app(telemetry.tracing)
async def ask():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:
        await client.post("/api/things/01890a5d-ac96-774b-bcce-b302099a8057/set_state")
asyncio.run(ask())
names = [m.name for r in reader.get_metrics_data().resource_metrics for s in r.scope_metrics for m in s.metrics]
print(json.dumps({
    "kept": trace.get_tracer_provider() is tracers and metrics.get_meter_provider() is meters,
    "processors": len(tracers._active_span_processor._span_processors),
    "spans": sorted(span.name for span in exporter.get_finished_spans()),
    "measured": "http.server.request.duration" in names,
    "ended": telemetry.shutdown(1.0),
}))
""",
        PYTHONPATH=os.getcwd(),  # noqa: PTH109 -- a string for the environment
    )
    assert answer["kept"]
    assert answer["processors"] == 1
    assert answer["spans"] == [
        "POST /api/things/{thing_id}/set_state",
        "SELECT",
        "UPDATE",
        "toy.set_state",
        "write things.set_state",
    ]
    assert answer["measured"]
    assert answer["ended"]


def test_the_resource_is_what_the_variables_say() -> None:
    """`OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win over what the process knows of itself."""
    script = (
        _CONFIGURE
        + """
resource = configure(version="1.2").tracer_provider.resource
print(json.dumps(dict(resource.attributes)))
"""
    )
    plain = _run(script)
    named = _run(script, OTEL_SERVICE_NAME="mine", OTEL_RESOURCE_ATTRIBUTES="service.instance.id=a,team=blue")
    assert (plain["service.name"], plain["service.version"]) == ("lightwell", "1.2")
    assert len(plain["service.instance.id"]) == 36
    assert (named["service.name"], named["service.instance.id"], named["team"]) == ("mine", "a", "blue")


@pytest.mark.parametrize(
    ("variables", "live", "ratio"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, False, None),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_on"}, True, 1.0),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, True, 0.0),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, True, 0.25),
        ({}, True, 0.25),
    ],
)
def test_sampling_and_disabling_by_variable(variables: dict[str, str], live: bool, ratio: float | None) -> None:  # noqa: FBT001
    """The SDK can be disabled, and the ratio be set by the sampler's name."""
    answer = _run(
        _CONFIGURE
        + """
telemetry = configure(version="1", baseline_ratio=0.25)
sampler = telemetry.sampler and telemetry.sampler.get_description()
print(json.dumps({"live": telemetry.is_live, "sampler": sampler}))
""",
        **variables,
    )
    assert answer["live"] is live
    assert answer["sampler"] == (None if ratio is None else f"Baseline{{{ratio}}}")


def test_without_an_endpoint_nothing_is_sent_and_nothing_kept() -> None:
    """No exporter, no reader, no thread."""
    answer = _run(
        _CONFIGURE
        + """
import threading
telemetry = configure(version="1", baseline_ratio=1.0)
print(json.dumps({"threads": threading.active_count(), "sinks": telemetry.tracing.tail.has_sinks}))
"""
    )
    assert (answer["threads"], answer["sinks"]) == (1, False)


def test_an_unknown_protocol_or_exporter_is_said_in_one_line() -> None:
    """What is not to be had is named with its variable, and the server starts."""
    answer = _run(
        _CONFIGURE + 'configure(version="1", log_format="json")\nprint("{}")',
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
        OTEL_EXPORTER_OTLP_PROTOCOL="carrier-pigeon",
        OTEL_METRICS_EXPORTER="console",
    )
    refused = [json.loads(line) for line in answer["stderr"].splitlines() if "telemetry.refused" in line]
    assert [line["variable"] for line in refused] == ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_METRICS_EXPORTER"]


_SHUT_DOWN = (
    _CONFIGURE
    + """
import time
telemetry = configure(version="1", baseline_ratio=1.0, log_format="json")
for _ in range(600):
    telemetry.tracing.tracer.start_span("root").end()
began = time.monotonic()
in_time = telemetry.shutdown(1.0)
print(json.dumps({"in_time": in_time, "took": time.monotonic() - began}))
"""
)


def test_the_last_batch_arrives_at_shutdown() -> None:
    """Traces and metrics are delivered, compressed, with the configured headers."""
    with collecting() as collected:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.address, "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=blue"}
        answer = _run(_SHUT_DOWN, **variables)

    assert answer["in_time"]
    assert {path for path, _, _ in collected.requests} == {"/v1/traces", "/v1/metrics"}
    sent = [headers for _, headers, _ in collected.requests]
    assert all(headers["content-encoding"] == "gzip" and headers["x-tenant"] == "blue" for headers in sent)
    assert len(collected.spans) == 600


@pytest.mark.parametrize("kind", ["refuses", "stalls"])
def test_a_dead_collector_does_not_hold_up_the_end(kind: str) -> None:
    """Shutdown ends at its deadline, and the process with it; at most a few lines are said about it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as silent:
        port = silent.server_port if kind == "stalls" else 1
        began = time.monotonic()
        answer = _run(_SHUT_DOWN, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
        took = time.monotonic() - began

    assert answer["took"] < 2.0
    assert took < 15.0
    assert len(answer["stderr"].splitlines()) <= 6


class _Stalled(SpanExporter):
    def __init__(self) -> None:
        self.gate = threading.Event()
        self.spans = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.gate.wait(10)
        self.spans += len(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self.gate.set()


def test_a_stalled_exporter_costs_bounded_memory_and_is_counted() -> None:
    """The queue holds its limit; the oldest traces go first; what is lost is counted."""
    exporter = _Stalled()
    before = GAUGES.dropped.get(("traces", "queue_full"), 0)
    queue = SpanQueue(exporter, most_spans=100, batch=10, every=0.01)
    span = ReadableSpan("one")
    for _ in range(1000):
        queue(KeptTrace([span]))
    lost = GAUGES.dropped["traces", "queue_full"] - before

    assert lost >= 890
    exporter.gate.set()
    assert queue.close(5.0)
    assert exporter.spans + lost == 1000


def test_flushing_keeps_telemetry_usable() -> None:
    """What comes after a flush is exported too: an application's lifespan may run twice."""
    exporter = _Stalled()
    exporter.gate.set()
    telemetry: Telemetry = assemble(version="0", ratio=1.0, policy=KeepPolicy(), exporters=[exporter])
    for expected in (1, 2):
        telemetry.tracing.tracer.start_span("root").end()
        assert telemetry.flush(5.0)
        assert exporter.spans == expected
    assert telemetry.shutdown(5.0)
