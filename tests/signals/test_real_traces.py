"""What a kept trace of the real application holds: units, verbs, statements, verdicts, and the traces of runs."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan

from lightwell.instrumentation.traceparent import LABEL
from tests.signals.conftest import Signals
from tests.signals.stage import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331"


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The application on either database."""
    database: dict[str, Any] = {}
    if request.param == "postgresql":
        database["url"] = request.getfixturevalue("postgres").create_database()
    async with staged(tmp_path_factory.mktemp("traces"), database=database) as made:
        yield made


@pytest.fixture
def log_of(log_lines: Callable[[], list[str]], stage: Stage) -> Callable[[], Signals]:
    """Forgets what was told, and catches what follows."""
    return lambda: stage.listen(log_lines)


def _of(span: ReadableSpan, name: str) -> Any:
    return (span.attributes or {}).get(name)


def _to(state: str) -> dict[str, Any]:
    return {"state": {"type": state, "name": state.title()}}


async def test_a_transition_is_told_from_the_request_to_its_statements(
    stage: Stage, log_of: Callable[[], Signals]
) -> None:
    """Server span, unit, verb, statements; each rule's verdict on the verb; ids and the new state on span and line."""
    run = await stage.make_run(name="told", tags=["told"], parameters={"x": "told"})
    signals = log_of()
    response = await stage.client.post(f"/api/flow_runs/{run}/set_state", json=_to("RUNNING"))

    assert response.status_code == 201
    spans = signals.spans
    (server,) = signals.server_spans
    (unit,) = [span for span in spans if span.name == "write flow_run_states.set_state"]
    (verb,) = [span for span in spans if span.name == "flow_run_states.set_state"]
    statements = [span for span in spans if _of(span, "db.query.text")]
    assert server.context is not None
    assert unit.context is not None
    assert verb.context is not None
    assert unit.parent is not None
    assert verb.parent is not None
    assert (unit.parent.span_id, verb.parent.span_id) == (server.context.span_id, unit.context.span_id)
    assert {span.context.trace_id for span in spans if span.context} == {server.context.trace_id}

    assert _of(unit, "lightwell.db.unit.kind") == "write"
    assert _of(unit, "lightwell.db.unit.group") == 1
    assert _of(unit, "lightwell.db.unit.wait") >= 0
    assert _of(unit, "lightwell.db.unit.statements") == len(statements) >= 3
    assert {_of(span, "db.system.name") for span in statements} == {stage.services.database.dialect}
    assert {_of(span, "db.operation.name") for span in statements} >= {"SELECT", "INSERT", "UPDATE"}
    assert {span.parent.span_id for span in statements if span.parent} <= {verb.context.span_id, unit.context.span_id}

    verdicts = [dict(event.attributes or {}) for event in verb.events if event.name == "orchestration.verdict"]
    assert len(verdicts) >= 2
    assert all(one["lightwell.rule"] and one["lightwell.verdict"] for one in verdicts)
    (line,) = signals.events("http.request")
    assert (line["flow_run_id"], line["state_type"], line["state_name"]) == (run, "RUNNING", "Running")
    assert _of(server, "lightwell.flow_run_id") == run
    assert line["db_ms"] > 0


async def test_a_verdict_has_its_reason(stage: Stage, log_of: Callable[[], Signals]) -> None:
    """What a rule refuses is told with the sentence that the client is told."""
    run = await stage.make_run()
    signals = log_of()
    answer = await stage.post(f"/api/flow_runs/{run}/set_state", _to("PENDING"))

    assert answer["status"] == "ABORT"
    verdicts = [event.attributes or {} for span in signals.spans for event in span.events if "verdict" in event.name]
    last = verdicts[-1]
    assert (last["lightwell.verdict"], last["lightwell.reason"]) == ("ABORT", answer["details"]["reason"])


async def test_statements_hold_no_values(stage: Stage, log_of: Callable[[], Signals]) -> None:
    """Placeholders stand for everything that a caller sent, in lists and in filters too."""
    signals = log_of()
    run = await stage.make_run(name="hunter2", tags=["hunter2"], parameters={"x": "hunter2"})
    criteria = {
        "flow_runs": {
            "id": {"any_": [run]},
            "name": {"any_": ["hunter2"], "like_": "hunter2"},
            "tags": {"all_": ["hunter2"]},
            "state": {"type": {"any_": ["PENDING"]}, "name": {"any_": ["hunter2"]}},
        },
        "flows": {"name": {"any_": ["hunter2"]}, "tags": {"all_": ["hunter2"]}},
    }
    for path in ("filter", "count", "paginate"):
        await stage.post(f"/api/flow_runs/{path}", criteria)
    await stage.post("/api/logs/filter", {"logs": {"text": {"query": "hunter2"}}})
    await stage.post("/api/events/filter", {"filter": {"event": {"name": ["hunter2"]}}})

    texts = {str(text) for span in signals.spans if (text := _of(span, "db.query.text"))}
    assert len(texts) >= 8
    assert not [text for text in texts if "hunter2" in text or run in text or run.replace("-", "") in text]


@pytest.mark.parametrize("flags", ["01", "03"])
async def test_the_callers_trace_is_continued(flags: str, stage: Stage, log_of: Callable[[], Signals]) -> None:
    """The server span is a child of the caller's; header and line have its trace id, and so has the run it made."""
    flow = await stage.make_flow()
    signals = log_of()
    headers = {"traceparent": f"{CALLER}-{flags}", "tracestate": "vendor=1"}
    response = await stage.client.post("/api/flow_runs/", json={"flow_id": flow}, headers=headers)

    (server,) = signals.server_spans
    assert server.parent is not None
    assert (f"{server.parent.trace_id:032x}", f"{server.parent.span_id:016x}") == (TRACE, "b7ad6b7169203331")
    assert response.headers["x-trace-id"] == TRACE
    assert signals.events("http.request")[0]["trace_id"] == TRACE
    assert response.json()["labels"][LABEL].startswith(f"00-{TRACE}-")


async def test_a_run_continues_the_request_that_made_it(stage: Stage, log_of: Callable[[], Signals]) -> None:
    """Its label names the server span, sampled, so that a client with an SDK makes its flow span a child of it."""
    await stage.make_flow()
    signals = log_of()
    run = await stage.make_run()
    labels = (await stage.client.get(f"/api/flow_runs/{run}")).json()["labels"]

    server = next(span for span in signals.server_spans if span.name == "POST /api/flow_runs/")
    assert server.context is not None
    assert labels[LABEL] == f"00-{server.context.trace_id:032x}-{server.context.span_id:016x}-01"


async def test_a_runs_own_trace_is_linked(stage: Stage, log_of: Callable[[], Signals]) -> None:
    """When the client has put its span into the labels, requests about the run link to it, even in that trace."""
    run = await stage.make_run()
    await stage.client.patch(f"/api/flow_runs/{run}/labels", json={LABEL: f"{CALLER}-03"})
    signals = log_of()
    await stage.post(f"/api/flow_runs/{run}/set_state", _to("RUNNING"))

    (server,) = signals.server_spans
    assert [f"{link.context.trace_id:032x}" for link in server.links] == [TRACE]
