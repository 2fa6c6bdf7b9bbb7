"""Log lines go to a collector: those of kept traces whole, of everything else what matters, and none twice."""

import logging as stdlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, LogRecordExporter, LogRecordExportResult

from lightwell.instrumentation import metrics
from lightwell.instrumentation.kept import Line
from lightwell.instrumentation.lines import OUTLET
from lightwell.instrumentation.log_export import LineQueue, record_of
from lightwell.instrumentation.metrics import GAUGES
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.setup import Telemetry, assemble
from lightwell.instrumentation.words import log
from tests.signals.toy import make_app

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
Lines = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _put_back(log_lines: Lines) -> Iterator[None]:
    assert log_lines is not None
    yield
    OUTLET.bind()
    metrics.bind(None)


def _made(level: str = "WARNING", ratio: float = 0.0) -> tuple[Telemetry, InMemoryLogRecordExporter]:
    exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]  # the library's
    policy = KeepPolicy(slow_after=60.0)
    telemetry = assemble(version="0", ratio=ratio, policy=policy, line_exporters=[exporter], otlp_log_level=level)
    return telemetry, exporter


def _sent(telemetry: Telemetry, exporter: InMemoryLogRecordExporter) -> list[Any]:
    assert telemetry.flush(5.0)
    return [data.log_record for data in exporter.get_finished_logs()]


async def _ask(telemetry: Telemetry, *paths: str) -> list[httpx.Response]:
    transport = httpx.ASGITransport(make_app(telemetry.tracing))
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
        return [await client.get(path) for path in paths]


async def test_lines_of_a_kept_trace_go_out_at_every_level_and_once() -> None:
    """A 500 has its failure and its canonical line; a 409 that is kept has its lines of level info too."""
    telemetry, exporter = _made(ratio=1.0)
    failing, conflict = await _ask(telemetry, "/api/things/fail/unit", "/api/things/fail/conflict")

    records = _sent(telemetry, exporter)
    traces = {name: f"{record.trace_id:032x}" for record in records for name in [record.body]}
    assert Counter((f"{record.trace_id:032x}", record.body) for record in records) == {
        (failing.headers["x-trace-id"], "request.failed"): 1,
        (failing.headers["x-trace-id"], "http.request"): 1,
        (conflict.headers["x-trace-id"], "integrity.conflict"): 1,
        (conflict.headers["x-trace-id"], "http.request"): 1,
    }
    assert set(traces) == {"request.failed", "http.request", "integrity.conflict"}


async def test_lines_that_matter_go_out_whatever_becomes_of_their_trace() -> None:
    """Warnings and above, also outside of any trace; what is below is only written."""
    telemetry, exporter = _made()
    await _ask(telemetry, f"/api/things/{ID}")
    log.warning("loop.tick_put_off", loop="late_runs")
    log.info("http.request")
    stdlib.getLogger("somebody").error("the disk is %d %% full", 99)
    with telemetry.ticks.tick("late_runs"):
        log.warning("loop.tick_put_off", loop="old_logs")

    records = _sent(telemetry, exporter)
    assert [(record.body, record.severity_text) for record in records] == [
        ("loop.tick_put_off", "WARNING"),
        ("the disk is 99 % full", "ERROR"),
        ("loop.tick_put_off", "WARNING"),
    ]
    assert [record.event_name for record in records] == ["loop.tick_put_off", None, "loop.tick_put_off"]
    assert [bool(record.trace_id) for record in records] == [False, False, True]


async def test_none_sends_nothing() -> None:
    """Not even of what is kept."""
    telemetry, exporter = _made("none", ratio=1.0)
    await _ask(telemetry, "/api/things/fail/unit")

    assert _sent(telemetry, exporter) == []


@pytest.mark.parametrize(("level", "expected"), [("ERROR", 1), ("INFO", 3)])
async def test_the_level_can_be_chosen(level: str, expected: int) -> None:
    """A healthy request's line and a warning go out, or an error alone."""
    telemetry, exporter = _made(level)
    await _ask(telemetry, f"/api/things/{ID}")
    log.warning("loop.tick_put_off")
    log.error("loop.tick_failed")

    assert len(_sent(telemetry, exporter)) == expected


async def test_an_exception_is_told_by_its_conventions() -> None:
    """Type, message and stack under OpenTelemetry's names, other fields under their own."""
    telemetry, exporter = _made()
    (answer,) = await _ask(telemetry, "/api/things/fail/unit")

    failure, canonical = sorted(_sent(telemetry, exporter), key=lambda record: record.body, reverse=True)
    attributes = dict(failure.attributes)
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "the disk is on fire"
    assert "Traceback" in attributes["exception.stacktrace"]
    assert not {"exception_type", "exception_message", "stack"} & set(attributes)
    assert f"{failure.trace_id:032x}" == answer.headers["x-trace-id"]
    assert failure.span_id == canonical.span_id != 0
    assert (canonical.attributes["status"], canonical.attributes["flow_run_id"]) == (500, "run-1")
    assert failure.severity_number.name == "ERROR"


def test_no_value_breaks_a_record() -> None:
    """What OTLP has no form for is text; nothing is left out but what is not there."""
    fields = {"a": 2**80, "b": "\ud800", "c": [1, 2**80], "d": None, "e": {"f": 1}, "g": 1.5, "h": True}
    attributes = dict(record_of(Line(1, "odd", "x", fields, "", "")).attributes or {})

    assert attributes == {"a": str(2**80), "b": "?", "c": [1, str(2**80)], "e": "{'f': 1}", "g": 1.5, "h": True}


class _Stalled(LogRecordExporter):
    def __init__(self) -> None:
        self.gate = threading.Event()
        self.lines = 0

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self.gate.wait(10)
        self.lines += len(batch)
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        self.gate.set()

    def force_flush(self, timeout_millis: int = 10_000) -> bool:
        return timeout_millis > 0


def test_a_stalled_collector_costs_bounded_memory_and_is_counted() -> None:
    """The queue holds its limit, the oldest lines go first, and what is lost is counted for logs."""
    exporter = _Stalled()
    telemetry, _ = _made()
    resource = telemetry.tracer_provider.resource  # type: ignore[union-attr]  # it is the SDK's
    before = GAUGES.dropped.get(("logs", "queue_full"), 0)
    lines = LineQueue(exporter, resource, at_once=frozenset(), most_lines=100, batch=10, every=0.01)
    for number in range(1000):
        lines.take(Line(number, "error", "x", {}, "", ""))
        assert lines.queue.held <= 110
    lost = GAUGES.dropped["logs", "queue_full"] - before

    assert lost >= 880
    exporter.gate.set()
    assert lines.queue.close(5.0)
    assert exporter.lines + lost == 1000
