"""A collector that dies, stalls, refuses or flaps: no request fails or waits, memory is bounded, little is said.

What is lost is counted, signal by signal; when the collector is well again, so is all that comes after.
"""

import re
import signal
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import httpx
import psutil
import pytest

from lightwell.instrumentation.vocabulary import SPANS_DROPPED, prometheus_name
from tests.serving import Serving, lightwell_server
from tests.troubled_collector import TroubledCollector, troubled_collector

pytestmark = pytest.mark.timeout(300)

PATIENCE = 60.0
FLUSH = 3.0
SIGNALS = ("traces", "metrics", "logs")
Trouble = Literal["dies", "stalls", "refuses", "flaps", "slow"]
TROUBLES: tuple[Trouble, ...] = ("dies", "stalls", "refuses", "flaps", "slow")
SETTINGS = {
    "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "50",
    "OTEL_BSP_MAX_QUEUE_SIZE": "300",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100",
    "OTEL_BLRP_SCHEDULE_DELAY": "50",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "100",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "50",
    "OTEL_METRIC_EXPORT_INTERVAL": "200",
    "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1",
    "LIGHTWELL_TELEMETRY_FLUSH_TIMEOUT": f"{FLUSH}s",
}


@dataclass
class Scene:
    """A server that sends to a collector, and a run whose reading fails."""

    server: Serving
    collector: TroubledCollector
    client: httpx.Client
    broken: str

    def ask(self, number: int) -> list[float]:
        """So many requests, each fourth of which fails with 500; the seconds that each took."""
        took = []
        for turn in range(number):
            began = time.monotonic()
            if turn % 4:
                assert self.client.get("/hello").status_code == 200
            else:
                assert self.client.get(f"/flow_runs/{self.broken}").status_code == 500
            took.append(time.monotonic() - began)
        return took

    def lost(self, what: str) -> float:
        """Items of a signal that are counted as lost, as far as the collector knows."""
        return self.collector.collected.counted("lightwell.telemetry.dropped", lightwell__signal=what)

    def is_losing(self, what: str) -> bool:
        """Whether the server itself counts items of a signal as lost."""
        page = httpx.get(self.server.api_url.replace("/api", "/metrics")).text
        dropped = rf'^{prometheus_name(SPANS_DROPPED)}{{.*lightwell_signal="{what}".*}} [1-9]'
        return re.search(dropped, page, re.MULTILINE) is not None

    @property
    def complaints(self) -> list[dict[str, object]]:
        """Lines about telemetry, and about nothing else that a broken run would say."""
        lines = self.server.log_lines()
        return [line for line in lines if str(line["event"]).startswith("telemetry.") or "otlp" in str(line).lower()]


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it never came true"
        pause.wait(0.05)


@contextmanager
def _scene(home: Path, **settings: str) -> Iterator[Scene]:
    with ExitStack() as stack:
        collector = stack.enter_context(troubled_collector())
        address = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}
        server = stack.enter_context(lightwell_server(home, SETTINGS | address | settings))
        client = stack.enter_context(httpx.Client(base_url=server.api_url, timeout=30.0))
        flow = client.post("/flows/", json={"name": "trouble"}).json()["id"]
        run = client.post("/flow_runs/", json={"flow_id": flow}).json()["id"]
        with closing(sqlite3.connect(home / "lightwell.sqlite3", isolation_level=None)) as database:
            database.execute("UPDATE flow_run SET state_type = 'BROKEN' WHERE id = ?", (UUID(run).bytes,))
        yield Scene(server, collector, client, run)


def _trouble(scene: Scene, trouble: Trouble, stack: ExitStack) -> None:
    match trouble:
        case "dies":
            scene.collector.die()
        case "flaps":
            stack.enter_context(scene.collector.flapping())
        case "stalls" | "refuses" | "slow":
            scene.collector.live(trouble)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_collectors_trouble_is_not_the_servers(trouble: Trouble, tmp_path: Path) -> None:
    """Requests are answered as before, memory stays, one line is said; what was lost is counted, and all goes on."""
    lossy = {"flaps": (), "slow": ("traces",)}.get(trouble, SIGNALS)
    with _scene(tmp_path) as scene:
        process = psutil.Process(scene.server.process.pid)
        well = statistics.median(scene.ask(200))
        _until(lambda: len(scene.collector.collected.records) > 0)
        with ExitStack() as stack:
            _trouble(scene, trouble, stack)
            scene.ask(200)
            before = process.memory_info().rss
            ill = statistics.median(scene.ask(800))
            grown = process.memory_info().rss - before
            _until(lambda: all(map(scene.is_losing, lossy)))
            assert len(scene.complaints) <= 1
        scene.collector.live()

        assert ill < 3 * well + 0.005
        assert grown < 25_000_000
        if lossy:
            _until(lambda: all(scene.lost(what) > 0 for what in lossy))
            (line,) = scene.complaints
            assert (line["event"], line["level"]) == ("telemetry.export_failed", "warning")
            assert int(str(line["lost"])) > 0
            assert line["reason"]
        _check_goes_on(scene)


def _check_goes_on(scene: Scene) -> None:
    """A failure from now on arrives, with its spans and its lines."""
    trace = scene.client.get(f"/flow_runs/{scene.broken}").headers["x-trace-id"]
    collected = scene.collector.collected
    _until(lambda: trace in {span.trace_id.hex() for span in collected.spans})
    _until(
        lambda: (
            [record.body.string_value for record in collected.records if record.trace_id.hex() == trace]
            == ["request.failed", "http.request"]
        )
    )
    spans = {span.name for span in collected.spans if span.trace_id.hex() == trace}
    assert {"GET /api/flow_runs/{id}", "SELECT"} <= spans


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_last_batch_arrives_whichever_signal_ends_the_server(number: signal.Signals, tmp_path: Path) -> None:
    """Spans, lines and metrics that were not sent before are sent at the end, though the collector was just away."""
    never = "600000"
    settings = {
        "OTEL_BSP_SCHEDULE_DELAY": never,
        "OTEL_BLRP_SCHEDULE_DELAY": never,
        "OTEL_METRIC_EXPORT_INTERVAL": never,
        "OTEL_BSP_MAX_QUEUE_SIZE": "4000",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2000",
    }
    with _scene(tmp_path, **settings) as scene:
        trace = scene.client.get(f"/flow_runs/{scene.broken}").headers["x-trace-id"]
        assert not scene.collector.collected.requests
        began = time.monotonic()
        scene.server.process.send_signal(number)
        scene.server.process.wait(PATIENCE)
        took = time.monotonic() - began
        collected = scene.collector.collected

        assert took < FLUSH + 4
        assert {"GET /api/flow_runs/{id}", "SELECT"} <= {
            span.name for span in collected.spans if span.trace_id.hex() == trace
        }
        assert [one.body.string_value for one in collected.records if one.trace_id.hex() == trace] == [
            "request.failed",
            "http.request",
        ]
        assert trace in collected.exemplars("http.server.request.duration")
        assert scene.complaints == []


@pytest.mark.parametrize("trouble", ["dies", "stalls"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_comes_by_its_deadline(trouble: Trouble, number: signal.Signals, tmp_path: Path) -> None:
    """However much waits for a collector that is not there; and it is said that something was lost."""
    with _scene(tmp_path) as scene, ExitStack() as stack:
        _trouble(scene, trouble, stack)
        scene.ask(40)
        began = time.monotonic()
        scene.server.process.send_signal(number)
        scene.server.process.wait(PATIENCE)
        took = time.monotonic() - began

        assert took < FLUSH + 4
        assert 1 <= len(scene.complaints) <= 2
