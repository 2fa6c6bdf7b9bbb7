"""What the embedded store of traces costs its thread, how large it becomes, and how fast it answers.

    python -m benchmarks.trace_store [--spans 200000] [--directory DIR]

Traces as a server makes them (a request, its unit, verb and statements, two log lines; one in twenty fails with a
stack), made by the SDK, are written in batches; only the writing is measured, in CPU time of its thread. Then the
questions that an operator asks are asked of the full store.
"""

import argparse
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, thread_time, time_ns
from typing import Any, Final
from uuid import UUID

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind, StatusCode, Tracer, set_span_in_context

from lightwell.instrumentation.kept import KeptTrace, Line
from lightwell.instrumentation.traffic import Traffic
from lightwell.kit.ids import new_id
from lightwell.telemetry.reading import Wanted, group_failures, select_traces
from lightwell.telemetry.trees import find_trace
from lightwell.telemetry.writer import Writer
from lightwell.telemetry.writing import Ring

BATCH: Final = 250
"""Traces that are written at a time, as under load."""

FAILS: Final = 20
ROUTES: Final = ("/api/flow_runs/{id}/set_state", "/api/flow_runs/", "/api/flow_runs/filter", "/api/task_runs/{id}")
STATEMENTS: Final = (
    "SELECT flow_run.id, flow_run.name, flow_run.flow_id, flow_run.state_type, flow_run.labels FROM flow_run WHERE ?",
    "INSERT INTO flow_run_state (id, flow_run_id, type, name, timestamp, message, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
    "UPDATE flow_run SET state_id = ?, state_type = ?, state_name = ?, updated = ? WHERE flow_run.id = ?",
)
STACK: Final = "Traceback (most recent call last):\n" + "".join(
    f'  File "/opt/lightwell/src/lightwell/{file}.py", line {100 + number}, in {function}\n'
    "    return verb(tx, *args, **kwargs)\n           ^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    for number, (file, function) in enumerate(
        [("api/flow_runs", "set_state"), ("storage/database", "write"), ("storage/flow_runs", "find")] * 4
    )
)


class Collected(SpanProcessor):
    """Takes what ends."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Take one."""
        self.spans.append(span)


def made(tracer: Tracer, collected: Collected, number: int) -> KeptTrace:
    """One trace, its root first."""
    route, run = ROUTES[number % len(ROUTES)], str(new_id())
    is_failed = number % FAILS == 0
    root = tracer.start_span(f"POST {route}", kind=SpanKind.SERVER)
    within = set_span_in_context(root)
    unit = tracer.start_span(
        "write flow_runs.set_state",
        within,
        attributes={"lightwell.db.unit.kind": "write", "lightwell.operation": "flow_runs.set_state"},
    )
    verb = tracer.start_span("flow_runs.set_state", set_span_in_context(unit))
    for rule in ("guard_ended_flow_run", "wait_for_scheduled_time", "copy_scheduled_time"):
        verb.add_event("orchestration.verdict", {"lightwell.rule": rule, "lightwell.verdict": "ACCEPT"})
    for text in STATEMENTS:
        attributes = {"db.query.text": text, "db.operation.name": text.split()[0], "db.system.name": "sqlite"}
        tracer.start_span(text.split()[0], set_span_in_context(verb), SpanKind.CLIENT, attributes).end()
    verb.end()
    unit.end()
    root.set_attributes(
        {
            "http.request.method": "POST",
            "url.scheme": "http",
            "url.path": route.replace("{id}", run),
            "network.protocol.version": "1.1",
            "client.address": "127.0.0.1",
            "server.address": "127.0.0.1",
            "server.port": 4200,
            "user_agent.original": "prefect/3.8.8 (API 0.8.4)",
            "http.route": route,
            "http.response.status_code": 500 if is_failed else 201,
            "lightwell.flow_run_id": run,
            "lightwell.kept.reason": "error" if is_failed else "baseline",
        }
    )
    if is_failed:
        root.add_event(
            "exception",
            {
                "exception.type": f"lightwell.errors.Kind{number % 7}",
                "exception.message": f"it failed for reason {number % 11}",
                "exception.stacktrace": STACK,
            },
        )
        root.set_status(StatusCode.ERROR)
    root.end()
    spans = [collected.spans.pop(), *collected.spans]
    collected.spans.clear()
    context = root.get_span_context()
    trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
    fields = {"method": "POST", "route": route, "status": 201, "duration_ms": 3.141, "flow_run_id": run}
    lines = [Line(time_ns(), "info", event, fields, trace_id, span_id) for event in ("http.request", "something")]
    return KeptTrace(spans, lines)


def fill(path: Path, spans: int) -> tuple[float, str, UUID]:
    """Write so many spans; CPU seconds of the writing, and a trace and a run to ask for."""
    tracer, collected = tracing()
    writer = Writer(path, Ring(10 * spans, 2**40, 1e9), Traffic(), retry_after=60.0)
    writer.open()
    cpu, written, number = 0.0, 0, 0
    trace_id, run = "", new_id()
    while written < spans:
        batch = [made(tracer, collected, number + extra) for extra in range(BATCH)]
        number += BATCH
        began = thread_time()
        writer.work(batch)
        cpu += thread_time() - began
        written += sum(len(kept.spans) for kept in batch)
        if written >= spans // 2 and not trace_id:
            trace_id = batch[0].lines[0].trace_id
            run = UUID(str(batch[0].lines[0].fields["flow_run_id"]))
    writer.close()
    return cpu / written, trace_id, run


def encoding() -> float:
    """CPU seconds a span of what an exporter does with the same spans: a yardstick for the machine as it is now."""
    tracer, collected = tracing()
    spans = [span for number in range(BATCH) for span in made(tracer, collected, number).spans]
    began = thread_time()
    encode_spans(spans).SerializeToString()
    return (thread_time() - began) / len(spans)


def tracing() -> tuple[Tracer, Collected]:
    """A tracer, and where its spans go."""
    collected = Collected()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(collected)
    return provider.get_tracer("benchmark"), collected


def asked(path: Path, question: Callable[[sqlite3.Connection], Any]) -> float:
    """The median of milliseconds that an answer takes, on an open connection."""
    writer = Writer(path, Ring(1, 1, 1.0), Traffic(), retry_after=60.0)
    took = []
    for _ in range(15):
        began = perf_counter()
        writer.read(monotonic() + 60, question)
        took.append(perf_counter() - began)
    return median(took) * 1000


def main() -> None:
    """Fill a store, ask it, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--directory", type=Path, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        path = Path(directory) / "traces.sqlite3"
        seconds, trace_id, run = fill(path, options.spans)
        print(f"write                        {seconds * 1e6:8.1f} µs of CPU a span")
        print(f"to compare: OTLP encoding    {encoding() * 1e6:8.1f} µs of CPU a span")
        print(f"size                         {path.stat().st_size / options.spans:8.0f} bytes a span")
        questions: dict[str, Callable[[sqlite3.Connection], Any]] = {
            "last 50 failures": lambda held: select_traces(held, Wanted(failed=True), limit=50),
            "last 50 traces": lambda held: select_traces(held, Wanted(), limit=50),
            "one trace": lambda held: find_trace(held, trace_id, limit=5000),
            "traces of a flow run": lambda held: select_traces(held, Wanted(flow_run=run), limit=50),
            "failures in groups": lambda held: group_failures(held, limit=50),
            "text that nowhere is": lambda held: select_traces(held, Wanted(text="nowhere"), limit=50),
            "a route that nowhere is": lambda held: select_traces(held, Wanted(route="/nowhere"), limit=50),
        }
        for name, question in questions.items():
            print(f"{name:<28} {asked(path, question):8.2f} ms")


if __name__ == "__main__":
    main()
