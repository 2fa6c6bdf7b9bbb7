"""Why a flow run is where it is, by HTTP, on both databases; every case of the reasoning is in tests/orchestration."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.api.conftest import Make

Body = dict[str, Any]
SECRET = "canary-5f3a"


async def _explain(api: httpx.AsyncClient, run: Body) -> Body:
    answer = await api.get(f"/flow_runs/{run['id']}/explain")
    assert answer.status_code == 200, answer.text
    found: Body = answer.json()
    return found


async def _set_state(api: httpx.AsyncClient, run: Body, kind: str, **more: Any) -> str:
    """Propose a state; the trace of the request."""
    force = more.pop("force", False)
    body = {"state": {"type": kind, **more}, "force": force}
    answer = await api.post(f"/flow_runs/{run['id']}/set_state", json=body)
    assert answer.status_code in {200, 201}, answer.text
    return answer.headers["x-trace-id"]


def _codes(explanation: Body) -> list[str]:
    return [reason["code"] for reason in explanation["reasons"]]


async def test_a_run_that_there_is_not(api: httpx.AsyncClient) -> None:
    """404, as everywhere."""
    answer = await api.get(f"/flow_runs/{uuid4()}/explain")
    assert answer.status_code == 404


async def test_a_run_that_ended_well(api: httpx.AsyncClient, make: Make) -> None:
    """Nothing is wrong; each state has the trace of the request that brought it, and its length."""
    run = await make("/flow_runs/", name="dapper-fox")
    traces = [await _set_state(api, run, "RUNNING"), await _set_state(api, run, "COMPLETED")]

    found = await _explain(api, run)
    assert found["headline"].startswith("dapper-fox is Completed: nothing is wrong: it ended well at ")
    assert (found["state_type"], found["flow_name"], _codes(found)) == ("COMPLETED", "some flow", ["COMPLETED"])
    names = [one["name"] for one in found["transitions"]]
    assert names == ["Pending", "Running", "Completed"]
    assert [one["trace_id"] for one in found["transitions"]][1:] == traces
    assert found["traces"][1:] == traces
    assert [one["seconds"] is None for one in found["transitions"]] == [False, False, True]
    assert not found["is_shortened"]


async def test_a_run_that_waits_for_its_time(api: httpx.AsyncClient, make: Make) -> None:
    """A client that asks again and again is one refusal that counts, with the rule, the reason and the last trace."""
    due = datetime.now(UTC) + timedelta(hours=3, minutes=2, seconds=30)
    run = await make("/flow_runs/", state={"type": "SCHEDULED", "state_details": {"scheduled_time": due.isoformat()}})
    traces = [await _set_state(api, run, "RUNNING") for _ in range(3)]

    found = await _explain(api, run)
    assert _codes(found) == ["AWAITING_SCHEDULED_TIME", "REFUSED"]
    assert "it waits for its scheduled time, 3 h 2 min from now, at " in found["headline"]
    state, refusal = found["transitions"]
    assert (state["kind"], state["name"]) == ("state", "Scheduled")
    assert (refusal["kind"], refusal["verdict"], refusal["rule"]) == ("refusal", "WAIT", "wait_for_scheduled_time")
    assert (refusal["times"], refusal["from_type"], refusal["name"]) == (3, "SCHEDULED", "Running")
    assert refusal["reason"] == "The scheduled time is in the future."
    assert refusal["trace_id"] == traces[-1] == found["traces"][-1]
    assert refusal["at"] < refusal["last"]


async def test_a_run_that_waits_for_a_retry(api: httpx.AsyncClient, make: Make) -> None:
    """The failure that was not accepted is in the history before the state that was given in its place."""
    run = await make("/flow_runs/", empirical_policy={"retries": 2, "retry_delay": 600})
    await _set_state(api, run, "RUNNING")
    await _set_state(api, run, "FAILED", message="ValueError: no good")

    found = await _explain(api, run)
    assert _codes(found) == ["AWAITING_RETRY"]
    assert "attempt 2 of 3 starts in 10 min" in found["headline"] or "starts in 9 min" in found["headline"]
    assert '"ValueError: no good"' in found["headline"]
    kinds = [(one["kind"], one["name"]) for one in found["transitions"]]
    assert kinds[-2:] == [("refusal", "Failed"), ("state", "AwaitingRetry")]


async def test_a_run_that_failed_with_a_task(api: httpx.AsyncClient, make: Make) -> None:
    """The run's own message first, then the task run that failed."""
    run = await make("/flow_runs/")
    await _set_state(api, run, "RUNNING")
    task = await make(
        "/task_runs/",
        flow_run_id=run["id"],
        name="load-1",
        task_key="load",
        dynamic_key="1",
        state={"type": "FAILED", "message": "KeyError: 'x'"},
    )
    await _set_state(api, run, "FAILED", message="1/1 states failed.\nTraceback …")

    found = await _explain(api, run)
    assert _codes(found) == ["FAILED", "TASK_RUNS_FAILED"]
    assert found["headline"].endswith('it failed: "1/1 states failed."')
    assert found["reasons"][1]["text"] == "Task run load-1 ended as Failed: \"KeyError: 'x'\"."
    assert [one["id"] for one in found["reasons"][1]["evidence"]] == [task["id"]]
    assert "Traceback" in found["transitions"][-1]["message"]


async def test_a_paused_run_that_got_a_wrong_answer(api: httpx.AsyncClient, make: Make) -> None:
    """What it waits for; a refused answer is in the history, and what it said is not."""
    run = await make("/flow_runs/")
    await _set_state(api, run, "RUNNING")
    details = {
        "pause_timeout": (datetime.now(UTC) + timedelta(minutes=30)).isoformat(),
        "pause_key": "approval",
        "run_input_keyset": {"schema": "s", "response": "r"},
    }
    await _set_state(api, run, "PAUSED", state_details=details)
    schema = '{"type": "object", "properties": {"n": {"type": "integer"}}}'
    await api.post(f"/flow_runs/{run['id']}/input", json={"key": "s", "value": schema})
    answer = await api.post(f"/flow_runs/{run['id']}/resume", json={"run_input": {"n": SECRET}})
    assert answer.json()["status"] == "REJECT"

    explained = await api.get(f"/flow_runs/{run['id']}/explain")
    assert SECRET not in explained.text
    found = explained.json()
    assert _codes(found) == ["PAUSED", "REFUSED"]
    assert "it is paused and waits for input; at " in found["headline"]
    assert found["reasons"][0]["evidence"][0] | {"text": "approval"} == found["reasons"][0]["evidence"][0]
    assert found["transitions"][-1]["rule"] == "resume"


async def test_resuming_what_is_not_paused(api: httpx.AsyncClient, make: Make) -> None:
    """It is remembered too."""
    run = await make("/flow_runs/")
    await _set_state(api, run, "RUNNING")
    assert (await api.post(f"/flow_runs/{run['id']}/resume", json={})).json()["status"] == "ABORT"

    found = await _explain(api, run)
    assert _codes(found) == ["RUNNING", "REFUSED"]
    assert found["transitions"][-1]["verdict"] == "ABORT"


async def test_a_task_that_finds_no_slot(api: httpx.AsyncClient, make: Make) -> None:
    """The limit of a tag, who holds it since when, and which task run waits for it."""
    tag = f"tag-{uuid4().hex}"
    await api.post("/concurrency_limits/", json={"tag": tag, "concurrency_limit": 1})
    other = await make("/flow_runs/")
    holder = await make("/task_runs/", flow_run_id=other["id"], name="greedy", task_key="g", dynamic_key="1")
    asked = {"names": [f"tag:{tag}"], "slots": 1, "holder": {"type": "task_run", "id": holder["id"]}}
    assert (await api.post("/v2/concurrency_limits/increment-with-lease", json=asked)).status_code == 200
    run = await make("/flow_runs/")
    await _set_state(api, run, "RUNNING")
    waiting = await make(
        "/task_runs/",
        flow_run_id=run["id"],
        name="patient",
        task_key="p",
        dynamic_key="1",
        tags=[tag, "other"],
        state={"type": "PENDING"},
    )

    found = await _explain(api, run)
    assert _codes(found)[0] == "CONCURRENCY_LIMIT_FULL"
    full = found["reasons"][0]
    assert full["certainty"] == "LIKELY"
    expected = f"Task run patient cannot start: the concurrency limit tag:{tag} is full, 1 of 1 slots are taken, by "
    assert full["text"].startswith(f"{expected}task run greedy for ")
    evidence = {one["kind"]: one for one in full["evidence"]}
    assert evidence["holder"]["id"] == holder["id"]
    assert evidence["task_run"]["id"] == waiting["id"]
    assert evidence["slots_taken"]["number"] == 1


async def test_somebody_is_refused_slots_of_a_named_limit(api: httpx.AsyncClient, make: Make) -> None:
    """It may be this run that runs and waits: clients do not say."""
    name = f"limit-{uuid4().hex}"
    await api.post("/v2/concurrency_limits/", json={"name": name, "limit": 1})
    holder = await make("/flow_runs/", name="greedy")
    asked = {"names": [name], "slots": 1, "holder": {"type": "flow_run", "id": holder["id"]}}
    assert (await api.post("/v2/concurrency_limits/increment-with-lease", json=asked)).status_code == 200
    refused = await api.post("/v2/concurrency_limits/increment-with-lease", json={"names": [name], "slots": 1})
    assert refused.status_code == 423
    run = await make("/flow_runs/")
    await _set_state(api, run, "RUNNING")

    found = await _explain(api, run)
    assert _codes(found) == ["RUNNING", "CONCURRENCY_LIMIT_FULL"]
    full = found["reasons"][1]
    assert full["certainty"] == "POSSIBLE"
    assert f"The concurrency limit {name} is full, 1 of 1 slots are taken, by flow run greedy for " in full["text"]


async def test_a_run_inside_one_that_ended(api: httpx.AsyncClient, make: Make) -> None:
    """The run around it is named."""
    around = await make("/flow_runs/", name="around")
    await _set_state(api, around, "RUNNING")
    task = await make("/task_runs/", flow_run_id=around["id"], task_key="sub", dynamic_key="1")
    run = await make("/flow_runs/", parent_task_run_id=task["id"])
    await _set_state(api, run, "RUNNING")
    await _set_state(api, around, "FAILED", message="boom")

    found = await _explain(api, run)
    assert _codes(found) == ["PARENT_ENDED", "RUNNING"]
    assert "the flow run around it, around, became Failed at " in found["headline"]


@pytest.mark.parametrize("busy", [False, True])
async def test_the_number_of_statements_is_bounded(api: httpx.AsyncClient, make: Make, *, busy: bool) -> None:
    """Whatever there is about the run; a long history is shortened to its end."""
    run = await make("/flow_runs/")
    await _set_state(api, run, "RUNNING")
    if busy:
        for number in range(210):
            await _set_state(api, run, "RUNNING", name=f"Step {number}")
        for number in range(30):
            await make(
                "/task_runs/",
                flow_run_id=run["id"],
                task_key="t",
                dynamic_key=f"{number}",
                tags=[f"tag-{number}"],
                state={"type": "PENDING"},
            )
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        found = await _explain(api, run)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len([one for one in statements if one.lstrip().upper().startswith("SELECT")]) <= 12
    assert found["is_shortened"] == busy
    if busy:
        assert len(found["transitions"]) == 200
        assert found["transitions"][-1]["name"] == "Step 209"
