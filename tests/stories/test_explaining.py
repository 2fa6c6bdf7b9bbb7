"""Somebody asks why a flow that they started with the stock client is where it is."""

from typing import Any

from tests.stories.person import Person, eventually


def codes(explanation: dict[str, Any]) -> list[str]:
    """The kinds of reasons, in order."""
    return [reason["code"] for reason in explanation["reasons"]]


def explained(person: Person, run: dict[str, Any], code: str) -> dict[str, Any]:
    """Why the run is where it is, once this is among the reasons."""
    found: dict[str, Any] = eventually(
        lambda: person.get(f"/flow_runs/{run['id']}/explain"), lambda found: code in codes(found)
    )
    return found


def limit_full(person: Person, run: dict[str, Any], limit: str, certainty: str) -> dict[str, Any]:
    """The reason that says of this limit that it is full, once it is as certain as that."""

    def find() -> list[dict[str, Any]]:
        reasons = person.get(f"/flow_runs/{run['id']}/explain")["reasons"]
        found = [one for one in reasons if one["evidence"] and one["evidence"][0]["name"] == limit]
        return [one for one in found if one["certainty"] == certainty]

    return eventually(find, bool)[0]


def test_a_flow_that_is_paused(person: Person) -> None:
    """Until when it waits, and that it waits for input."""
    person.start("pausing")
    run = person.waits_for("Paused", "restaurant")

    found = explained(person, run, "PAUSED")
    assert codes(found) == ["PAUSED"]
    assert "it is paused and waits for input; at 20" in found["headline"]
    assert found["headline"].endswith(" UTC the server fails it.")
    assert [one["name"] for one in found["transitions"]] == ["Pending", "Running", "Paused"]
    assert all(one["trace_id"] for one in found["transitions"])


def test_a_flow_that_will_be_tried_again(person: Person) -> None:
    """When, which attempt it will be, and what the last one said; the refused failure is in the history."""
    person.start("explained", "retry")
    run = person.waits_for("AwaitingRetry", "tries-again-later")

    found = explained(person, run, "AWAITING_RETRY")
    assert "attempt 2 of 2 starts in " in found["headline"]
    assert "no bananas today" in found["headline"]
    refusal = next(one for one in found["transitions"] if one["kind"] == "refusal")
    assert (refusal["name"], refusal["rule"], refusal["verdict"]) == ("Failed", "retry_failed_flow_run", "REJECT")


def test_a_flow_whose_task_finds_no_slot(person: Person) -> None:
    """Which limit is full, who holds it, and which task run waits."""
    tag = f"{person.tag}-scarce"
    assert person.command("concurrency-limit", "create", tag, "1").status == 0
    holder = person.post("/task_runs/", {"name": "greedy", "task_key": "g", "dynamic_key": tag, "flow_run_id": None})
    person.post(
        "/v2/concurrency_limits/increment-with-lease",
        {"names": [f"tag:{tag}"], "slots": 1, "holder": {"type": "task_run", "id": holder["id"]}},
    )
    person.start("explained", "tag", tag)
    run = person.waits_for("Running", "waits-for-a-tag")

    full = limit_full(person, run, f"tag:{tag}", "LIKELY")
    assert full["text"].startswith("Task run guarded-")
    assert f" cannot start: the concurrency limit tag:{tag} is full, 1 of 1 slots are taken, by " in full["text"]
    assert "by task run greedy for " in full["text"]
    assert holder["id"] in [one["id"] for one in full["evidence"]]


def test_a_flow_that_waits_for_a_named_limit(person: Person) -> None:
    """The client does not say which run asks; the full limit is named as what may hold it up."""
    limit = f"{person.tag}-tables"
    assert person.command("global-concurrency-limit", "create", limit, "--limit", "1").status == 0
    other = person.post("/flows/", {"name": f"{person.tag}-other"})
    holder = person.post("/flow_runs/", {"flow_id": other["id"], "name": "greedy-goose"})
    person.post(
        "/v2/concurrency_limits/increment-with-lease",
        {"names": [limit], "slots": 1, "holder": {"type": "flow_run", "id": holder["id"]}},
    )
    person.start("explained", "limit", limit)
    run = person.waits_for("Running", "waits-for-a-limit")

    full = limit_full(person, run, limit, "POSSIBLE")
    assert f"The concurrency limit {limit} is full, 1 of 1 slots are taken, by flow run greedy-goose" in full["text"]


def test_a_flow_that_failed(person: Person) -> None:
    """What its code raised, and the task run that did."""
    assert person.run("failing").status != 0
    run = person.flow_run("failing")
    person.task_runs(run["id"], ended_runs=1)

    found = explained(person, run, "TASK_RUNS_FAILED")
    assert codes(found) == ["FAILED", "TASK_RUNS_FAILED"]
    assert "no bananas today" in found["headline"]
    assert "Task run broken-" in found["reasons"][1]["text"]


def test_a_flow_that_ended_well(person: Person) -> None:
    """Nothing is wrong; the traces of its requests are there, in order."""
    assert person.run("hello").status == 0
    (run,) = person.flow_runs()

    found = explained(person, run, "COMPLETED")
    assert codes(found) == ["COMPLETED"]
    assert len(found["traces"]) == len(set(found["traces"])) >= 1
