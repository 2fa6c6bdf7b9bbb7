"""What was refused to flow runs, and the trace of each of their states, on both databases."""

from uuid import UUID

import pytest

from lightwell.storage import flow_run_refusals, flow_run_states, flow_runs
from lightwell.storage.database import Database
from lightwell.storage.flow_run_refusals import MOST, Refusal
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes, state
from tests.timed import MovingClock

TRACE = "0af7651916cd43dd8448eb211c80319c"
EARLY = Refusal("SCHEDULED", "RUNNING", "Running", "wait_for_scheduled_time", "WAIT", "The scheduled time is to come.")
TWICE = Refusal(None, "PENDING", "Pending", "submit_once", "ABORT", None)


@pytest.fixture
async def flow_run_id(store: Database) -> UUID:
    """A flow run."""
    return await store.write(lambda tx: making.flow_run(tx, making.flow(tx), state("SCHEDULED")))


async def test_equal_refusals_in_a_row_are_one(store: Database, clock: MovingClock, flow_run_id: UUID) -> None:
    """A client that asks every half minute leaves one row, with the first and the last time and the last trace."""
    for number in range(3):
        await store.write(flow_run_refusals.note, flow_run_id, EARLY, f"{number:032x}")
        clock.move(seconds=30)
    await store.write(flow_run_refusals.note, flow_run_id, TWICE, None)
    await store.write(flow_run_refusals.note, flow_run_id, TWICE, TRACE)
    await store.write(flow_run_refusals.note, flow_run_id, EARLY, None)

    one, two, three = await store.read(flow_run_refusals.select, flow_run_id)
    assert one == (*EARLY, NOON, minutes(1), 3, f"{2:032x}")
    assert two == (*TWICE, minutes(1.5), minutes(1.5), 2, TRACE)
    assert (three.rule, three.times, three.trace_id) == ("wait_for_scheduled_time", 1, None)


async def test_the_oldest_make_room(store: Database, flow_run_id: UUID) -> None:
    """A run keeps so many, in their order, and another run's are its own."""
    other = await store.write(lambda tx: making.flow_run(tx, making.flow(tx, "other")))
    await store.write(flow_run_refusals.note, other, EARLY, TRACE)
    for number in range(MOST + 20):
        await store.write(flow_run_refusals.note, flow_run_id, EARLY._replace(reason=f"{number}"), TRACE)

    kept = await store.read(flow_run_refusals.select, flow_run_id)
    assert [one.reason for one in kept] == [f"{number}" for number in range(20, MOST + 20)]
    assert len(await store.read(flow_run_refusals.select, other)) == 1


async def test_what_was_refused_goes_with_the_run(store: Database, flow_run_id: UUID) -> None:
    """And a name of any length is no trouble."""
    await store.write(flow_run_refusals.note, flow_run_id, EARLY._replace(proposed_name="n" * 5000), TRACE)
    assert len((await store.read(flow_run_refusals.select, flow_run_id))[0].proposed_name) == 200

    await store.write(flow_runs.delete, [flow_run_id])
    assert await store.read(flow_run_refusals.select, flow_run_id) == []


async def test_a_state_knows_its_trace(store: Database, flow_run_id: UUID) -> None:
    """Where there was one; the last states of a run are read in their order."""
    await store.write(flow_runs.append_state, flow_run_id, state("PENDING", minutes(1)), {}, TRACE)
    await store.write(flow_runs.append_state, flow_run_id, state("RUNNING", minutes(2)))

    found = await store.read(flow_run_states.select_newest, flow_run_id, 9)
    assert [(one.name, trace) for one, trace in found] == [("Scheduled", None), ("Pending", TRACE), ("Running", None)]
    assert await store.read(flow_run_states.select_newest, flow_run_id, 2) == found[1:]
