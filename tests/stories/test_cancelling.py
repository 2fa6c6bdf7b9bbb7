"""A flow run that a person does not want any more."""

from tests.stories.person import Person, ended, eventually


def test_cancel_a_run_of_a_runner(person: Person) -> None:
    """`prefect flow-run cancel` marks the run; its runner hears of it, ends the process and says so."""
    process = person.start("runner")
    run = person.waits_for("Running", "overslept")
    eventually(lambda: person.task_runs(run["id"]), bool)
    assert person.command("flow-run", "cancel", run["id"]).status == 0
    run = person.waits_for("Cancelled", "overslept")
    ended(process)
    assert person.state_names(run["id"]) == ["Scheduled", "Running", "Cancelling", "Cancelled"]
    assert run["end_time"] is not None


def test_cancel_a_run_that_waits(person: Person) -> None:
    """A scheduled run has no process to end: it is cancelled at once."""
    flow = person.post("/flows/", {"name": person.tag})
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2040-01-01T00:00:00Z"}}
    run = person.post("/flow_runs/", {"flow_id": flow["id"], "tags": [person.tag], "state": later})
    result = person.command("flow-run", "cancel", run["id"])
    assert result.status == 0, result.output
    assert person.state_names(run["id"]) == ["Scheduled", "Cancelled"]
    again = person.command("flow-run", "cancel", run["id"])
    assert again.status != 0
