"""Events by HTTP: taken in, found again in pages, counted."""

import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest

SINCE = {"occurred": {"since": "2019-12-31T00:00:00Z", "until": "2021-01-01T00:00:00Z"}}


def _event(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "occurred": f"2020-01-01T00:00:{number:02}Z",
        "event": f"disk.{'full' if number % 2 else 'checked'}",
        "resource": {
            "prefect.resource.id": f"disk.{number % 3}",
            "prefect.resource.name": "my disk",
            "size": str(number),
        },
        "related": [{"prefect.resource.id": "host.a", "prefect.resource.role": "host"}],
        "payload": {"number": number},
    } | more


async def _found(api: httpx.AsyncClient, **criteria: Any) -> list[int]:
    answer = await api.post("/events/filter", json={"filter": SINCE | criteria})
    assert answer.status_code == 200, answer.text
    return [event["payload"]["number"] for event in answer.json()["events"]]


async def test_events_are_kept_once(api: httpx.AsyncClient) -> None:
    """As they came; one that is known stays as it is."""
    event = _event(1)
    for sent in ([event], [event, event | {"payload": {"number": 2}}], []):
        assert (await api.post("/events", json=sent)).status_code == 204

    (kept,) = (await api.post("/events/filter", json={"filter": SINCE})).json()["events"]
    assert kept.pop("received") is not None
    assert kept == event | {"follows": None}


async def test_events_are_found_by_what_they_are(api: httpx.AsyncClient) -> None:
    """By name, resource, relation, label, text and id; newest first unless asked otherwise."""
    events = [_event(number) for number in range(4)]
    await api.post("/events", json=events)

    assert await _found(api) == [3, 2, 1, 0]
    assert await _found(api, order="ASC") == [0, 1, 2, 3]
    assert await _found(api, event={"prefix": ["disk."], "exclude_name": ["disk.full"]}) == [2, 0]
    assert await _found(api, resource={"id": ["disk.0"]}) == [3, 0]
    assert await _found(api, resource={"id_prefix": ["disk."], "distinct": True}) == [3, 2, 1]
    assert await _found(api, resource={"labels": {"size": ["2", "3"], "prefect.resource.name": "my*"}}) == [3, 2]
    assert await _found(api, resource={"labels": {"size": "!3"}}) == [2, 1, 0]
    assert await _found(api, related={"role": ["host"], "labels": {"prefect.resource.id": "host.?"}}) == [3, 2, 1, 0]
    assert await _found(api, related=[{"id": ["host.a"]}, {"id": ["host.b"]}]) == []
    assert await _found(api, any_resource={"id": ["host.a"]}) == [3, 2, 1, 0]
    assert await _found(api, id={"id": [events[1]["id"]]}) == [1]
    assert await _found(api, text={"query": "FULL"}) == [3, 1]
    assert await _found(api, occurred={"since": events[1]["occurred"], "until": events[2]["occurred"]}) == [2, 1]


async def test_pages_follow_one_another(api: httpx.AsyncClient) -> None:
    """Each has the URL of the next, with the total of all, until there is none."""
    await api.post("/events", json=[_event(number) for number in range(5)])

    page = (await api.post("/events/filter", json={"filter": SINCE, "limit": 2})).json()
    numbers = []
    while True:
        numbers.append([event["payload"]["number"] for event in page["events"]])
        assert page["total"] == 5
        if page["next_page"] is None:
            break
        assert page["next_page"].startswith("http://lightwell.test/api/events/filter/next?page-token=")
        page = (await api.get(page["next_page"])).json()
    assert numbers == [[4, 3], [2, 1], [0]]
    assert (await api.post("/events/filter", json={"limit": 51})).status_code == 422


@pytest.mark.parametrize(
    "token", ["", "nope", "====", "bnVsbA==", base64.urlsafe_b64encode(b"[" * 100_000).decode()[:8000]]
)
async def test_a_page_token_that_cannot_be_read_is_forbidden(light_api: httpx.AsyncClient, token: str) -> None:
    """403; without one it is 422."""
    answer = await light_api.get("/events/filter/next", params={"page-token": token})
    assert (answer.status_code, answer.json()) == (403, {"detail": "The page token cannot be read."})
    assert (await light_api.get("/events/filter/next")).status_code == 422


async def test_events_are_counted(api: httpx.AsyncClient) -> None:
    """By name, by resource and over time, with the first and the last of each."""
    await api.post("/events", json=[_event(number) for number in range(5)])

    by_name = (await api.post("/events/count-by/event", json={"filter": SINCE})).json()
    assert [(one["value"], one["count"]) for one in by_name] == [("disk.checked", 3), ("disk.full", 2)]
    assert (by_name[1]["start_time"], by_name[1]["end_time"]) == ("2020-01-01T00:00:01Z", "2020-01-01T00:00:03Z")
    by_resource = (await api.post("/events/count-by/resource", json={"filter": SINCE})).json()
    assert {one["value"]: one["count"] for one in by_resource} == {"disk.0": 2, "disk.1": 2, "disk.2": 1}
    minute = {"occurred": {"since": "2020-01-01T00:00:00Z", "until": "2020-01-01T00:00:59Z"}}
    spans = (
        await api.post("/events/count-by/time", json={"filter": minute, "time_unit": "second", "time_interval": 2})
    ).json()
    assert [one["count"] for one in spans][:3] == [2, 2, 1]
    assert (await api.post("/events/count-by/nothing", json={"filter": SINCE})).status_code == 422
    narrow = {"filter": SINCE, "time_unit": "second", "time_interval": 1}
    refused = await api.post("/events/count-by/time", json=narrow)
    assert (refused.status_code, "too many" in refused.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"payload": None},
        {"resource": {}},
        {"related": [{"prefect.resource.id": "a"}]},
        {"occurred": "never"},
        {"id": "nope"},
        {"resource": {"prefect.resource.id": "a", "n": 1}},
    ],
)
async def test_an_event_that_is_none_is_refused(light_api: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    """One bad event and nothing of the list is kept."""
    assert (await light_api.post("/events", json=[_event(1), _event(2, **wrong)])).status_code == 422
    assert (await light_api.post("/events/filter", json={"filter": SINCE})).json()["total"] == 0
