"""What the server has seen can be asked of it by HTTP, with no collector: traces, failures, routes, traces of a run."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lightwell.server import create_app
from lightwell.settings import Settings, TelemetrySettings, TraceStoreSettings
from tests.api.conftest import client_of, guarded

SET_STATE = "/api/flow_runs/{id}/set_state"


@asynccontextmanager
async def seen(home: Path, ratio: float = 1.0, **store: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that keeps this share of healthy traces in a store of these settings."""
    telemetry = TelemetrySettings(baseline_ratio=ratio, store=TraceStoreSettings(**store))
    settings = Settings(home=home, telemetry=telemetry)
    async with client_of(create_app(settings, ignore_cache=True, ephemeral=True)) as client:
        yield client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that keeps every trace, in memory."""
    async with seen(tmp_path) as client:
        yield client


async def made(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    """The object that a POST made."""
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def asked(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    """What a GET under `/telemetry` answers."""
    answer = await client.get(f"/telemetry{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def failing(client: httpx.AsyncClient, home: Path) -> tuple[str, str]:
    """A run whose state could not be set, as a table was taken away: its id, and the trace id of the answer."""
    flow = await made(client, "/flows/", name="f")
    run = await made(client, "/flow_runs/", flow_id=flow["id"])
    with closing(sqlite3.connect(home / "lightwell.sqlite3")) as other:
        other.execute("ALTER TABLE flow_run_state RENAME TO taken_away")
    answer = await client.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": "RUNNING"}})
    assert answer.status_code == 500
    return run["id"], answer.json()["trace_id"]


async def test_a_failed_request_can_be_seen_whole_at_once(server: httpx.AsyncClient, tmp_path: Path) -> None:
    """From the trace id in the answer to span, transaction, failing statement, exception and log lines."""
    run_id, trace_id = await failing(server, tmp_path)

    trace = await asked(server, f"/traces/{trace_id}")

    root, *rest = trace["spans"]
    assert (root["name"], root["depth"], root["status"]) == (f"POST {SET_STATE}", 0, "error")
    assert root["kind"] == "server"
    assert trace["failed"]
    assert trace["flow_run_ids"] == [run_id]
    assert not trace["truncated"]
    assert [span["depth"] for span in rest][:2] == [1, 2]
    assert any("db.query.text" in span["attributes"] for span in rest)
    [exception] = [event for event in root["events"] if event["name"] == "exception"]
    assert exception["attributes"]["exception.type"] == "sqlite3.OperationalError"
    assert {"request.failed", "http.request"} <= {line["event"] for line in trace["lines"]}
    assert all(0 <= span["offset"] <= trace["duration"] for span in trace["spans"])


async def test_the_list_shows_what_failed_and_where(server: httpx.AsyncClient, tmp_path: Path) -> None:
    """An entry has route, status, duration, exception and the line of code, and figures of the whole trace."""
    run_id, trace_id = await failing(server, tmp_path)

    [entry] = (await asked(server, "/traces", failed=True))["traces"]

    assert entry["trace_id"] == trace_id
    assert (entry["route"], entry["status"], entry["failed"], entry["reason"]) == (SET_STATE, 500, True, "error")
    assert entry["exception_type"] == "sqlite3.OperationalError"
    assert entry["exception_message"].startswith("SQLITE_ERROR")
    assert entry["frame"].startswith("lightwell/storage/")
    assert entry["flow_run_ids"] == [run_id]
    assert entry["service"] == "lightwell"
    assert entry["trace"]["spans"] >= 3
    assert entry["trace"]["roots"] == 1
    assert entry["trace"]["lines"] >= 2
    assert entry["trace"]["failed"]
    assert 0 < entry["duration"] <= entry["trace"]["duration"]


async def test_filters_choose(server: httpx.AsyncClient, tmp_path: Path) -> None:
    """By failure, route, status, duration, time, flow run, exception and service; unknown values find nothing."""
    run_id, trace_id = await failing(server, tmp_path)
    everything = (await asked(server, "/traces"))["traces"]
    assert [entry["route"] for entry in everything] == [SET_STATE, "/api/flow_runs/", "/api/flows/"]

    async def found(**query: Any) -> list[str]:
        return [entry["trace_id"] for entry in (await asked(server, "/traces", **query))["traces"]]

    healthy = [entry["trace_id"] for entry in everything[1:]]
    assert await found(failed=False) == healthy
    assert await found(route=SET_STATE) == await found(status=500) == await found(text="operationalERROR") == [trace_id]
    assert await found(text="sqlite_err", failed=True) == [trace_id]
    assert trace_id in await found(flow_run_id=run_id)
    assert await found(service="lightwell", status=201) == healthy
    assert await found(after=everything[0]["started"]) == [trace_id]
    assert await found(before=everything[0]["started"]) == healthy
    assert await found(min_duration=0) == [trace_id, *healthy]
    for query in ({"route": "/x"}, {"text": "%"}, {"min_duration": 1000}, {"status": 418}, {"service": "x"}):
        assert await found(**query) == []
    assert await found(flow_run_id=uuid4()) == []


async def test_pages_follow_each_other(server: httpx.AsyncClient) -> None:
    """Each trace once, newest first, also while new ones come."""
    for number in range(7):
        await made(server, "/flows/", name=f"flow {number}")
    every = [entry["trace_id"] for entry in (await asked(server, "/traces", limit=200))["traces"]]
    assert len(every) == 7

    page = await asked(server, "/traces", limit=3)
    pages = [page]
    while page["next"]:
        await made(server, "/flows/", name="another")
        page = await asked(server, "/traces", limit=3, cursor=page["next"])
        pages.append(page)

    assert [[entry["trace_id"] for entry in page["traces"]] for page in pages] == [every[:3], every[3:6], every[6:]]


async def test_failures_come_in_groups(server: httpx.AsyncClient, tmp_path: Path) -> None:
    """The same route, exception and line of code: how often, since when, and where to look."""
    run_id, first = await failing(server, tmp_path)
    again = await server.post(f"/flow_runs/{run_id}/set_state", json={"state": {"type": "RUNNING"}})
    await server.get(f"/flow_runs/{run_id}")

    groups = (await asked(server, "/failures"))["failures"]

    assert len(groups) == 2
    of_reading, of_setting = groups
    assert of_reading["route"] == "/api/flow_runs/{id}"
    assert (of_setting["route"], of_setting["count"]) == (SET_STATE, 2)
    assert of_setting["trace_ids"] == [again.json()["trace_id"], first]
    assert of_setting["first_seen"] < of_setting["last_seen"] < of_reading["first_seen"]
    assert of_setting["frame"].startswith("lightwell/storage/")
    late = await asked(server, "/failures", after=of_reading["first_seen"])
    assert [group["route"] for group in late["failures"]] == [of_reading["route"]]
    assert (await asked(server, "/failures", before="2020-01-01T00:00:00Z"))["failures"] == []


async def test_traces_of_a_flow_run(server: httpx.AsyncClient, tmp_path: Path) -> None:
    """All requests about a run, and none about another."""
    run_id, trace_id = await failing(server, tmp_path)

    found = (await asked(server, f"/flow_runs/{run_id}/traces"))["traces"]

    assert found[0]["trace_id"] == trace_id
    assert all(run_id in entry["flow_run_ids"] for entry in found)
    assert [
        entry["trace_id"] for entry in (await asked(server, f"/flow_runs/{run_id}/traces", failed=True))["traces"]
    ] == [trace_id]
    assert (await asked(server, f"/flow_runs/{uuid4()}/traces"))["traces"] == []


async def test_the_table_of_routes_counts_what_was_not_kept(tmp_path: Path) -> None:
    """Every request counts, kept or not, with its errors and refusals."""
    async with seen(tmp_path, ratio=0.0) as client:
        before = {(row["method"], row["route"]): row for row in (await asked(client, "/routes"))["routes"]}
        for _ in range(4):
            await made(client, "/flows/", name="f")
        assert (await client.post("/flows/", json={})).status_code == 422
        table = await asked(client, "/routes")

    [row] = [row for row in table["routes"] if (row["method"], row["route"]) == ("POST", "/api/flows/")]
    already = before.get(("POST", "/api/flows/"), {"requests": 0, "refused": 0, "errors": 0})
    assert row["requests"] - already["requests"] == 5
    assert row["refused"] - already["refused"] == 1
    assert row["errors"] == already["errors"]
    assert row["rate"] > 0
    assert 0 < row["p50"] <= row["p95"] <= row["p99"] < 60
    assert table["processes"] == 1


async def test_looking_leaves_no_trace(server: httpx.AsyncClient) -> None:
    """Healthy requests to the store are not put into it, or watching it would fill it."""
    await asked(server, "/traces")
    await asked(server, "/failures")
    await asked(server, "/routes")

    assert (await asked(server, "/traces"))["traces"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/traces/xyz", 422),
        (f"/traces/{'g' * 32}", 422),
        (f"/traces/{'0' * 32}", 404),
        (f"/traces/{'0' * 32}?limit=0", 422),
        ("/traces?limit=0", 422),
        ("/traces?limit=100000", 422),
        ("/traces?cursor=x", 422),
        ("/traces?cursor=%00", 422),
        ("/traces?cursor=_____________________w", 422),
        ("/traces?status=abc", 422),
        ("/traces?min_duration=inf", 422),
        ("/traces?min_duration=-1", 422),
        ("/traces?after=yesterday", 422),
        ("/traces?fialed=true", 422),
        ("/traces?flow_run_id=1", 422),
        ("/failures?before=never", 422),
        ("/routes?minutes=0", 422),
    ],
)
async def test_what_makes_no_sense_is_refused(server: httpx.AsyncClient, path: str, status: int) -> None:
    """With words, and never with 500."""
    answer = await server.get(f"/telemetry{path}")

    assert answer.status_code == status
    assert answer.json()


async def test_strange_text_finds_nothing(server: httpx.AsyncClient) -> None:
    """Whatever text is looked for is text: NUL, wildcards, emoji, no Unicode at all."""
    for text in ("\x00", "%_!'\"", "\N{PILE OF POO}", "a" * 200):
        assert (await asked(server, "/traces", text=text, route=text, service=text))["traces"] == []
    assert (await server.get("/telemetry/traces?text=%ff%fe")).status_code == 200
    assert (await asked(server, "/traces", after="0001-01-01T00:00:00", before="9999-12-31T23:59:59"))["traces"] == []


async def test_it_is_guarded_as_the_rest_is(tmp_path: Path) -> None:
    """Without the API's credentials nothing is shown."""
    async with guarded(tmp_path, auth_string="user:secret") as client:
        assert (await client.get("/telemetry/traces")).status_code == 401
        assert (await client.get("/telemetry/traces", auth=("user", "secret"))).status_code == 200


async def test_a_store_that_is_off_says_so(tmp_path: Path) -> None:
    """404, and the setting that did it."""
    async with seen(tmp_path, mode="off") as client:
        for path in ("/traces", "/failures", "/routes", f"/traces/{'0' * 32}", f"/flow_runs/{uuid4()}/traces"):
            answer = await client.get(f"/telemetry{path}")
            assert answer.status_code == 404
            assert "LIGHTWELL_TELEMETRY_STORE_MODE" in answer.json()["detail"]


async def test_a_store_in_trouble_says_so_and_nothing_else_fails(tmp_path: Path) -> None:
    """503 with what is the matter; the rest of the API does not notice."""
    (tmp_path / "no directory").touch()
    async with seen(tmp_path, mode="file", path=tmp_path / "no directory" / "traces.sqlite3") as client:
        assert (await made(client, "/flows/", name="f"))["name"] == "f"
        answer = await client.get("/telemetry/traces")

    assert answer.status_code == 503
    assert "cannot be opened" in answer.json()["exception_message"]
    assert int(answer.headers["retry-after"]) > 0
