"""Events: what a flow says, and what the server says about it, for everybody who listens."""

from datetime import UTC, datetime
from uuid import uuid4

from tests.stories.person import Person, ended, eventually


def test_events_of_a_flow(person: Person) -> None:
    """An event that a flow emits is found again with its flow run; the run's own states are events too."""
    resource = f"{person.tag}.apple"
    assert person.run("eventful", resource).status == 0
    run = person.flow_run("eventful")
    body = {"filter": {"resource": {"id": [resource]}}}
    page = eventually(lambda: person.post("/events/filter", body), lambda page: page["total"] == 1)
    (event,) = page["events"]
    assert (event["event"], event["payload"]) == ("shop.sold", {"price": 3})
    assert event["resource"]["colour"] == "green"
    assert f"prefect.flow-run.{run['id']}" in {item["prefect.resource.id"] for item in event["related"]}

    states = {
        "filter": {
            "event": {"prefix": ["prefect.flow-run."], "exclude_name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run['id']}"]},
            "order": "ASC",
        }
    }
    page = eventually(lambda: person.post("/events/filter", states), lambda page: page["total"] == 3)
    pending, running, completed = page["events"]
    assert [item["event"].rsplit(".", 1)[1] for item in page["events"]] == ["Pending", "Running", "Completed"]
    assert (running["follows"], completed["follows"]) == (pending["id"], running["id"])
    assert completed["id"] == run["state_id"]


def test_listening(person: Person) -> None:
    """A subscriber hears what was said before it came and what is said later, each once."""
    resource = f"{person.tag}.shop"
    person.post("/events", [_event("shop.opened", resource)])
    found = {"filter": {"resource": {"id": [resource]}}}
    eventually(lambda: person.post("/events/filter", found), lambda page: page["total"] == 1)
    listener = person.start("listening", resource)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "shop.opened\n"
    person.post("/events", [_event("shop.sold", resource), _event("shop.closed", resource)])
    heard = ended(listener)
    assert heard.status == 0
    assert heard.output.splitlines() == ["shop.sold", "shop.closed"]


def _event(name: str, resource: str) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": name,
        "resource": {"prefect.resource.id": resource},
    }
