"""A server under load that fails in every way it can: what comes out of the collector is whole, once, and adds up."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from lightwell.instrumentation.vocabulary import METRICS, SCOPE, prometheus_name
from tests.collector.real import CLIENT, SERVER, Collector, Record, Span, collecting, until
from tests.collector.troubles import DOOMED, Answer, Troubles
from tests.serving import Serving, lightwell_server, stop

pytestmark = pytest.mark.timeout(1800)

RATIO = 0.1
HEALTHY = 1500
SETTINGS = {
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
    "LIGHTWELL_TELEMETRY_BASELINE_RATIO": str(RATIO),
    "LIGHTWELL_TELEMETRY_SLOW_AFTER": "0.5s",
    "LIGHTWELL_DATABASE_LOCK_TIMEOUT": "1.5s",
    "LIGHTWELL_LOOPS_LATE_RUNS_PERIOD": "0.2s",
    "LIGHTWELL_LOOPS_LATE_RUNS_AFTER": "0s",
    "LIGHTWELL_LOOPS_EXPORTER_NAMES_ENABLED": "true",
    "LIGHTWELL_LOOPS_EXPORTER_NAMES_PERIOD": "1s",
}
FAILURES = {"statement": 40, "row": 40, "locked": 2, "download": 3}
CERTAIN = {
    "http.server.request.duration",
    "lightwell.operation.duration",
    "lightwell.db.unit.duration",
    "lightwell.db.wait.duration",
    "lightwell.loop.tick.duration",
    "lightwell.loop.last_success.age",
    "lightwell.websocket.closes",
    "lightwell.traces.kept",
    "lightwell.traces.passed",
    "lightwell.telemetry.exported",
    "prefect_flows_total",
    "prefect_info_flows",
}
"""Metrics that such a load cannot leave without a point."""


@dataclass(frozen=True)
class Told:
    """What was asked, and what came out."""

    answers: list[Answer]
    spans: list[Span]
    records: list[Record]
    lines: list[dict[str, Any]]
    collector: Collector
    page: str

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]

    def failed(self, *whats: str) -> list[Answer]:
        """The answers to requests of these kinds."""
        return [answer for answer in self.answers if answer.what in whats]

    def samples(self, name: str, **labels: str) -> float:
        """The sum of the samples of a series with these labels on the collector's page."""
        lines = [line for line in self.page.splitlines() if re.match(rf"{name}[{{ ]", line)]
        wanted = [line for line in lines if all(f'{label}="{value}"' in line for label, value in labels.items())]
        return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)


def _healthy(server: Serving, count: int) -> list[Answer]:
    with httpx.Client(base_url=server.api_url, timeout=60) as client:
        answers = [client.post("/flows/count", json={}) for _ in range(count)]
    return [Answer("healthy", answer.status_code, answer.headers["x-trace-id"]) for answer in answers]


def _doomed_event(server: Serving) -> None:
    """A websocket whose batch the database fails."""
    url = server.api_url.replace("http", "ws", 1) + "/events/in"
    event = {"id": str(uuid4()), "occurred": "2026-01-01T00:00:00Z", "event": DOOMED}
    body = httpx.Request("POST", "http://e", json=event | {"resource": {"prefect.resource.id": "a.thing"}}).content
    with websockets.sync.client.connect(url, subprotocols=[Subprotocol("prefect")]) as socket:
        socket.send('{"type": "auth"}')
        socket.recv()
        socket.send(body.decode())
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=30)


def _drive(server: Serving, home: Path) -> list[Answer]:
    with Troubles(server, home) as troubles:
        answers = _trouble(server, troubles)
        troubles.crashing_tick()
    _doomed_event(server)
    return answers


def _trouble(server: Serving, troubles: Troubles) -> list[Answer]:
    with ThreadPoolExecutor(4) as pool:
        load = [pool.submit(_healthy, server, HEALTHY // 3) for _ in range(3)]
        troubled = pool.submit(troubles.failing_statements, FAILURES["statement"])
        answers = troubles.unreadable_rows(FAILURES["row"])
        answers += [answer for one in (*load, troubled) for answer in one.result()]
    answers += troubles.locked_out(0.8, "slow")
    answers += [answer for _ in range(FAILURES["locked"]) for answer in troubles.locked_out(2.2, "locked")]
    answers += [answer for _ in range(FAILURES["download"]) for answer in troubles.broken_download()]
    return answers


@pytest.fixture(scope="module")
def told(otelcol: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Drive it all, end the server and then the collector, so that both pass on what they hold."""
    home = tmp_path_factory.mktemp("story")
    with collecting(otelcol, home / "collector") as collector:
        with lightwell_server(home / "server", SETTINGS | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address}) as server:
            answers = _drive(server, home / "server")
            stop(server.process)
        # A series of the connector is zero when it is first shown, so that its first event is an increase.
        span = r'traces_span_metrics_calls_total\{[^}]*"/api/events/in"[^}]*"STATUS_CODE_ERROR"\} [1-9]'
        until(lambda: re.search(span, collector.page()), "the last failure is in the metrics of spans")
        close = r'lightwell_websocket_closes_total\{[^}]*"/api/events/in"[^}]*\} [1-9]'
        until(lambda: re.search(close, collector.page()), "the server's last metrics are on the page")
        page = collector.page()
        collector.stop()
        yield Told(answers, collector.spans(), collector.records(), server.log_lines(), collector, page)


def test_the_load_was_what_it_should_be(told: Told) -> None:
    """Every trouble came out as it was meant, so that the rest of this module says something."""
    statuses = Counter((answer.what, answer.status) for answer in told.answers)

    assert statuses == {
        ("healthy", 200): HEALTHY,
        ("statement", 500): FAILURES["statement"],
        ("row", 500): FAILURES["row"],
        ("locked", 503): FAILURES["locked"],
        ("slow", 201): 1,
        ("download", 200): FAILURES["download"],
    }


def test_every_failure_arrives_whole(told: Told) -> None:
    """The request, its unit and each of its statements, hanging together, with the exception and its stack once."""
    failed = told.failed(*FAILURES)
    for answer in failed:
        spans = told.trace(answer.trace_id)
        (root,) = (span for span in spans if not span.parent_id)
        exceptions = [(span.name, event) for span in spans for event in span.events if event[0] == "exception"]

        assert {span.parent_id for span in spans} <= {"", *(span.span_id for span in spans)}
        assert (root.kind, root.is_failed, root.attributes["lightwell.kept.reason"]) == (SERVER, True, "error")
        assert root.attributes["http.response.status_code"] == answer.status
        assert [name for name, _ in exceptions] == [root.name]
        assert "Traceback" in exceptions[0][1][1]["exception.stacktrace"]
        units = [span for span in spans if "lightwell.db.unit.statements" in span.attributes]
        statements = [span for span in spans if span.kind == CLIENT]
        assert units
        assert len(statements) == sum(span.attributes["lightwell.db.unit.statements"] for span in units)
        assert all(span.attributes["db.query.text"] for span in statements)
    assert len(failed) == sum(FAILURES.values())


def test_nothing_arrives_twice(told: Told) -> None:
    """No span is passed on more than once."""
    times = Counter((span.trace_id, span.span_id) for span in told.spans)

    assert set(times.values()) == {1}


def test_a_slow_request_arrives_whole(told: Told) -> None:
    """Kept for being slow, with what it waited for."""
    (answer,) = told.failed("slow")
    spans = told.trace(answer.trace_id)
    (root,) = (span for span in spans if not span.parent_id)
    (unit,) = (span for span in spans if "lightwell.db.unit.statements" in span.attributes)

    assert (root.is_failed, root.attributes["lightwell.kept.reason"]) == (False, "slow")
    assert unit.name == "write flows.create"


def test_every_error_in_the_log_has_its_trace(told: Told) -> None:
    """Requests, loops and websockets: the trace id of each line is that of a trace with a failed root."""
    failed = {span.trace_id for span in told.spans if span.is_failed and not span.parent_id}
    events = {"request.failed", "request.unavailable", "loop.tick_failed", "websocket.failed"}
    lines = [line for line in told.lines if line["event"] in events]

    assert {line["event"] for line in lines} == events
    assert not [line for line in lines if line["trace_id"] not in failed]
    names = {span.name for span in told.spans if span.is_failed and not span.parent_id}
    assert {"loop late_runs", "websocket batch /api/events/in"} <= names


def test_the_healthy_share_is_what_was_asked_for(told: Told) -> None:
    """The ids decide on the baseline, here and there alike: exactly those arrive, and besides what was slow."""
    arrived = {span.trace_id: span for span in told.spans if not span.parent_id}
    healthy = {answer.trace_id for answer in told.failed("healthy")}
    baseline = {trace_id for trace_id in healthy if int(trace_id[16:], 16) < RATIO * 2**64}
    others = [arrived[trace_id] for trace_id in healthy & arrived.keys() - baseline]

    assert baseline <= arrived.keys()
    assert {span.attributes["lightwell.kept.reason"] for span in others} <= {"slow"}
    assert 0.6 * RATIO < len(baseline) / HEALTHY < 1.4 * RATIO


def test_log_lines_arrive_with_their_trace(told: Told) -> None:
    """All lines of a kept trace, as they stand in the log, of the same span; and no lines of what was not kept."""
    kept = {span.trace_id for span in told.spans}
    arrived = Counter((record.body, record.trace_id, record.span_id) for record in told.records)
    written = Counter((line["event"], line.get("trace_id", ""), line.get("span_id", "")) for line in told.lines)
    of_kept = {line: count for line, count in written.items() if line[1] in kept}

    assert {line: arrived[line] for line in of_kept} == of_kept
    assert arrived <= written
    assert not [record for record in told.records if record.severity == "INFO" and record.trace_id not in kept]
    for answer in told.failed("statement", "row", "download"):
        (failure,) = (
            one
            for one in told.records
            if (one.trace_id, one.severity) == (answer.trace_id, "ERROR") and one.body == "request.failed"
        )
        assert "Traceback" in failure.attributes["exception.stacktrace"]


def test_the_machine_is_named(told: Told) -> None:
    """Resource detection adds it to what the server says of itself."""
    resources = {tuple(sorted(span.resource.items())) for span in told.spans}
    (resource,) = map(dict, resources)

    assert {"host.name", "os.type", "service.instance.id", "service.version"} <= resource.keys()
    assert resource["service.name"] == "lightwell"


def test_metrics_have_the_documented_names(told: Told) -> None:
    """What the server sends is in the vocabulary, and is called in Prometheus what docs/telemetry.md says."""
    sent = {name for scope, name in told.collector.metric_names() if scope == SCOPE}
    documented = {metric.name: metric for metric in METRICS}
    shown = dict(re.findall(r"^# TYPE (\S+) (\S+)$", told.page, re.MULTILINE))
    kinds = {"histogram": "histogram", "counter": "counter", "gauge": "gauge", "updowncounter": "gauge"}

    assert sent <= documented.keys()
    assert sent >= CERTAIN
    expected = {prometheus_name(documented[name]): kinds[documented[name].instrument] for name in sent}
    others = {"target_info", "traces_span_metrics_calls_total", "traces_span_metrics_duration_seconds"}
    assert {name: kind for name, kind in shown.items() if name not in others} == expected
    assert not [name for name in shown if name.endswith("_ratio")]


def test_metrics_add_up(told: Told) -> None:
    """Prometheus would count the requests that were answered, and the failures among the spans."""
    count = "http_server_request_duration_seconds_count"
    fives = {"http_response_status_code": "500", "job": "lightwell"}
    failed = told.failed("statement", "row", "locked", "download")

    assert told.samples(count, **fives) == len(told.failed("statement", "row"))
    assert told.samples(count, http_response_status_code="503") == FAILURES["locked"]
    assert told.samples(count, http_route="/api/flows/count") == HEALTHY
    spans = {"span_kind": "SPAN_KIND_SERVER", "status_code": "STATUS_CODE_ERROR"}
    requests = told.samples("traces_span_metrics_calls_total", **spans, http_request_method="GET")
    requests += told.samples("traces_span_metrics_calls_total", **spans, http_request_method="POST")
    assert requests == len(failed)


def test_no_label_is_unbounded(told: Told) -> None:
    """Metrics of spans have routes and not paths, and no names of spans."""
    lines = [line for line in told.page.splitlines() if line.startswith("traces_span_metrics_calls_total{")]
    labels = {label for line in lines for label in re.findall(r"[{,]([a-z_]+)=", line)}

    assert lines
    assert labels <= {
        "db_operation_name",
        "http_request_method",
        "http_response_status_code",
        "http_route",
        "instance",
        "job",
        "lightwell_loop",
        "lightwell_operation",
        "service_name",
        "span_kind",
        "status_code",
    }


def test_the_collector_refused_nothing(told: Told) -> None:
    """It has nothing to complain of."""
    assert not [line for line in told.collector.told().splitlines() if '"level":"error"' in line]
