"""Flow runs by HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.conftest import Make

Body = dict[str, Any]


async def _set_state(api: httpx.AsyncClient, run: Body, kind: str, **more: Any) -> httpx.Response:
    force = more.pop("force", False)
    return await api.post(f"/flow_runs/{run['id']}/set_state", json={"state": {"type": kind, **more}, "force": force})


async def test_a_run_is_made_pending(api: httpx.AsyncClient, make: Make) -> None:
    """It has a name of two words, the flow's labels and its own, and no start."""
    flow = await make("/flows/", name="f", labels={"of": "flow"})
    run = await make("/flow_runs/", flow_id=flow["id"], parameters={"n": 1}, labels={"of": "run"})

    assert (run["state_type"], run["run_count"], run["start_time"]) == ("PENDING", 0, None)
    assert len(run["name"].split("-")) == 2
    assert {name: run["labels"][name] for name in ("prefect.flow.id", "of")} == {
        "prefect.flow.id": flow["id"],
        "of": "run",
    }
    assert (await api.get(f"/flow_runs/{run['id']}")).json()["parameters"] == {"n": 1}


async def test_an_idempotency_key_finds_the_run_of_the_flow(api: httpx.AsyncClient, make: Make) -> None:
    """The second request of a flow and key is 200 with the first's run; another flow's is new."""
    one, other = [(await make("/flows/", name=name))["id"] for name in ("one", "other")]
    answers = [
        await api.post("/flow_runs/", json={"flow_id": flow, "idempotency_key": "k", "parameters": {"n": number}})
        for number, flow in enumerate((one, one, other))
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 201]
    assert [answer.json()["parameters"]["n"] for answer in answers] == [0, 0, 2]


async def test_a_run_of_no_flow_is_a_conflict(api: httpx.AsyncClient) -> None:
    """409 with the trace that tells why."""
    answer = await api.post("/flow_runs/", json={"flow_id": str(uuid4())})

    assert answer.status_code == 409
    assert answer.json()["detail"] == "The flow of the flow run does not exist"
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


async def test_a_run_goes_through_its_states(api: httpx.AsyncClient, make: Make) -> None:
    """201 for each state that is new; times and counts move with them; the history has one row each."""
    run = await make("/flow_runs/")

    for kind in ("RUNNING", "COMPLETED"):
        answer = await _set_state(api, run, kind)
        assert (answer.status_code, answer.json()["status"]) == (201, "ACCEPT")
    done = (await api.get(f"/flow_runs/{run['id']}")).json()
    assert (done["state_type"], done["run_count"]) == ("COMPLETED", 1)
    assert done["end_time"] >= done["start_time"]
    history = (await api.get("/flow_run_states/", params={"flow_run_id": run["id"]})).json()
    assert [state["type"] for state in history] == ["PENDING", "RUNNING", "COMPLETED"]
    assert (await api.get(f"/flow_run_states/{done['state_id']}")).json() == history[-1] == done["state"]


async def test_a_state_that_is_not_taken_is_200(api: httpx.AsyncClient, make: Make) -> None:
    """REJECT, ABORT and WAIT are verdicts: the answer has the state that the run stays in."""
    run = await make("/flow_runs/")
    pending = await _set_state(api, run, "PENDING")
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await _set_state(api, run, "SCHEDULED", state_details={"scheduled_time": later})
    waiting = await _set_state(api, run, "RUNNING")

    assert (pending.status_code, pending.json()["status"]) == (200, "ABORT")
    assert (waiting.status_code, waiting.json()["status"]) == (200, "WAIT")
    assert 3500 < waiting.json()["details"]["delay_seconds"] <= 3600
    assert (await _set_state(api, run, "RUNNING", force=True)).status_code == 201


async def test_verbs_miss_a_run_that_is_not_there(api: httpx.AsyncClient) -> None:
    """404, each in the shape that the contract has for it."""
    missing = uuid4()
    told = {"exception_message": f"Flow run with id {missing} not found"}

    assert (await api.get(f"/flow_runs/{missing}")).json() == {"detail": "Flow run not found"}
    assert (await api.delete(f"/flow_runs/{missing}")).json() == {"detail": "Flow run not found"}
    assert (await api.patch(f"/flow_runs/{missing}", json={})).status_code == 404
    assert (await api.post(f"/flow_runs/{missing}/set_state", json={"state": {"type": "RUNNING"}})).json() == told
    assert (await api.patch(f"/flow_runs/{missing}/labels", json={"a": 1})).json() == told
    assert (await api.get(f"/flow_runs/{missing}/graph")).json() == told
    assert (await api.get(f"/flow_runs/{missing}/logs/download")).status_code == 404
    assert (await api.post(f"/flow_runs/{missing}/resume", json={})).status_code == 404


async def test_members_that_are_sent_change(api: httpx.AsyncClient, make: Make) -> None:
    """The others stay; an empty name means another one of two words."""
    run = await make("/flow_runs/", name="first", tags=["a"], parameters={"n": 1})

    assert (await api.patch(f"/flow_runs/{run['id']}", json={"tags": ["b"]})).status_code == 204
    assert (await api.patch(f"/flow_runs/{run['id']}", json={"job_variables": {"v": 1}})).status_code == 400
    changed = (await api.get(f"/flow_runs/{run['id']}")).json()
    assert (changed["tags"], changed["name"], changed["parameters"]) == (["b"], "first", {"n": 1})
    await api.patch(f"/flow_runs/{run['id']}", json={"name": ""})
    assert len((await api.get(f"/flow_runs/{run['id']}")).json()["name"].split("-")) == 2


async def test_labels_are_added_and_replaced(api: httpx.AsyncClient, make: Make) -> None:
    """Those of the same key change, the others stay; a nested one is refused."""
    run = await make("/flow_runs/", labels={"a": 1, "b": True})
    path = f"/flow_runs/{run['id']}"

    assert (await api.patch(f"{path}/labels", json={"b": "new", "c": 1.5})).status_code == 204
    assert (await api.patch(f"{path}/labels", json={"c": {"d": 1}})).status_code == 422
    labels = (await api.get(path)).json()["labels"]
    assert labels == run["labels"] | {"b": "new", "c": 1.5}


async def test_inputs_are_kept_by_key(api: httpx.AsyncClient, make: Make) -> None:
    """Once each, read as plain text, listed by the beginning of the key."""
    path = f"/flow_runs/{(await make('/flow_runs/'))['id']}/input"

    for key in ("a-1", "a-2", "b"):
        assert (await api.post(path, json={"key": key, "value": f'"{key}"', "sender": "s"})).status_code == 201
    again = await api.post(path, json={"key": "a-1", "value": ""})
    assert (again.status_code, again.json()["detail"]) == (409, "A flow run input with this key already exists.")
    read = await api.get(f"{path}/a-1")
    assert (read.text, read.headers["content-type"]) == ('"a-1"', "text/plain; charset=utf-8")
    listed = (await api.post(f"{path}/filter", json={"prefix": "a", "limit": 9, "exclude_keys": ["a-1"]})).json()
    assert [one["key"] for one in listed] == ["a-2"]
    assert [(await api.delete(f"{path}/a-1")).status_code for _ in range(2)] == [204, 404]
    assert (await api.get(f"{path}/a-1")).json() == {"detail": "Flow run input not found"}
    assert (await api.post(path, json={"key": "a/b", "value": ""})).status_code == 422


async def test_a_paused_run_is_resumed(api: httpx.AsyncClient, make: Make) -> None:
    """It runs again; a run that is not paused is not resumed, with no state in the answer."""
    run = await make("/flow_runs/")
    await _set_state(api, run, "RUNNING")
    await _set_state(api, run, "PAUSED", state_details={"pause_timeout": "2036-01-01T00:00:00Z"})

    resumed = await api.post(f"/flow_runs/{run['id']}/resume")
    again = await api.post(f"/flow_runs/{run['id']}/resume", json={})
    assert (resumed.status_code, resumed.json()["state"]["type"]) == (201, "RUNNING")
    assert (again.status_code, again.json()["status"], again.json()["state"]) == (200, "ABORT", None)


async def test_runs_are_listed_by_what_they_are(api: httpx.AsyncClient, make: Make) -> None:
    """By state, tags, parts of names and ids; an unknown member of a filter is refused, beside it ignored."""
    runs = [await make("/flow_runs/", name=name, tags=[name]) for name in ("alpha", "beta", "gamma")]
    await _set_state(api, runs[0], "RUNNING")

    for criteria, names in (
        ({"state": {"type": {"any_": ["RUNNING"]}}}, ["alpha"]),
        ({"state": {"type": {"not_any_": ["RUNNING"]}}}, ["beta", "gamma"]),
        ({"tags": {"any_": ["alpha", "gamma"]}}, ["alpha", "gamma"]),
        ({"name": {"like_": "%ET%"}}, ["beta"]),
        ({"operator": "or_", "name": {"any_": ["beta"]}, "tags": {"all_": ["gamma"]}}, ["beta", "gamma"]),
        ({"id": {"any_": []}}, []),
        ({"id": {"any_": [run["id"] for run in runs], "not_any_": [runs[0]["id"]]}}, ["beta", "gamma"]),
    ):
        body: Body = {"flow_runs": criteria, "sort": "NAME_ASC"}
        assert [run["name"] for run in (await api.post("/flow_runs/filter", json=body)).json()] == names
        assert (await api.post("/flow_runs/count", json=body)).json() == len(names)
        page = (await api.post("/flow_runs/paginate", json=body)).json()
        assert ([run["name"] for run in page["results"]], page["count"]) == (names, len(names))
    assert (await api.post("/flow_runs/filter", json={"flow_runs": {"nope": 1}})).status_code == 422
    assert (await api.post("/flow_runs/filter", json={"nope": 1})).status_code == 200


async def test_history_counts_by_state_over_intervals(api: httpx.AsyncClient, make: Make) -> None:
    """Each interval from the start on, empty ones too; a shorter one than a second is refused."""
    for hour in (0, 0, 2):
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": f"2030-01-01T0{hour}:30:00Z"}}
        await make("/flow_runs/", state=state)
    asked = {"history_start": "2030-01-01T00:00:00Z", "history_end": "2030-01-01T03:00:00Z"}

    intervals = (await api.post("/flow_runs/history", json=asked | {"history_interval_seconds": 3600})).json()
    assert [[state["count_runs"] for state in one["states"]] for one in intervals] == [[2], [], [1]]
    short = await api.post("/flow_runs/history", json=asked | {"history_interval_seconds": 0.5})
    assert (short.status_code, short.json()) == (422, {"detail": "History interval must not be less than 1 second."})


async def test_lateness_is_an_average(api: httpx.AsyncClient, make: Make) -> None:
    """Null where nothing matches; seconds since the run was due otherwise."""
    assert (await api.post("/flow_runs/lateness", json={})).json() is None
    due = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    await make("/flow_runs/", state={"type": "SCHEDULED", "state_details": {"scheduled_time": due}})
    assert 3590 < (await api.post("/flow_runs/lateness", json={})).json() < 3700


async def test_runs_that_match_change_together(api: httpx.AsyncClient, make: Make) -> None:
    """One verdict each; the limit is from 1 to 50."""
    runs = [await make("/flow_runs/", name=name) for name in ("a", "b")]
    match = {"flow_runs": {"name": {"any_": ["a", "b"]}}}

    moved = (await api.post("/flow_runs/bulk_set_state", json=match | {"state": {"type": "CANCELLED"}})).json()
    assert {(one["flow_run_id"], one["status"]) for one in moved["results"]} == {(run["id"], "ACCEPT") for run in runs}
    assert (await api.post("/flow_runs/bulk_set_state", json=match)).status_code == 422
    for limit in (0, 51):
        assert (await api.post("/flow_runs/bulk_delete", json=match | {"limit": limit})).status_code == 422
    gone = (await api.post("/flow_runs/bulk_delete", json=match)).json()["deleted"]
    assert set(gone) == {run["id"] for run in runs}
    assert (await api.post("/flow_runs/count", json={})).json() == 0


async def test_a_graph_has_the_tasks_in_their_order(api: httpx.AsyncClient, make: Make) -> None:
    """Nodes know their parents and children; roots have no parents."""
    run = await make("/flow_runs/", state={"type": "RUNNING"})
    first = await make("/task_runs/", flow_run_id=run["id"], task_key="t", dynamic_key="1", state={"type": "RUNNING"})
    taken = {"x": [{"input_type": "task_run", "id": first["id"]}]}
    second = await make(
        "/task_runs/",
        flow_run_id=run["id"],
        task_key="t",
        dynamic_key="2",
        task_inputs=taken,
        state={"type": "RUNNING"},
    )

    graph = (await api.get(f"/flow_runs/{run['id']}/graph-v2")).json()
    nodes = dict(graph["nodes"])
    assert graph["root_node_ids"] == [first["id"]]
    assert nodes[first["id"]]["children"] == [{"id": second["id"]}]
    assert nodes[second["id"]]["parents"] == [{"id": first["id"]}]
    old = {one["id"]: one["upstream_dependencies"] for one in (await api.get(f"/flow_runs/{run['id']}/graph")).json()}
    assert [one["id"] for one in old[second["id"]]] == [first["id"]]


async def test_a_log_is_downloaded_as_csv(api: httpx.AsyncClient, make: Make) -> None:
    """Oldest first, quoted as CSV is, under the run's name."""
    run = await make("/flow_runs/", name='my "run"')
    lines = [
        {
            "name": "n",
            "level": 20,
            "message": message,
            "timestamp": f"2030-01-01T00:00:0{second}Z",
            "flow_run_id": run["id"],
        }
        for second, message in ((2, 'said "so"'), (1, "one\ntwo"))
    ]
    assert (await api.post("/logs/", json=lines)).status_code == 201

    answer = await api.get(f"/flow_runs/{run['id']}/logs/download")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "my%20%22run%22-logs.csv" in answer.headers["content-disposition"]
    head, *rows = answer.text.split("\r\n")
    assert head == "timestamp,level,flow_run_id,task_run_id,message"
    assert rows[0] == f'2030-01-01 00:00:01+00:00,20,{run["id"]},,"one\ntwo"'
    assert rows[1].endswith('"said ""so"""')


@pytest.mark.parametrize("value", [2**70, 1e308, -0.0, "x" * 1000, [1, {"a": None}], {"a": {"b": [[]]}}, "\u2028"])
async def test_parameters_come_back_as_they_were(api: httpx.AsyncClient, make: Make, value: object) -> None:
    """Any JSON, whatever the database."""
    run = await make("/flow_runs/", parameters={"p": value}, context={"c": value})
    read = (await api.get(f"/flow_runs/{run['id']}")).json()
    assert (read["parameters"], read["context"]) == ({"p": value}, {"c": value})


async def test_what_pages_ask_about_runs(api: httpx.AsyncClient, make: Make) -> None:
    """Points of a drawing, numbers of task runs, the next run and the deployments of each flow."""
    run = await make(
        "/flow_runs/", state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2030-01-01T00:00:00Z"}}
    )
    task = await make("/task_runs/", flow_run_id=run["id"], task_key="t", dynamic_key="1")
    unknown = str(uuid4())

    (point,) = (await api.post("/ui/flow_runs/history", json={})).json()
    assert (point["id"], point["timestamp"]) == (run["id"], "2030-01-01T00:00:00Z")
    counts = await api.post("/ui/flow_runs/count-task-runs", json={"flow_run_ids": [run["id"], unknown]})
    assert counts.json() == {run["id"]: 1, unknown: 0}
    following = (await api.post("/ui/flows/next-runs", json={"flow_ids": [run["flow_id"], unknown]})).json()
    assert (following[run["flow_id"]]["id"], following[unknown]) == (run["id"], None)
    deployed = await api.post("/ui/flows/count-deployments", json={"flow_ids": [run["flow_id"]]})
    assert deployed.json() == {run["flow_id"]: 0}
    assert (await api.get(f"/ui/task_runs/{task['id']}")).json()["flow_run_name"] == run["name"]
    assert (await api.post("/ui/task_runs/count", json={})).json()["PENDING"] == 1
    assert (await api.post("/ui/flow_runs/history", json={"limit": 1001})).status_code == 422
