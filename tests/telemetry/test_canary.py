"""No secret that reaches a server is in the store of traces: not in its blobs, its columns or its answers."""

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import httpx

from tests.serving import lightwell_server
from tests.signals.canaries import CANARY, NOBODY, PASSWORD, break_websockets, check, spread


async def test_no_secret_is_stored(tmp_path: Path) -> None:
    """A server that keeps every trace and every line, sent canaries everywhere, and then broken."""
    settings = {
        "LIGHTWELL_API_AUTH_STRING": PASSWORD,
        "LIGHTWELL_API_CSRF_ENABLED": "true",
        "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1",
        "LIGHTWELL_TELEMETRY_LOG_LEVEL": "DEBUG",
    }
    with lightwell_server(tmp_path, settings) as server:
        async with httpx.AsyncClient(base_url=server.api_url, auth=("admin", CANARY)) as client:
            statuses = await spread(client)
            await break_websockets(server.api_url.replace("http", "ws", 1))
            with closing(sqlite3.connect(tmp_path / "lightwell.sqlite3")) as other:
                other.execute("ALTER TABLE flow_run RENAME TO taken_away")
            statuses.append((await client.get(f"/flow_runs/{NOBODY}")).status_code)
            listed = await client.get("/telemetry/traces", params={"limit": 200, "text": "SQL"})
            failures = await client.get("/telemetry/failures")
    assert {200, 201, 204, 401, 403, 404, 405, 409, 422, 500} <= set(statuses), statuses
    assert listed.json()["traces"]
    check(listed.text)
    check(failures.text)
    check(_everything(tmp_path / "traces.sqlite3"))


def _everything(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        bodies = [zlib.decompress(body).decode() for (body,) in connection.execute("SELECT body FROM pieces")]
        rows = [
            repr(row)
            for table in ("entries", "runs", "totals")
            for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608 -- names of tables
        ]
        rows += [body.decode() for (body,) in connection.execute("SELECT body FROM traffic")]
    assert any("http.request" in body and "db.query.text" in body for body in bodies)
    assert len(bodies) > 50
    return "\n".join([*bodies, *rows])
