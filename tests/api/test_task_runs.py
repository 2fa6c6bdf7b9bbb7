"""Task runs by HTTP: those that are made by request, and those that events tell of."""

from typing import Any
from uuid import uuid4

import httpx

from tests.api.conftest import Make


async def _task_run(make: Make, **more: Any) -> dict[str, Any]:
    run = await make("/flow_runs/", state={"type": "RUNNING"})
    return await make("/task_runs/", flow_run_id=run["id"], task_key="t", dynamic_key="1", **more)


async def test_a_task_run_is_made_once_for_its_keys(api: httpx.AsyncClient, make: Make) -> None:
    """The same flow run, task key and dynamic key find it again."""
    run = await make("/flow_runs/")
    body = {"flow_run_id": run["id"], "task_key": "t", "dynamic_key": "1"}
    first, second = [await api.post("/task_runs/", json=body) for _ in range(2)]

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.json()["state_type"] == "PENDING"
    assert (await api.post("/task_runs/", json=body | {"dynamic_key": "2"})).status_code == 201
    assert (await api.post("/task_runs/", json=body | {"flow_run_id": str(uuid4())})).status_code == 409


async def test_a_task_run_goes_through_its_states(api: httpx.AsyncClient, make: Make) -> None:
    """As long as its flow runs; what is over stays over."""
    run = await _task_run(make)
    path = f"/task_runs/{run['id']}/set_state"

    for state in ({"type": "RUNNING"}, {"type": "COMPLETED", "data": {"type": "reference"}}):
        assert (await api.post(path, json={"state": state})).status_code == 201
    again = await api.post(path, json={"state": {"type": "RUNNING"}})
    assert (again.status_code, again.json()["status"]) == (200, "REJECT")
    history = (await api.get("/task_run_states/", params={"task_run_id": run["id"]})).json()
    assert [state["type"] for state in history] == ["PENDING", "RUNNING", "COMPLETED"]
    assert (await api.get(f"/task_run_states/{history[0]['id']}")).json() == history[0]
    read = (await api.get(f"/task_runs/{run['id']}")).json()
    assert (read["run_count"], read["state"]) == (1, history[-1])


async def test_a_task_of_a_flow_that_does_not_run_waits(api: httpx.AsyncClient, make: Make) -> None:
    """ABORT: the state stays."""
    flow_run = await make("/flow_runs/")
    run = await make("/task_runs/", flow_run_id=flow_run["id"], task_key="t", dynamic_key="1")
    answer = await api.post(f"/task_runs/{run['id']}/set_state", json={"state": {"type": "RUNNING"}})
    assert (answer.status_code, answer.json()["status"]) == (200, "ABORT")


async def test_a_task_run_that_is_not_there(api: httpx.AsyncClient) -> None:
    """404, each in the words that the contract has for it."""
    missing = uuid4()
    assert (await api.get(f"/task_runs/{missing}")).json() == {"detail": "Task not found"}
    assert (await api.delete(f"/task_runs/{missing}")).json() == {"detail": "Task not found"}
    assert (await api.patch(f"/task_runs/{missing}", json={})).json() == {"detail": "Task run not found"}
    told = {"exception_message": f"Task run with id {missing} not found"}
    assert (await api.post(f"/task_runs/{missing}/set_state", json={"state": {"type": "RUNNING"}})).json() == told
    assert (await api.get(f"/task_run_states/{missing}")).json() == {"detail": "Task run state not found"}


async def test_a_task_run_is_renamed_and_deleted(api: httpx.AsyncClient, make: Make) -> None:
    """Its name alone can change; it is gone with its states."""
    run = await _task_run(make)
    path = f"/task_runs/{run['id']}"

    assert (await api.patch(path, json={"name": "new"})).status_code == 204
    assert (await api.patch(path, json={"tags": []})).status_code == 422
    assert (await api.get(path)).json()["name"] == "new"
    assert (await api.delete(path)).status_code == 204
    assert (await api.get("/task_run_states/", params={"task_run_id": run["id"]})).json() == []


async def test_task_runs_are_listed_by_what_they_are(api: httpx.AsyncClient, make: Make) -> None:
    """By themselves and by their flow run; the pages of the UI count them by state and over time."""
    run = await _task_run(make, name="mine", tags=["red"], state={"type": "RUNNING"})
    await api.post(f"/task_runs/{run['id']}/set_state", json={"state": {"type": "FAILED"}})

    for criteria, number in (
        ({}, 1),
        ({"task_runs": {"state": {"type": {"any_": ["FAILED"]}}}}, 1),
        ({"task_runs": {"tags": {"all_": ["red", "blue"]}}}, 0),
        ({"flow_runs": {"id": {"any_": [run["flow_run_id"]]}}}, 1),
        ({"flow_runs": {"state": {"type": {"any_": ["PENDING"]}}}}, 0),
    ):
        assert len((await api.post("/task_runs/filter", json=criteria)).json()) == number
        assert (await api.post("/task_runs/count", json=criteria)).json() == number
        page = (await api.post("/task_runs/paginate", json=criteria)).json()
        assert (len(page["results"]), page["count"]) == (number, number)
    assert (await api.post("/ui/task_runs/count", json={})).json()["FAILED"] == 1
    span = {"task_runs": {"start_time": {"after_": "2020-01-01T00:00:00Z"}}}
    counts = (await api.post("/ui/task_runs/dashboard/counts", json=span)).json()
    assert (len(counts), sum(one["failed"] for one in counts)) == (20, 1)
    assert (await api.post("/ui/task_runs/dashboard/counts", json={"task_runs": {}})).status_code == 422


async def test_task_runs_are_counted_over_intervals(api: httpx.AsyncClient, make: Make) -> None:
    """By state, where they are due."""
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2030-01-01T00:30:00Z"}}
    await _task_run(make, state=state)
    asked = {"history_start": "2030-01-01T00:00:00Z", "history_end": "2030-01-01T02:00:00Z"}
    intervals = (await api.post("/task_runs/history", json=asked | {"history_interval_seconds": 3600})).json()
    assert [[state["count_runs"] for state in one["states"]] for one in intervals] == [[1], []]


async def test_events_of_a_client_make_a_task_run(api: httpx.AsyncClient, make: Make) -> None:
    """In any order and more than once: the newest state counts, the history has each once."""
    flow_run = await make("/flow_runs/", state={"type": "RUNNING"})
    task_run = str(uuid4())
    reports = [
        {
            "id": str(uuid4()),
            "occurred": f"2026-06-01T12:00:0{second}Z",
            "event": f"prefect.task-run.{kind.capitalize()}",
            "resource": {"prefect.resource.id": f"prefect.task-run.{task_run}", "prefect.orchestration": "client"},
            "related": [
                {"prefect.resource.id": f"prefect.flow-run.{flow_run['id']}", "prefect.resource.role": "flow-run"}
            ],
            "payload": {
                "task_run": {"name": "told", "task_key": "t", "dynamic_key": "1"},
                "validated_state": {"type": kind},
            },
        }
        for second, kind in enumerate(("PENDING", "RUNNING", "COMPLETED"))
    ]
    for sent in ([reports[2]], [reports[0], reports[2]], [reports[1]], reports):
        assert (await api.post("/events", json=sent)).status_code == 204

    read = (await api.get(f"/task_runs/{task_run}")).json()
    assert (read["name"], read["flow_run_id"], read["state_type"]) == ("told", flow_run["id"], "COMPLETED")
    history = (await api.get("/task_run_states/", params={"task_run_id": task_run})).json()
    assert [state["id"] for state in history] == [report["id"] for report in reports]
