"""What a flow wrote can be read afterwards, in its order."""

from tests.stories.person import Person, eventually


def test_logs_of_a_run(person: Person) -> None:
    """Logs of a flow and its tasks are there with level and text, for the client and on the command line."""
    assert person.run("writing_logs").status == 0
    run = person.flow_run("writes-logs")
    body = {"logs": {"flow_run_id": {"any_": [run["id"]]}}}
    logs = eventually(
        lambda: person.post("/logs/filter", body),
        lambda logs: any("Finished in" in log["message"] for log in logs[-1:]),
    )
    messages = [log["message"] for log in logs]
    assert "too quiet to be sent" not in messages
    assert [text for text in messages if text.startswith("count ")] == ["count 0", "count 1", "count 2"]
    levels = {log["message"].splitlines()[0]: log["level"] for log in logs}
    assert levels["mind the gap: ünï 🚆"] == 30
    assert levels["printed"] == 20
    assert levels["it broke"] == 40
    (stack,) = [text for text in messages if text.startswith("it broke")]
    assert "with a stack" in stack
    (task,) = person.task_runs(run["id"], ended_runs=1)
    assert {log["task_run_id"] for log in logs if log["message"].startswith("count ")} == {task["id"]}
    assert logs == sorted(logs, key=lambda log: str(log["timestamp"]))

    shown = person.command("flow-run", "logs", run["id"])
    assert shown.status == 0, shown.output
    assert shown.output.index("mind the gap: ünï 🚆") < shown.output.index("count 0") < shown.output.index("count 2")
    tail = person.command("flow-run", "logs", run["id"], "--tail", "--num-logs", "2")
    assert "Finished in state" in tail.output
    assert "count 0" not in tail.output
