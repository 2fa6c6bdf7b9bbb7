"""What goes wrong in a flow is told as it was, and what was tried again is counted."""

import signal

from tests.stories.person import Person, ended, eventually


def test_retries(person: Person) -> None:
    """A flow that fails once and a task that fails twice succeed in the end; every try is in the history."""
    assert person.run("retries").status == 0
    run = person.flow_run("retries")
    assert (run["state_type"], run["run_count"]) == ("COMPLETED", 2)
    assert person.state_names(run["id"]) == ["Pending", "Running", "AwaitingRetry", "Running", "Completed"]
    first, *_ = person.task_runs(run["id"], ended_runs=1)
    assert first["run_count"] >= 3
    names = person.task_state_names(first["id"], 5)
    assert names[:5] == ["Pending", "Running", "Retrying", "Retrying", "Completed"]


def test_failing_task_and_flow(person: Person) -> None:
    """A failure stops the flow, with its message; what depends on it is not started; who catches it goes on."""
    result = person.run("failing")
    assert result.status != 0
    assert "no bananas today" in result.output

    failing = person.flow_run("failing")
    assert person.state_names(failing["id"]) == ["Pending", "Running", "Failed"]
    assert "no bananas today" in failing["state"]["message"]
    (task,) = person.task_runs(failing["id"], ended_runs=1)
    assert (task["state_type"], task["run_count"]) == ("FAILED", 1)
    assert "no bananas today" in task["state"]["message"]

    surviving = person.flow_run("surviving")
    assert surviving["state_type"] == "COMPLETED"
    tasks = eventually(lambda: person.task_runs(surviving["id"], ended_runs=1), lambda runs: len(runs) == 2)
    assert {run["name"].rsplit("-", 1)[0]: run["state_name"] for run in tasks} == {
        "broken": "Failed",
        "dependent": "NotReady",
    }


def test_a_process_that_is_told_to_end(person: Person) -> None:
    """A flow whose process gets SIGTERM is marked as crashed before the process ends."""
    process = person.start("sleeping")
    run = person.waits_for("Running", "sleeping")
    eventually(lambda: person.task_runs(run["id"]), bool)
    process.send_signal(signal.SIGTERM)
    assert ended(process).status != 0
    run = person.flow_run("sleeping")
    assert (run["state_type"], run["run_count"]) == ("CRASHED", 1)
    assert run["end_time"] is not None
