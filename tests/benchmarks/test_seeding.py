"""Seeding multiplies rows without knowing the schema: ids and instants change, all else is copied."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Computed,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    select,
)

from benchmarks.seeding import Mold, Tables, multiply

STARTED = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp() * 1_000_000)


@pytest.fixture
def tables() -> Tables:
    """A schema with binary ids and integer instants, unlike the reference's."""
    metadata = MetaData()
    runs = Table(
        "flow_runs",
        metadata,
        Column("id", LargeBinary, primary_key=True),
        Column("flow_id", LargeBinary),
        Column("name", String),
        Column("state_id", LargeBinary),
        Column("start_time", BigInteger),
        Column("run_count", Integer),
        Column("started_day", BigInteger, Computed("start_time / 86400000000")),
        Column("parameters", JSON(none_as_null=True)),
    )
    states = Table(
        "flow_run_states",
        metadata,
        Column("id", LargeBinary, primary_key=True),
        Column("flow_run_id", LargeBinary),
        Column("timestamp", BigInteger),
    )
    return Tables(runs, states)


def test_copies_have_ids_of_their_own_and_are_spread_over_time(tables: Tables) -> None:
    """Each copy points at its own states; instants move together, counts and foreign ids stay."""
    run_id, flow_id, state_ids = uuid.uuid4(), uuid.uuid4().bytes, [uuid.uuid4().bytes for _ in range(2)]
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        tables.runs.metadata.create_all(connection)
        mold = {"id": run_id.bytes, "flow_id": flow_id, "name": "n", "state_id": state_ids[1]}
        connection.execute(tables.runs.insert(), [mold | {"start_time": STARTED, "run_count": 1, "parameters": None}])
        states = [{"id": known, "flow_run_id": run_id.bytes, "timestamp": STARTED} for known in state_ids]
        connection.execute(tables.states.insert(), states)

        multiply(connection, tables, Mold(str(run_id), "COMPLETED", copies=3))

        runs = connection.execute(select(tables.runs).order_by(tables.runs.c.start_time)).all()
        copied = connection.execute(select(tables.states)).all()
    assert len({run.id for run in runs}) == 4
    assert [STARTED - run.start_time for run in runs] == [
        timedelta(days=days) // timedelta(microseconds=1) for days in (6, 4, 2, 0)
    ]
    assert all(run.started_day == run.start_time // 86_400_000_000 for run in runs)
    assert {(run.flow_id, run.run_count) for run in runs} == {(flow_id, 1)}
    assert {state.flow_run_id for state in copied} == {run.id for run in runs}
    assert {run.state_id for run in runs} <= {state.id for state in copied}
    assert len(copied) == 8
