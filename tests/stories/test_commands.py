"""What a person sees on the command line."""

import json

from tests.stories.person import Person


def test_listing_and_inspecting(person: Person) -> None:
    """Flows and flow runs are listed and inspected by the client's own commands."""
    assert person.run("hello").status == 0
    run = person.flow_run("hello")
    listed = person.command("flow-run", "ls", "--flow-name", "hello", "--state", "Completed", "--limit", "200")
    assert listed.status == 0, listed.output
    assert run["name"] in listed.output
    inspected = person.command("flow-run", "inspect", run["id"], "--output", "json")
    assert inspected.status == 0, inspected.output
    shown = json.loads(inspected.output)
    assert (shown["id"], shown["state_name"]) == (run["id"], "Completed")
    flows = person.command("flow", "ls", "--limit", "200")
    assert flows.status == 0, flows.output
    assert run["flow_id"] in flows.output


def test_deleting(person: Person) -> None:
    """A deleted flow run is gone, and the command says so when it is asked again."""
    assert person.run("hello").status == 0
    run = person.flow_run("hello")
    deleted = person.command("flow-run", "delete", run["id"])
    assert deleted.status == 0, deleted.output
    assert person.flow_runs("hello") == []
    assert person.task_runs(run["id"]) == []
    again = person.command("flow-run", "inspect", run["id"])
    assert again.status != 0
    assert "not found" in again.output.lower()
