"""A person runs flows, and the API tells what happened."""

from datetime import datetime

from tests.stories.person import Person, eventually


def test_hello(person: Person) -> None:
    """A first flow runs through: three states each, times that fit together, and one run counted."""
    assert person.run("hello").status == 0
    run = person.flow_run("hello")
    assert person.state_names(run["id"]) == ["Pending", "Running", "Completed"]
    assert (run["state_type"], run["run_count"], run["parameters"]) == ("COMPLETED", 1, {"name": "Marvin"})
    started, ended = datetime.fromisoformat(run["start_time"]), datetime.fromisoformat(run["end_time"])
    assert datetime.fromisoformat(run["expected_start_time"]) <= started < ended
    assert abs((ended - started).total_seconds() - run["total_run_time"]) < 0.01
    assert run["estimated_run_time"] == run["total_run_time"]

    (task,) = person.task_runs(run["id"], ended_runs=1)
    assert task["name"].startswith("greeting-")
    assert (task["run_count"], task["flow_run_run_count"], task["state_name"]) == (1, 1, "Completed")
    assert task["total_run_time"] > 0
    assert person.task_state_names(task["id"], 3) == ["Pending", "Running", "Completed"]
    assert run["start_time"] <= task["start_time"] <= task["end_time"] <= run["end_time"]


def test_hundred_tasks(person: Person) -> None:
    """A hundred submitted tasks are all there afterwards, each with its three states, and in the graph once."""
    assert person.run("hundred_tasks").status == 0
    run = person.flow_run("hundred-tasks")
    assert run["state_type"] == "COMPLETED"
    tasks = person.task_runs(run["id"], ended_runs=100)
    assert len(tasks) == 100
    assert {task["state_name"] for task in tasks} == {"Completed"}
    for task in tasks[::25]:
        assert person.task_state_names(task["id"], 3) == ["Pending", "Running", "Completed"]
    assert person.post("/ui/flow_runs/count-task-runs", {"flow_run_ids": [run["id"]]}) == {run["id"]: 100}
    graph = person.get(f"/flow_runs/{run['id']}/graph-v2")
    assert {identity for identity, _ in graph["nodes"]} == {task["id"] for task in tasks}


def test_names_tags_and_labels(person: Person) -> None:
    """Names from templates, the version, nested tags and the labels of the client arrive as they were given."""
    assert person.run("naming").status == 0
    run = person.flow_run("Fruit Shop")
    assert (run["name"], run["flow_version"]) == ("shop of Ada", "7")
    assert run["parameters"] == {"owner": "Ada", "stock": ["fig", "plum"]}
    assert run["labels"]["prefect.flow.id"] == run["flow_id"]
    tasks = person.task_runs(run["id"], ended_runs=2)
    assert [task["name"] for task in tasks] == ["weigh fig", "weigh plum"]
    assert {frozenset(task["tags"]) for task in tasks} == {frozenset({person.tag, "inventory", "scales"})}
    assert person.get(f"/flows/{run['flow_id']}")["name"] == "Fruit Shop"
    related = {f"prefect.flow-run.{run['id']}", f"prefect.tag.{person.tag}"}
    body = {
        "filter": {"event": {"name": ["prefect.task-run.Completed"]}, "related": {"id": [f"prefect.tag.{person.tag}"]}}
    }
    events = eventually(lambda: person.post("/events/filter", body), lambda page: page["total"] == 2)["events"]
    assert all(related <= {item["prefect.resource.id"] for item in event["related"]} for event in events)


def test_subflows(person: Person) -> None:
    """Subflows are runs of their own that their parents know: by their parent task run, and once in the graph."""
    assert person.run("subflows").status == 0
    parent, child, grandchild = (person.flow_run(name) for name in ("parent", "child", "grandchild"))
    assert {run["state_type"] for run in (parent, child, grandchild)} == {"COMPLETED"}
    assert grandchild["name"] == "grandchild of 1"

    by_name = {task["name"].rsplit("-", 1)[0]: task for task in person.task_runs(parent["id"], ended_runs=2)}
    assert sorted(by_name) == ["after", "child"]
    assert child["parent_task_run_id"] == by_name["child"]["id"]
    assert by_name["child"]["state"]["state_details"]["child_flow_run_id"] == child["id"]
    filtered = person.post("/flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [parent["id"]]}}})
    assert [run["id"] for run in filtered] == [child["id"]]

    nodes = dict(person.get(f"/flow_runs/{parent['id']}/graph-v2")["nodes"])
    assert {node["kind"] for node in nodes.values()} == {"flow-run", "task-run"}
    assert [parent["id"] for parent in nodes[by_name["after"]["id"]]["parents"]] == [child["id"]]
    assert nodes[child["id"]]["label"] == f"child / {child['name']}"


def test_same_idempotency_key(person: Person) -> None:
    """Two creations with one idempotency key are one flow run, even when they come from two processes."""
    flow = person.post("/flows/", {"name": person.tag})
    body = {"flow_id": flow["id"], "idempotency_key": "once", "tags": [person.tag]}
    first, second = person.post("/flow_runs/", body), person.post("/flow_runs/", body | {"name": "other"})
    assert first["id"] == second["id"]
    assert person.post("/flow_runs/count", {"flows": {"id": {"any_": [flow["id"]]}}}) == 1
