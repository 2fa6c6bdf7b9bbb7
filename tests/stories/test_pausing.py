"""Flows that stop until a person says something."""

from tests.stories.person import Person, ended


def test_pause_and_resume_with_input(person: Person) -> None:
    """A flow asks a question, wrong answers are refused, the right one arrives, and the flow goes on at once."""
    process = person.start("pausing")
    run = person.waits_for("Paused", "restaurant")
    keyset = run["state"]["state_details"]["run_input_keyset"]
    schema = person.get_text(f"/flow_runs/{run['id']}/input/{keyset['schema']}")
    assert '"dish"' in schema
    assert person.get_text(f"/flow_runs/{run['id']}/input/{keyset['description']}") == '"What shall it be?"'

    refused = person.post(f"/flow_runs/{run['id']}/resume", {"run_input": {"dish": ["no", "text"]}})
    assert refused["status"] == "REJECT"
    assert person.flow_run("restaurant")["state_type"] == "PAUSED"
    accepted = person.post(f"/flow_runs/{run['id']}/resume", {"run_input": {"dish": "pie", "plates": 2}})
    assert accepted["status"] == "ACCEPT"

    assert ended(process).status == 0
    run = person.flow_run("restaurant")
    assert person.state_names(run["id"]) == ["Pending", "Running", "Paused", "Running", "Completed"]
    assert run["empirical_policy"]["resuming"] is False
    (task,) = person.task_runs(run["id"], ended_runs=1)
    assert task["state_type"] == "COMPLETED"


def test_resume_from_another_process(person: Person) -> None:
    """Somebody else resumes a paused flow with the client's own function."""
    process = person.start("plain_pause", "60")
    run = person.waits_for("Paused", "waiting")
    assert person.run("resuming", run["id"]).status == 0
    assert ended(process).status == 0
    run = person.flow_run("waiting")
    assert run["state_type"] == "COMPLETED"
    assert run["run_count"] == 2


def test_pause_that_nobody_ends(person: Person) -> None:
    """A flow that nobody resumes in time fails, and says why."""
    result = person.run("plain_pause", "2")
    assert result.status != 0
    run = person.waits_for("Failed", "waiting")
    assert "Paused" in person.state_names(run["id"])
    assert run["end_time"] is not None


def test_suspend_without_a_deployment(person: Person) -> None:
    """Only a deployed flow can be started again later: another one is told so, and does not hang."""
    result = person.run("suspending")
    run = person.flow_run("suspending")
    assert "Paused" not in person.state_names(run["id"])
    assert "Suspended" not in person.state_names(run["id"])
    assert result.status != 0 or run["state_type"] == "COMPLETED"
