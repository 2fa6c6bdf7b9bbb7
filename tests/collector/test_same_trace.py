"""One failure of a stock client, seen in both places: the server's own store and the collector have the same trace."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.collector.real import collecting, until
from tests.serving import lightwell_server
from tests.stories.person import Person

pytestmark = pytest.mark.timeout(1800)

_TRAP = """
CREATE TRIGGER broken BEFORE INSERT ON flow_run_state WHEN NEW.type = 'RUNNING' BEGIN SELECT json('{'); END
"""


def test_a_clients_failure_is_the_same_trace_in_both_places(otelcol: Path, tmp_path: Path) -> None:
    """By the id in the client's message: the same spans, the same statements, the same exception, the same lines."""
    with collecting(otelcol, tmp_path / "collector") as collector:
        home = tmp_path / "server"
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with lightwell_server(home, settings) as server:
            with closing(sqlite3.connect(home / "lightwell.sqlite3", isolation_level=None)) as database:
                database.execute(_TRAP)
            with Person(server.api_url, home=tmp_path, tag="same") as person:
                told = re.search(r"body: ([0-9a-f]{32})", person.run("asking", "a value").output)
            assert told is not None
            trace_id = told[1]
            until(lambda: [line for line in collector.records() if line.trace_id == trace_id], "its lines arrive")
            until(lambda: [span for span in collector.spans() if span.trace_id == trace_id], "its spans arrive")
            stored = httpx.get(f"{server.api_url}/telemetry/traces/{trace_id}").raise_for_status().json()
        collector.stop()
        spans = [span for span in collector.spans() if span.trace_id == trace_id]
        records = [record for record in collector.records() if record.trace_id == trace_id]

    assert {(span.span_id, span.name) for span in spans} == {(one["span_id"], one["name"]) for one in stored["spans"]}
    assert len(spans) == len(stored["spans"])
    texts = "db.query.text"
    assert sorted(str(span.attributes.get(texts)) for span in spans) == sorted(
        str(one["attributes"].get(texts)) for one in stored["spans"]
    )
    events = [event for span in spans for event in span.events if event[0] == "exception"]
    kept = [event for one in stored["spans"] for event in one["events"] if event["name"] == "exception"]
    assert [event[1]["exception.stacktrace"] for event in events] == [
        event["attributes"]["exception.stacktrace"] for event in kept
    ]
    assert sorted(record.body for record in records) == sorted(line["event"] for line in stored["lines"])
