"""Inputs of flow runs, CSRF tokens and the server's own values as rows, on both databases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from lightwell.contract.flow_run_inputs import FlowRunInput
from lightwell.errors import Conflict, NotFound
from lightwell.kit.ids import new_id
from lightwell.storage import configuration, csrf_tokens, flow_run_inputs, flow_runs
from lightwell.storage.database import Database
from tests.storage.rows import making
from tests.storage.rows.making import state


@pytest.fixture
async def flow_run_id(store: Database) -> UUID:
    """A flow run."""
    return await store.write(lambda tx: making.flow_run(tx, making.flow(tx), state("RUNNING")))


async def test_inputs(store: Database, flow_run_id: UUID) -> None:
    """An input is kept once under its key, found by the beginning of it, and gone when it is deleted."""
    kept = [
        await store.write(flow_run_inputs.insert, flow_run_id, key, '"x"', "me")
        for key in ("name-1", "name_2", "other", "NAME-3")
    ]
    with pytest.raises(Conflict):
        await store.write(flow_run_inputs.insert, flow_run_id, "other", "again")
    with pytest.raises(Conflict):
        await store.write(flow_run_inputs.insert, new_id(), "k", "no such run")
    assert await store.read(flow_run_inputs.select, flow_run_id, prefix="name", limit=9) == kept[:2]
    assert await store.read(flow_run_inputs.select, flow_run_id, prefix="name-", limit=9) == kept[:1]
    assert await store.read(flow_run_inputs.select, flow_run_id, limit=2) == kept[:2]
    assert (
        await store.read(flow_run_inputs.select, flow_run_id, prefix="name", limit=9, exclude_keys=["name-1"])
        == kept[1:2]
    )
    assert await store.read(flow_run_inputs.get, flow_run_id, "other") == kept[2]
    assert FlowRunInput.model_validate(kept[2].model_dump()) == kept[2]
    await store.write(flow_run_inputs.delete, flow_run_id, "other")
    with pytest.raises(NotFound):
        await store.write(flow_run_inputs.delete, flow_run_id, "other")
    with pytest.raises(NotFound):
        await store.read(flow_run_inputs.get, flow_run_id, "other")
    await store.write(flow_runs.delete, [flow_run_id])
    assert await store.read(flow_run_inputs.select, flow_run_id, limit=9) == []


async def test_csrf_tokens(store: Database) -> None:
    """A client has one token, the last one, until it expires."""
    later = datetime.now(UTC) + timedelta(hours=1)
    first = await store.write(csrf_tokens.keep, "client", "one", later)
    second = await store.write(csrf_tokens.keep, "client", "two", later)
    assert (first.token, second.token, second.id) == ("one", "two", first.id)
    assert await store.read(csrf_tokens.find, "client") == second
    assert await store.read(csrf_tokens.find, "another") is None
    assert await store.write(csrf_tokens.delete_expired) == 0


async def test_values_of_the_server(store: Database) -> None:
    """A value replaces the one under its key; what several agree on is the first."""
    assert await store.read(configuration.find, "k") is None
    await store.write(configuration.keep, "k", {"a": [1]})
    await store.write(configuration.keep, "k", {"a": [2]})
    assert await store.read(configuration.find, "k") == {"a": [2]}
    assert await store.write(configuration.find_or_keep, "k", {"mine": 1}) == {"a": [2]}
    await store.write(configuration.delete, "k")
    assert await store.write(configuration.find_or_keep, "k", "mine") == "mine"
