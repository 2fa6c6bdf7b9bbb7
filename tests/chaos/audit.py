"""Whether a server still has what it has acknowledged, asked through its API."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from tests.chaos.accounts import LINES_AT_ONCE, Account
from tests.chaos.load import NO_TLS, accepted

_EVENTS_A_PAGE = 50
_RUNS_A_PAGE = 200
_BATCHES_A_PAGE = 200 // LINES_AT_ONCE
_AT_ONCE = 8


async def assert_kept(api_url: str, account: Account) -> None:
    """Everything in the account is there, and a run is in its last acknowledged state or went one further."""
    limits = httpx.Limits(max_connections=_AT_ONCE)
    async with httpx.AsyncClient(base_url=api_url, timeout=30.0, limits=limits, verify=NO_TLS) as client:
        await _assert_states_kept(client, "flow_run", account.flow_run_states)
        await _assert_states_kept(client, "task_run", account.task_run_states)
        await _assert_events_kept(client, [*account.flow_run_states.values(), *account.task_run_states.values()])
        await _assert_logs_kept(client, account.log_batches)


async def _assert_states_kept(client: httpx.AsyncClient, kind: str, acknowledged: Mapping[str, Sequence[str]]) -> None:
    runs: dict[str, Any] = {}
    for page in _pages(acknowledged, _RUNS_A_PAGE):
        found = await accepted(client, f"/{kind}s/filter", {f"{kind}s": {"id": {"any_": page}}})
        runs |= {run["id"]: run for run in found}
    histories = dict(zip(acknowledged, await _histories(client, kind, acknowledged), strict=True))
    for run_id, states in acknowledged.items():
        history = [state["id"] for state in histories[run_id]]
        assert history[: len(states)] == states, "acknowledged states are not in the history"
        assert len(history) <= len(states) + 1, "there are states that nobody asked for"
        assert runs[run_id]["state_id"] == history[-1], "the run is not in its newest state"
        assert runs[run_id]["state"] == histories[run_id][-1]


async def _histories(client: httpx.AsyncClient, kind: str, run_ids: Iterable[str]) -> list[Any]:
    async def history(run_id: str) -> Any:
        answer = await client.get(f"/{kind}_states/", params={f"{kind}_id": run_id})
        return answer.raise_for_status().json()

    found: list[Any] = []
    for page in _pages(run_ids, _AT_ONCE):
        found += await asyncio.gather(*map(history, page))
    return found


async def _assert_events_kept(client: httpx.AsyncClient, state_ids: Iterable[Sequence[str]]) -> None:
    for page in _pages([state_id for states in state_ids for state_id in states], _EVENTS_A_PAGE):
        found = await accepted(client, "/events/filter", {"filter": {"id": {"id": page}}, "limit": _EVENTS_A_PAGE})
        assert {event["id"] for event in found["events"]} == set(page)


async def _assert_logs_kept(client: httpx.AsyncClient, batches: Mapping[str, str]) -> None:
    for page in _pages(batches, _BATCHES_A_PAGE):
        flow_run_ids = [batches[name] for name in page]
        found = await accepted(client, "/logs/filter", {"logs": {"flow_run_id": {"any_": flow_run_ids}}})
        lines = {(line["name"], line["message"]) for line in found}
        assert lines == {(name, f"line {number}") for name in page for number in range(LINES_AT_ONCE)}


def _pages(items: Iterable[str], size: int) -> Iterator[list[str]]:
    everything = list(items)
    return (everything[first : first + size] for first in range(0, len(everything), size))
