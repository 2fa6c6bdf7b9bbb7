"""What the API answers about the limits of tags, on both databases.

What the reference server answers to the same requests is compared in `tests/protocol`; here is what is deliberately
otherwise, and what happens between the two kinds of limits.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from lightwell.storage.database import Database
from tests.api.limits import limits_client
from tests.timed import MovingClock

_TAGS = "/concurrency_limits"


@pytest.fixture
async def client(store: Database, clock: MovingClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the limits' API."""
    async with limits_client(store, clock) as opened:
        yield opened


async def _make(client: httpx.AsyncClient, tag: str, limit: int) -> dict[str, Any]:
    answer = await client.post(f"{_TAGS}/", json={"tag": tag, "concurrency_limit": limit})
    assert answer.status_code in (200, 201)
    made: dict[str, Any] = answer.json()
    return made


async def _ask(client: httpx.AsyncClient, what: str, task_run_id: str, *tags: str) -> httpx.Response:
    return await client.post(f"{_TAGS}/{what}", json={"names": tags, "task_run_id": task_run_id})


async def _holders(client: httpx.AsyncClient, tag: str) -> list[str]:
    found: list[str] = (await client.get(f"{_TAGS}/tag/{tag}")).json()["active_slots"]
    return found


async def test_a_limit_of_a_tag_is_a_limit_by_name(client: httpx.AsyncClient) -> None:
    """Seen under both resources; what is no tag's is not seen here."""
    made = await _make(client, "a", 2)
    await _ask(client, "increment", str(uuid4()), "a")
    by_name = (await client.get("/v2/concurrency_limits/tag:a")).json()
    assert (by_name["id"], by_name["limit"], by_name["active_slots"]) == (made["id"], 2, 1)
    other = (await client.post("/v2/concurrency_limits/", json={"name": "b", "limit": 1})).json()
    assert (await client.get(f"{_TAGS}/{other['id']}")).status_code == 404
    assert (await client.delete(f"{_TAGS}/{other['id']}")).status_code == 404
    assert [limit["tag"] for limit in (await client.post(f"{_TAGS}/filter", json={})).json()] == ["a"]
    assert (await client.delete(f"{_TAGS}/{made['id']}")).json() is None
    assert (await client.get("/v2/concurrency_limits/tag:a")).status_code == 404


async def test_a_tag_is_made_once_however_many_ask(client: httpx.AsyncClient) -> None:
    """One of them makes it, the others change it."""
    bodies = [{"tag": "a", "concurrency_limit": number} for number in range(1, 9)]
    answers = await asyncio.gather(*(client.post(f"{_TAGS}/", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_task_run_holds_one_slot_however_often_it_asks(client: httpx.AsyncClient) -> None:
    """So a request that is sent again takes nothing, and finds no limit full."""
    await _make(client, "a", 1)
    await _make(client, "b", 1)
    mine, other = str(uuid4()), str(uuid4())
    for tags in (("a",), ("a",), ("a", "b")):
        answer = await _ask(client, "increment", mine, *tags)
        assert [limit["name"] for limit in answer.json()] == list(tags)
    assert [await _holders(client, tag) for tag in ("a", "b")] == [[mine], [mine]]
    refused = await _ask(client, "increment", other, "b", "a")
    assert refused.status_code == 423
    assert refused.headers["retry-after"] == "10.0"
    assert refused.json() == {"detail": "Concurrency limit for the b tag has been reached"}
    await _ask(client, "decrement", mine, "a", "b")
    assert (await _ask(client, "increment", other, "b", "a")).status_code == 200


async def test_a_limit_of_none_is_never_worth_waiting_for(client: httpx.AsyncClient) -> None:
    """Nobody is told when to ask again."""
    await _make(client, "a", 0)
    refused = await _ask(client, "increment", str(uuid4()), "a")
    assert refused.status_code == 423
    assert "retry-after" not in refused.headers
    assert 'tag "a" is 0' in refused.json()["detail"]


async def test_an_inactive_limit_lets_everybody_pass(client: httpx.AsyncClient) -> None:
    """Also one of no slots."""
    await _make(client, "a", 0)
    await client.patch("/v2/concurrency_limits/tag:a", json={"active": False})
    assert (await _ask(client, "increment", str(uuid4()), "a")).json() == []
    assert await _holders(client, "a") == []


async def test_a_reset_says_who_holds_the_slots(client: httpx.AsyncClient) -> None:
    """Each once and all of them, even if that is more than there are; slots of other tags stay held."""
    await _make(client, "a", 1)
    await _make(client, "b", 1)
    before, first, second = str(uuid4()), str(uuid4()), str(uuid4())
    await _ask(client, "increment", before, "a", "b")
    body = {"slot_override": [first, second, first]}
    assert (await client.post(f"{_TAGS}/tag/a/reset", json=body)).status_code == 200
    assert await _holders(client, "a") == [first, second]
    assert await _holders(client, "b") == [before]
    await client.post(f"{_TAGS}/tag/a/reset")
    assert await _holders(client, "a") == []
    assert (await client.get("/v2/concurrency_limits/tag:a")).json()["active_slots"] == 0


async def test_a_slot_is_held_until_it_is_given_back(client: httpx.AsyncClient, clock: MovingClock) -> None:
    """The older clients do not renew anything."""
    await _make(client, "a", 1)
    mine = str(uuid4())
    await _ask(client, "increment", mine, "a")
    clock.move(seconds=10**8)
    assert await _holders(client, "a") == [mine]
    await _ask(client, "decrement", mine, "a")
    assert await _holders(client, "a") == []
