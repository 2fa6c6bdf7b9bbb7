"""No secret that reaches the server comes out of the collector: not in its files, its page, or its own log."""

import re
from pathlib import Path

import httpx
import psycopg
import pytest

from lightwell.storage.database import parsed
from tests.collector.real import collecting, until
from tests.postgres import PostgresServer
from tests.serving import lightwell_server, stop
from tests.signals.canaries import CANARY, NOBODY, PASSWORD, break_websockets, check, spread

pytestmark = pytest.mark.timeout(1800)


async def test_no_secret_comes_out(otelcol: Path, postgres: PostgresServer, tmp_path: Path) -> None:
    """Everything that callers can send, on a database with a password that is lost in the end; every trace is kept."""
    url = postgres.create_database()
    with collecting(otelcol, tmp_path / "collector") as collector:
        settings = {
            "LIGHTWELL_DATABASE_URL": url.replace("lightwell@", f"lightwell:{CANARY}@"),
            "LIGHTWELL_API_AUTH_STRING": PASSWORD,
            "LIGHTWELL_API_CSRF_ENABLED": "true",
            "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1",
            "LIGHTWELL_TELEMETRY_LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        }
        with lightwell_server(tmp_path / "server", settings) as server:
            async with httpx.AsyncClient(base_url=server.api_url, auth=("admin", CANARY)) as client:
                statuses = await spread(client)
                await break_websockets(server.api_url.replace("http", "ws", 1))
                with psycopg.connect(postgres.url("postgres"), autocommit=True) as superuser:
                    superuser.execute(f'DROP DATABASE "{parsed(url).database}" WITH (FORCE)'.encode())
                statuses += [(await client.get(f"/flow_runs/{NOBODY}")).status_code]
            stop(server.process)
        requests = r'http_server_request_duration_seconds_count\{.*"503"'
        until(lambda: re.search(requests, collector.page()), "the last metrics are on the page")
        page = collector.page() + collector.own_page()
        collector.stop()
        names = {span.name for span in collector.spans()}
        files = [path for path in collector.directory.iterdir() if path.is_file()]

    assert {200, 201, 401, 404, 409, 422, 503} <= set(statuses), statuses
    assert {"POST /api/flow_runs/{id}/set_state", "websocket /api/events/in", "flow_runs.create"} <= names
    assert {path.name for path in files} >= {"traces.jsonl", "metrics.jsonl", "logs.jsonl", "collector.log"}
    for told in (page, *(path.read_text() for path in files)):
        check(told)
