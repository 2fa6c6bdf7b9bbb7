"""What the API answers about concurrency limits by name, on both databases.

What the reference server answers to the same requests is compared in `tests/protocol`; here is what depends on time,
and what is deliberately otherwise.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lightwell.events.bus import Bus
from lightwell.events.facts import Fact
from lightwell.storage.database import Database
from tests.api.limits import limits_client
from tests.timed import MovingClock

_LIMITS = "/v2/concurrency_limits"


@pytest.fixture
async def client(store: Database, clock: MovingClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the limits' API."""
    async with limits_client(store, clock) as opened:
        yield opened


async def _make(client: httpx.AsyncClient, name: str = "a", limit: int = 2, **members: Any) -> str:
    answer = await client.post(f"{_LIMITS}/", json={"name": name, "limit": limit, **members})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def _take(client: httpx.AsyncClient, *names: str, slots: int = 1, **members: Any) -> httpx.Response:
    return await client.post(f"{_LIMITS}/increment", json={"names": names, "slots": slots, **members})


async def _lease(client: httpx.AsyncClient, *names: str, slots: int = 1, **members: Any) -> httpx.Response:
    body = {"names": names, "slots": slots, "lease_duration": 60, **members}
    return await client.post(f"{_LIMITS}/increment-with-lease", json=body)


async def _taken(client: httpx.AsyncClient, name: str = "a") -> int:
    taken: int = (await client.get(f"{_LIMITS}/{name}")).json()["active_slots"]
    return taken


async def _renew(client: httpx.AsyncClient, lease_id: str) -> int:
    return (await client.post(f"{_LIMITS}/leases/{lease_id}/renew", json={"lease_duration": 60})).status_code


async def test_a_limit_is_answered_by_id_and_by_name(client: httpx.AsyncClient) -> None:
    """The one who makes it is told more than the one who reads it."""
    limit_id = await _make(client, limit=3, active_slots=2, denied_slots=1)
    by_name = (await client.get(f"{_LIMITS}/a")).json()
    assert by_name == (await client.get(f"{_LIMITS}/{limit_id}")).json()
    assert set(by_name) == {
        "id",
        "created",
        "updated",
        "active",
        "name",
        "limit",
        "active_slots",
        "slot_decay_per_second",
    }
    assert by_name["active_slots"] == 2
    listed = (await client.post(f"{_LIMITS}/filter", json={"limit": 1})).json()
    assert listed == [by_name]
    missing = await client.get(f"{_LIMITS}/b")
    assert (missing.status_code, missing.json()) == (404, {"detail": "Concurrency Limit not found"})


async def test_a_name_is_given_once(client: httpx.AsyncClient) -> None:
    """To a new limit or to one that is renamed."""
    await _make(client)
    await _make(client, "b")
    for answer in (
        await client.post(f"{_LIMITS}/", json={"name": "a", "limit": 1}),
        await client.patch(f"{_LIMITS}/b", json={"name": "a"}),
    ):
        assert answer.status_code == 409
        assert "detail" in answer.json()


async def test_every_change_is_a_fact(client: httpx.AsyncClient, bus: Bus) -> None:
    """One for each request, with the limit as it is then; taking slots is none."""
    told: list[Fact] = []
    bus.subscribe(told.extend)
    limit_id = await _make(client)
    await _take(client, "a")
    await client.patch(f"{_LIMITS}/a", json={"limit": 5, "active": False})
    await client.delete(f"{_LIMITS}/{limit_id}")
    assert [fact.event for fact in told] == [
        "prefect.concurrency-limit.created",
        "prefect.concurrency-limit.updated",
        "prefect.concurrency-limit.deleted",
    ]
    assert {fact.resource_id for fact in told} == {f"prefect.concurrency-limit.{limit_id}"}
    assert told[1].payload == {"name": "a", "limit": 5, "active": False, "slot_decay_per_second": 0.0}


async def test_one_full_limit_keeps_the_slots_of_the_others(client: httpx.AsyncClient) -> None:
    """Slots are taken of all limits or of none."""
    await _make(client)
    await _make(client, "b", 1)
    assert (await _take(client, "a", "b")).status_code == 200
    assert (await _take(client, "a", "b")).status_code == 423
    assert [await _taken(client, name) for name in ("a", "b")] == [1, 1]


async def test_the_time_to_wait_grows_with_those_who_wait(client: httpx.AsyncClient, clock: MovingClock) -> None:
    """At most about the longest wait; those who were refused long ago do not count."""
    await _make(client, limit=1)
    await _take(client, "a")
    await client.post(f"{_LIMITS}/decrement", json={"names": ["a"], "slots": 1, "occupancy_seconds": 14})
    await _take(client, "a")
    refused = [await _take(client, "a") for _ in range(6)]
    assert {answer.status_code for answer in refused} == {423}
    assert {answer.text for answer in refused} == {'{"detail":"Locked"}'}
    waits = [float(answer.headers["retry-after"]) for answer in refused]
    assert waits == sorted(waits)
    assert 5 <= waits[0] <= 10
    assert waits[1] > waits[0]
    assert 23 <= waits[-1] <= 39
    clock.move(seconds=600)
    assert float((await _take(client, "a")).headers["retry-after"]) == waits[0]


async def test_a_limit_with_decay_says_when_a_slot_will_be_free(client: httpx.AsyncClient, clock: MovingClock) -> None:
    """Slots come back one by one, whoever asks in between."""
    await _make(client, "rate", 2, slot_decay_per_second=0.1)
    assert (await _take(client, "rate", slots=2, mode="rate_limit")).status_code == 200
    refused = await _take(client, "rate", mode="rate_limit")
    assert 7 <= float(refused.headers["retry-after"]) <= 13
    statuses = []
    for _ in range(6):
        clock.move(seconds=4)
        statuses.append((await _take(client, "rate", mode="rate_limit")).status_code)
    assert statuses == [423, 423, 200, 423, 200, 423]


async def test_a_lease_that_nobody_renews_is_over(client: httpx.AsyncClient, clock: MovingClock) -> None:
    """Its slots are free at that instant; renewing it is Gone, giving it back is fine."""
    await _make(client, limit=1)
    lease_id = (await _lease(client, "a")).json()["lease_id"]
    clock.move(seconds=59)
    assert await _renew(client, lease_id) == 204
    clock.move(seconds=59)
    assert (await _lease(client, "a")).status_code == 423
    clock.move(seconds=1)
    assert await _taken(client) == 0
    assert await _renew(client, lease_id) == 410
    assert (await _lease(client, "a")).status_code == 200
    assert (await client.post(f"{_LIMITS}/decrement-with-lease", json={"lease_id": lease_id})).status_code == 204
    assert await _taken(client) == 1


async def test_only_a_lease_gives_back_what_it_holds(client: httpx.AsyncClient) -> None:
    """Slots that are given back by name are those that were taken by name."""
    await _make(client)
    await _lease(client, "a")
    await _take(client, "a")
    for _ in range(2):
        await client.post(f"{_LIMITS}/decrement", json={"names": ["a"], "slots": 1})
        assert await _taken(client) == 1


async def test_the_number_of_taken_slots_can_be_set(client: httpx.AsyncClient) -> None:
    """Upwards by slots that nobody holds, downwards by ending the oldest leases."""
    await _make(client, limit=5)
    leases = [(await _lease(client, "a")).json()["lease_id"] for _ in range(2)]
    for number in (4, 2, 1, 0):
        assert (await client.patch(f"{_LIMITS}/a", json={"active_slots": number})).status_code == 204
        assert await _taken(client) == number
        held = [await _renew(client, lease_id) == 204 for lease_id in leases]
        assert sum(held) == min(number, 2)


async def test_a_limit_that_learns_to_decay_keeps_what_is_taken(client: httpx.AsyncClient, clock: MovingClock) -> None:
    """And so does one that forgets it; a lease gives back what is left of its slots."""
    await _make(client, limit=10)
    lease_id = (await _lease(client, "a", slots=3)).json()["lease_id"]
    await _take(client, "a", slots=4)
    await client.patch(f"{_LIMITS}/a", json={"slot_decay_per_second": 0.1})
    assert await _taken(client) == 7
    clock.move(seconds=20)
    assert await _taken(client) == 5
    await client.patch(f"{_LIMITS}/a", json={"slot_decay_per_second": 0})
    assert await _taken(client) == 5
    await client.post(f"{_LIMITS}/decrement-with-lease", json={"lease_id": lease_id})
    assert await _taken(client) == 2


async def test_a_deleted_limit_frees_its_leases(client: httpx.AsyncClient) -> None:
    """A lease that also holds slots of another limit goes on."""
    await _make(client)
    await _make(client, "b")
    alone = (await _lease(client, "a")).json()["lease_id"]
    both = (await _lease(client, "a", "b")).json()["lease_id"]
    assert (await client.delete(f"{_LIMITS}/a")).status_code == 204
    assert await _renew(client, alone) == 410
    assert await _renew(client, both) == 204
    assert await _taken(client, "b") == 1


async def test_null_is_as_good_as_absent(client: httpx.AsyncClient) -> None:
    """In a change, and in place of a whole body that may be left out."""
    await _make(client)
    body = {"name": None, "limit": None, "active_slots": None, "denied_slots": None, "slot_decay_per_second": None}
    assert (await client.patch(f"{_LIMITS}/a", json=body)).status_code == 204
    assert (await client.get(f"{_LIMITS}/a")).json()["limit"] == 2
    assert (await client.post(f"{_LIMITS}/filter", json=None)).status_code == 200
    assert await _renew(client, str(uuid4())) == 410


async def test_as_many_get_in_as_there_is_room_for(client: httpx.AsyncClient) -> None:
    """However many ask at once, by a lease or without one."""
    await _make(client, limit=5)
    asked = [_lease(client, "a") if number % 2 else _take(client, "a") for number in range(40)]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [423] * 35
    assert await _taken(client) == 5


async def test_a_fast_limit_is_asked_again_soon(client: httpx.AsyncClient) -> None:
    """The time to wait is no whole number of seconds."""
    await _make(client, "rate", 1, slot_decay_per_second=20)
    await _take(client, "rate", mode="rate_limit")
    refused = await _take(client, "rate", mode="rate_limit")
    assert 0.03 <= float(refused.headers["retry-after"]) <= 0.07


@pytest.mark.parametrize("decay", [1e-9, 5e-324])
async def test_nobody_is_told_to_wait_for_ever(client: httpx.AsyncClient, decay: float) -> None:
    """However slowly slots come back, and however long they are said to have been held."""
    await _make(client, "rate", 1, slot_decay_per_second=decay)
    await _make(client, "a", 1)
    await _take(client, "a", "rate")
    body = {"names": ["a", "rate"], "slots": 1, "occupancy_seconds": 1e300}
    assert (await client.post(f"{_LIMITS}/decrement", json=body)).status_code == 200
    await _take(client, "a", "rate")
    for name in ("a", "rate"):
        refused = await _take(client, name)
        assert refused.status_code == 423
        assert 0 < float(refused.headers["retry-after"]) <= 1.3 * 86_400
