"""Several processes of one server share a store: whichever is asked answers for all of them."""

from pathlib import Path
from typing import Any

from tests.chaos.load import client_of
from tests.chaos.patience import until
from tests.postgres import PostgresServer
from tests.serving import lightwell_server

_REQUESTS = 60


async def test_any_worker_answers_for_all(postgres: PostgresServer, tmp_path: Path) -> None:
    """A trace is there at once wherever it was made, and the table of routes counts every request."""
    settings = {
        "LIGHTWELL_DATABASE_URL": postgres.create_database(),
        "LIGHTWELL_LISTEN_WORKERS": "2",
        "LIGHTWELL_TELEMETRY_BASELINE_RATIO": "1",
    }
    with lightwell_server(tmp_path, settings) as server:
        async with client_of(server.api_url) as client:
            instances = set()
            for number in range(_REQUESTS):
                made = await client.post("/flows/", json={"name": f"flow {number}"})
                found = await client.get(f"/telemetry/traces/{made.headers['x-trace-id']}")
                assert found.status_code == 200, found.text
                instances.add(found.json()["spans"][0]["instance"])

            async def counted() -> dict[str, Any] | None:
                table: dict[str, Any] = (await client.get("/telemetry/routes")).json()
                rows = [row for row in table["routes"] if (row["method"], row["route"]) == ("POST", "/api/flows/")]
                return table if rows and rows[0]["requests"] == _REQUESTS else None

            table = await until(counted, "every request to be counted")

    assert len(instances) == 2
    assert table is not None
    assert table["processes"] == 2
