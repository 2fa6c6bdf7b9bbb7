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
    """Everything in the account is there, and a flow run is in its last acknowledged state or went one further."""
    limits = httpx.Limits(max_connections=_AT_ONCE)
    async with httpx.AsyncClient(base_url=api_url, timeout=30.0, limits=limits, verify=NO_TLS) as client:
        await _assert_flow_runs_kept(client, account.flow_run_states)
        await _assert_task_runs_kept(client, account.task_run_states)
        await _assert_events_kept(client, [*account.flow_run_states.values(), *account.task_run_states.values()])
        await _assert_logs_kept(client, account.log_batches)


async def _assert_flow_runs_kept(client: httpx.AsyncClient, acknowledged: Mapping[str, Sequence[str]]) -> None:
    runs = await _runs(client, "flow_runs", acknowledged)
    for page in _pages(acknowledged, _AT_ONCE):
        for run_id, history in zip(page, await asyncio.gather(*(_history(client, one) for one in page)), strict=True):
            states = acknowledged[run_id]
            state_ids = [state["id"] for state in history]
            assert state_ids[: len(states)] == states, "acknowledged states are not in the history"
            assert len(state_ids) <= len(states) + 1, "there are states that nobody asked for"
            assert runs[run_id]["state"] == history[-1], "the run is not in its newest state"


async def _assert_task_runs_kept(client: httpx.AsyncClient, acknowledged: Mapping[str, Sequence[str]]) -> None:
    # That a state is in the history is known from its event, where nothing is kept by halves.
    runs = await _runs(client, "task_runs", acknowledged)
    assert {run_id: run["state"]["id"] for run_id, run in runs.items()} == {
        run_id: states[-1] for run_id, states in acknowledged.items()
    }


async def _runs(client: httpx.AsyncClient, kind: str, run_ids: Iterable[str]) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    for page in _pages(run_ids, _RUNS_A_PAGE):
        found = await accepted(client, f"/{kind}/filter", {kind: {"id": {"any_": page}}})
        runs |= {run["id"]: run for run in found}
    return runs


async def _history(client: httpx.AsyncClient, flow_run_id: str) -> Any:
    answer = await client.get("/flow_run_states/", params={"flow_run_id": flow_run_id})
    return answer.raise_for_status().json()


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
