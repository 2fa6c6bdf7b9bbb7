"""A real OpenTelemetry Collector in a process of its own: it runs the project's file, and what came out can be read."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tests.serving import free_port

TOP: Final = Path(__file__).parents[2]
CONFIGURATION: Final = TOP / "otel-collector.yaml"
PORTS: Final = Path(__file__).with_name("ports.yaml")
TO_FILES: Final = Path(__file__).with_name("to-files.yaml")
PATIENCE: Final = 60.0

SERVER, CLIENT = 2, 3
"""Kinds of spans, as OTLP counts them."""

_FAILED = 2
"""The status ERROR."""


def binary() -> Path:
    """The collector of the project, which is built where it is missing: some minutes, once."""
    command: list[str | Path] = [sys.executable, TOP / "tools" / "otelcol" / "build.py"]
    built = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.strip())


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what}: it never came true"
        pause.wait(0.05)


@dataclass(frozen=True)
class Span:
    """A span as the collector passed it on."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    is_failed: bool
    scope: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    events: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True)
class Record:
    """A log record as the collector passed it on."""

    trace_id: str
    span_id: str
    severity: str
    body: Any
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]


@dataclass
class Collector:
    """A collector; its files are in `directory`."""

    program: Path
    directory: Path
    configurations: tuple[Path, ...] = (CONFIGURATION, PORTS, TO_FILES)
    settings: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(
        default_factory=lambda: {name: free_port() for name in ("HTTP", "GRPC", "PAGE", "HEALTH", "OWN")}
    )
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it takes OTLP over HTTP."""
        return f"http://127.0.0.1:{self.ports['HTTP']}"

    @property
    def grpc(self) -> str:
        """Host and port where it takes OTLP over gRPC."""
        return f"127.0.0.1:{self.ports['GRPC']}"

    def start(self) -> float:
        """Start it; the seconds until it was ready."""
        began = time.monotonic()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        ports = {f"TEST_{name}_PORT": str(port) for name, port in self.ports.items()}
        environment = inherited | ports | {"TEST_DIRECTORY": str(self.directory)} | dict(self.settings)
        command = [self.program, *(part for path in self.configurations for part in ("--config", path))]
        with (self.directory / "collector.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        until(self._is_ready, "the collector is ready")
        return time.monotonic() - began

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.told()[-4000:]
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports['HEALTH']}", timeout=2.0).is_success
        except httpx.TransportError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it: it passes on what it holds, unless it is killed."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE)
            self.process = None

    def told(self) -> str:
        """What it has said of itself."""
        return (self.directory / "collector.log").read_text()

    def page(self) -> str:
        """What Prometheus would read of the signals that passed."""
        return httpx.get(f"http://127.0.0.1:{self.ports['PAGE']}/metrics").text

    def own_page(self) -> str:
        """What Prometheus would read of the collector itself."""
        return httpx.get(f"http://127.0.0.1:{self.ports['OWN']}/metrics").text

    def spans(self) -> list[Span]:
        """All spans that it has written."""
        return list(self._spans())

    def _spans(self) -> Iterator[Span]:
        for resource, scope, span in self._entries("traces", "resourceSpans", "scopeSpans", "spans"):
            yield Span(
                trace_id=span["traceId"],
                span_id=span["spanId"],
                parent_id=span.get("parentSpanId", ""),
                name=span["name"],
                kind=span["kind"],
                is_failed=span.get("status", {}).get("code") == _FAILED,
                scope=scope["name"],
                attributes=_attributes(span),
                resource=resource,
                events=tuple((event["name"], _attributes(event)) for event in span.get("events", ())),
            )

    def records(self) -> list[Record]:
        """All log records that it has written."""
        return [
            Record(
                trace_id=record.get("traceId", ""),
                span_id=record.get("spanId", ""),
                severity=record.get("severityText", ""),
                body=_value(record.get("body", {})),
                attributes=_attributes(record),
                resource=resource,
            )
            for resource, _, record in self._entries("logs", "resourceLogs", "scopeLogs", "logRecords")
        ]

    def metric_names(self) -> set[tuple[str, str]]:
        """Scope and name of all metrics that it has written."""
        entries = self._entries("metrics", "resourceMetrics", "scopeMetrics", "metrics")
        return {(scope.get("name", ""), metric["name"]) for _, scope, metric in entries}

    def _entries(self, signal: str, *levels: str) -> Iterator[tuple[Mapping[str, Any], dict[str, Any], dict[str, Any]]]:
        by_resource, by_scope, entries = levels
        path = self.directory / f"{signal}.jsonl"
        for line in path.read_text().splitlines(keepends=True) if path.exists() else ():
            if line.endswith("\n"):
                for resource in json.loads(line)[by_resource]:
                    attributes = _attributes(resource.get("resource", {}))
                    for scope in resource.get(by_scope, ()):
                        for entry in scope.get(entries, ()):
                            yield attributes, scope.get("scope", {}), entry


@contextmanager
def collecting(program: Path, directory: Path, **options: Any) -> Iterator[Collector]:
    """A collector that runs; it is stopped at the end, if it still runs then."""
    directory.mkdir(parents=True, exist_ok=True)
    collector = Collector(program, directory, **options)
    try:
        collector.start()
        yield collector
    finally:
        collector.stop()


def _attributes(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    return {entry["key"]: _value(entry.get("value", {})) for entry in holder.get("attributes", ())}


def _value(value: Mapping[str, Any]) -> Any:
    for kind, content in value.items():
        if kind == "arrayValue":
            return [_value(one) for one in content.get("values", ())]
        if kind == "kvlistValue":
            return {one["key"]: _value(one.get("value", {})) for one in content.get("values", ())}
        return int(content) if kind == "intValue" else content
    return None
