"""Results outlive their process where the person wants it, and save work."""

from typing import Any

from tests.stories.person import Person


def test_persisted_results(person: Person) -> None:
    """A kept result is found again from the state alone, by another process."""
    assert person.run("results", "1").status == 0
    run = person.flow_run("results")
    assert run["state"]["data"]["storage_key"]
    read = person.run("reading_result", run["id"])
    assert read.status == 0, read.output
    assert read.output.splitlines()[-1] == "{'answer': 42}"
    plain = person.run("hello")
    assert plain.status == 0
    assert person.flow_run("hello")["state"]["data"] is None


def test_cached_tasks(person: Person) -> None:
    """A task with the same input is not run again: its state says where the result came from."""
    assert person.run("results", "2").status == 0
    first, second = person.flow_runs("results")
    names = [run["state_name"] for run in _expensive(person, first["id"])]
    assert sorted(names) == ["Cached", "Completed", "Completed"]
    assert [run["state_name"] for run in _expensive(person, second["id"])] == ["Cached"] * 3
    cached = _expensive(person, second["id"])[0]
    assert cached["state_type"] == "COMPLETED"
    assert cached["state"]["data"] is not None


def _expensive(person: Person, flow_run_id: str) -> list[dict[str, Any]]:
    return [run for run in person.task_runs(flow_run_id, ended_runs=4) if run["name"].startswith("expensive")]
