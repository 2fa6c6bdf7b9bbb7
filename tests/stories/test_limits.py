"""Limits on what may run at the same time."""

from tests.stories.person import Person


def test_limit_of_a_tag(person: Person) -> None:
    """Tasks with a limited tag run one after the other, and leave no slot behind."""
    tag = f"{person.tag}-scarce"
    made = person.command("concurrency-limit", "create", tag, "1")
    assert made.status == 0, made.output
    assert person.get(f"/concurrency_limits/tag/{tag}")["concurrency_limit"] == 1
    result = person.run("limited", "tag", tag, PREFECT_TASK_RUN_TAG_CONCURRENCY_SLOT_WAIT_SECONDS="1")
    assert result.status == 0, result.output
    run = person.flow_run("limited-by-tag")
    tasks = person.task_runs(run["id"], ended_runs=3)
    assert [task["state_type"] for task in tasks] == ["COMPLETED"] * 3
    assert person.get(f"/concurrency_limits/tag/{tag}")["active_slots"] == []


def test_global_limits(person: Person) -> None:
    """A flow holds a lease on slots of a named limit while it works, obeys a rate, and gives all back."""
    limit, rate = f"{person.tag}-tables", f"{person.tag}-orders"
    made = person.command("global-concurrency-limit", "create", limit, "--limit", "2")
    assert made.status == 0, made.output
    person.post("/v2/concurrency_limits/", {"name": rate, "limit": 5, "slot_decay_per_second": 0.001})
    result = person.run("limited", "name", limit, rate)
    assert result.status == 0, result.output
    assert person.flow_run("limited-by-name")["state_type"] == "COMPLETED"
    assert person.get(f"/v2/concurrency_limits/{limit}")["active_slots"] == 0
    assert person.get(f"/v2/concurrency_limits/{rate}")["active_slots"] == 1
    missing = person.run("limited", "name", f"{limit}-missing", rate)
    assert missing.status != 0
    assert f"{limit}-missing" in missing.output
