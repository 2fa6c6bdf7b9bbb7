"""The matrix again, on the real application: each case is told as one story, whatever it was that happened."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from typing import NoReturn
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from lightwell.storage import flow_runs
from tests.signals.conftest import Signals
from tests.signals.stage import Stage, staged
from tests.signals.story import Case, check_story

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
RUN = "/api/flow_runs/{id}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The application with one flow run in it."""
    async with staged(tmp_path_factory.mktemp("real")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The application behind credentials, CSRF tokens and a limit for bodies."""
    api = {"auth_string": "admin:pass", "csrf_enabled": True, "max_request_body": 1024}
    async with staged(tmp_path_factory.mktemp("guarded"), api=api) as made:
        yield made


@pytest.fixture
def signals(stage: Stage, log_lines: Callable[[], list[str]]) -> Signals:
    """What the application tells in this test."""
    return stage.listen(log_lines)


CASES = {
    "200": Case("POST", "/api/flows/filter", 200, "/api/flows/filter", "POST /api/flows/filter"),
    "200 with a query": Case("GET", "/api/hello?token=1", 200, "/api/hello", "GET /api/hello"),
    "200 of a page": Case("GET", "/", 200, None, "GET"),
    "201": Case("POST", "/api/flows/", 201, "/api/flows/", "POST /api/flows/", json={"name": "of the matrix"}),
    "307": Case("GET", "/api/hello/", 307, "/api/hello", "GET /api/hello"),
    "422 of the body": Case(
        "POST", "/api/flow_runs/", 422, "/api/flow_runs/", "POST /api/flow_runs/", ["validation.failed"], json={}
    ),
    "422 that is no JSON": Case(
        "POST", "/api/flows/", 422, "/api/flows/", "POST /api/flows/", ["validation.failed"], content=b"{"
    ),
    "422 of the domain": Case(
        "POST",
        "/api/flow_runs/filter",
        422,
        "/api/flow_runs/filter",
        "POST /api/flow_runs/filter",
        ["request.rejected"],
        json={"limit": 100_000},
    ),
    "409": Case(
        "POST",
        "/api/flow_runs/",
        409,
        "/api/flow_runs/",
        "POST /api/flow_runs/",
        ["integrity.conflict"],
        json={"flow_id": NOBODY},
    ),
    "404 of an object that is read": Case(
        "GET", f"/api/flow_runs/{NOBODY}", 404, RUN, f"GET {RUN}", ["object.not_found"]
    ),
    "404 of an object that is changed": Case(
        "DELETE", f"/api/flow_runs/{NOBODY}", 404, RUN, f"DELETE {RUN}", ["object.not_found"]
    ),
    "404 of no route in the API": Case("GET", "/api/nowhere", 404, None, "GET"),
    "404 of no id": Case("GET", "/api/flow_runs/none", 404, None, "GET"),
    "404 of no page": Case("GET", "/nowhere", 404, None, "GET"),
    "405": Case("PUT", f"/api/flow_runs/{NOBODY}", 405, RUN, f"PUT {RUN}"),
    "405 of a page": Case("POST", "/", 405, None, "POST"),
    "400 of the version": Case("GET", "/api/hello", 400, None, "GET", headers={"x-prefect-api-version": "none"}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_each_case_tells_one_story(case: Case, stage: Stage, signals: Signals) -> None:
    """Span, point and line agree; only some bodies have the trace too."""
    response = await case.ask(stage.client)

    check_story(case, response, signals)
    if case.status == 409:
        assert response.json()["trace_id"] == response.headers["x-trace-id"]


GUARDED_CASES = {
    "401": (Case("GET", "/api/hello", 401, None, "GET", ["request.rejected"]), False),
    "403": (Case("POST", "/api/flows/", 403, None, "POST", ["request.rejected"], json={}), True),
    "413": (Case("POST", "/api/flows/", 413, None, "POST", content=b" " * 2000), True),
    "open": (Case("GET", "/api/health", 200, "/api/health", "GET /api/health"), False),
}


@pytest.mark.parametrize(("case", "is_known"), GUARDED_CASES.values(), ids=GUARDED_CASES)
async def test_what_is_refused_at_the_gate_tells_one_story(
    case: Case,
    is_known: bool,  # noqa: FBT001 -- a parameter of the test
    guarded: Stage,
    log_lines: Callable[[], list[str]],
) -> None:
    """Before any route was looked for, so none is told; the trace id is on the answer all the same."""
    signals = guarded.listen(log_lines)
    guarded.client.auth = httpx.BasicAuth("admin", "pass") if is_known else httpx.Auth()

    check_story(case, await case.ask(guarded.client), signals)


async def test_422_tells_places_and_types(stage: Stage, signals: Signals) -> None:
    """The declared names of the contract, and the kinds of error."""
    body = {"flow_id": 5, "state": {"type": "UNHEARD"}, "unknown": 1}
    answer = (await stage.client.post("/api/flow_runs/", json=body)).json()

    (event,) = signals.server_spans[0].events
    assert answer["request_body"] == body
    assert event.attributes is not None
    locations = event.attributes["locations"]
    assert isinstance(locations, tuple)
    assert {"body.flow_id", "body.state.type"} <= set(locations)
    (line,) = signals.events("validation.failed")
    assert line["count"] == len(answer["exception_detail"])
    assert line["trace_id"] == signals.events("http.request")[0]["trace_id"]


async def test_409_tells_the_constraint(stage: Stage, signals: Signals) -> None:
    """On the span and in the line."""
    await stage.client.post("/api/flow_runs/", json={"flow_id": NOBODY})

    (event,) = signals.server_spans[0].events
    told = {"constraint": "fk_flow_run__flow_id", "exception_type": "lightwell.errors.Conflict"}
    assert dict(event.attributes or {}) == told
    assert told.items() <= signals.events("integrity.conflict")[0].items()


async def test_404_of_an_object_tells_its_type(stage: Stage, signals: Signals) -> None:
    """And whether a unit of work had looked for it."""
    await stage.client.get(f"/api/flow_runs/{NOBODY}")

    assert signals.events("object.not_found")[0]["object_type"] == "flow_run"
    assert (signals.server_spans[0].attributes or {})["url.path"] == f"/api/flow_runs/{NOBODY}"
    assert [span.status.is_ok for span in signals.spans] == [True] * len(signals.spans)


def _break(*_args: object, **_options: object) -> NoReturn:
    raise RuntimeError("a defect")


async def test_a_defect_in_a_database_thread_is_500(
    stage: Stage, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One exception on the server span, ERROR down to the unit, one traceback, nothing of it in the answer."""
    monkeypatch.setattr(flow_runs, "read", _break)
    case = Case("GET", f"/api/flow_runs/{NOBODY}", 500, RUN, f"GET {RUN}", ["exception"], "RuntimeError")
    response = await case.ask(stage.client)

    span = check_story(case, response, signals)
    assert response.json() == {
        "exception_message": "Internal Server Error",
        "trace_id": response.headers["x-trace-id"],
    }
    assert "_break" in str((span.events[0].attributes or {})["exception.stacktrace"])
    (failed,) = [line for line in signals.lines if "stack" in line]
    assert (failed["event"], failed["exception_message"]) == ("request.failed", "a defect")
    (unit,) = [one for one in signals.spans if one is not span]
    assert (unit.status.is_ok, (unit.attributes or {})["error.type"]) == (False, "RuntimeError")


async def test_a_broken_row_is_500(stage: Stage, signals: Signals) -> None:
    """What the database holds and no model can: the place is told, not the value."""
    run = await stage.make_run()
    with closing(sqlite3.connect(stage.home / "lightwell.sqlite3", isolation_level=None)) as other:
        other.execute("UPDATE flow_run SET state_type = 'BROKEN-hunter2' WHERE id = ?", (UUID(run).bytes,))
    response = await stage.client.get(f"/api/flow_runs/{run}")

    assert response.status_code == 500, response.text
    assert len([line for line in signals.lines if "stack" in line]) == 1
    assert "hunter2" not in signals.everything()
