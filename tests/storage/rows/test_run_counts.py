"""What is counted for metrics: runs by state, what waits and why, leases, sizes, and the names of the exporter."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from lightwell.kit.ids import new_id
from lightwell.storage import exporter_names, leases, run_counts, table_sizes, tables
from lightwell.storage.database import Database
from lightwell.storage.exporter_names import (
    DeploymentLabels,
    FlowLabels,
    PoolLabels,
    QueueLabels,
    RunLabels,
    RunTimeLabels,
)
from lightwell.storage.transaction import Reader, Transaction
from tests.storage.rows import making
from tests.storage.rows.making import state

AFTER = timedelta(seconds=15)


def _run(tx: Transaction, /, due: float | None, name: str = "Scheduled", **values: Any) -> None:
    """A scheduled run of a flow of its own, due so many seconds from now."""
    at = None if due is None else tx.now + timedelta(seconds=due)
    flow_id = making.flow(tx, str(new_id()))
    making.flow_run(
        tx, flow_id, state("SCHEDULED", tx.now, name), next_scheduled_start_time=at, expected_start_time=at, **values
    )


async def test_runs_are_counted_by_the_type_of_their_state(store: Database) -> None:
    """Each kind by itself; one without a state is counted, too."""

    def populate(tx: Transaction) -> None:
        flow_id = making.flow(tx)
        for kind in ("COMPLETED", "COMPLETED", "FAILED"):
            making.flow_run(tx, flow_id, state(kind))
        run = making.flow_run(tx, flow_id)
        for number, kind in enumerate(("RUNNING", "RUNNING", "RUNNING", "PENDING")):
            making.task_run(tx, run, f"task-{number}", state(kind))

    await store.write(populate)
    assert await store.read(run_counts.by_state, "flow_run") == {"COMPLETED": 2, "FAILED": 1, None: 1}
    assert await store.read(run_counts.by_state, "task_run") == {"RUNNING": 3, "PENDING": 1}


async def test_nothing_waits_in_an_empty_database(store: Database) -> None:
    """All is zero, nothing is missing."""
    assert await store.read(run_counts.by_state, "flow_run") == {}
    assert await store.read(run_counts.scheduled, AFTER) == run_counts.Scheduled(0, [])
    assert await store.read(leases.count_held) == (0, None)


def _populate_queues(tx: Transaction) -> None:
    made: dict[str, Any] = {}
    polled = tx.now - timedelta(seconds=30)
    for name in ("served", "paused queue", "paused pool", "left"):
        made[name] = making.pool_with_queue(tx, f"pool of {name}", name)
    for pool_id, queue_id, of_pool, of_queue in (
        (*made["served"], {}, {"last_polled": polled}),
        (*made["paused queue"], {}, {"is_paused": True, "last_polled": polled}),
        (*made["paused pool"], {"is_paused": True}, {"last_polled": polled}),
        (*made["left"], {"type": "my own"}, {"last_polled": tx.now - timedelta(seconds=90)}),
    ):
        if of_pool:
            tx.execute(tables.work_pool.update().where(tables.work_pool.c.id == pool_id).values(**of_pool))
        tx.execute(tables.work_queue.update().where(tables.work_queue.c.id == queue_id).values(**of_queue))
    for name, (_, queue_id) in made.items():
        _run(tx, -60, work_queue_id=queue_id, work_queue_name=name)
    served = made["served"][1]
    _run(tx, -10, work_queue_id=served)
    _run(tx, -100, "Late", work_queue_id=served)
    _run(tx, -200, "AwaitingConcurrencySlot", work_queue_id=served)
    _run(tx, -300, "AwaitingRetry")
    _run(tx, -400)
    deployed = making.deployed(tx, making.flow(tx, "deployed"), "polled", last_polled=polled)
    _run(tx, -500, deployment_id=deployed)
    for seconds in (1, 1000, 100_000):
        _run(tx, seconds)
    making.flow_run(tx, making.flow(tx, "over"), state("COMPLETED"))


async def test_what_waits_is_told_with_its_reason_kind_and_age(store: Database) -> None:
    """Late after so long; those that are not due yet apart; a run that has ended waits for nothing."""
    await store.write(_populate_queues)
    found = await store.read(run_counts.scheduled, AFTER)

    assert found.later == 3
    told = {
        (one.pool_type, one.reason, one.is_late): (one.number, round(one.oldest_age / 5) * 5) for one in found.overdue
    }
    assert told == {
        ("process", "late", True): (2, 100),
        ("process", "late", False): (1, 10),
        ("process", "queue_paused", True): (1, 60),
        ("process", "pool_paused", True): (1, 60),
        ("my own", "no_worker_polling", True): (1, 60),
        ("process", "awaiting_concurrency_slot", True): (1, 200),
        (None, "awaiting_retry", True): (1, 300),
        (None, "no_deployment", True): (1, 400),
        (None, "late", True): (1, 500),
    }


async def test_leases_that_hold_are_counted(store: Database) -> None:
    """Those that are over are not."""

    def populate(tx: Transaction) -> None:
        for lifetime in (timedelta(hours=1), None, timedelta(0)):
            leases.acquire(tx, new_id(), [], 1, lifetime=lifetime)
        tx.execute(
            tables.concurrency_lease.update()
            .where(tables.concurrency_lease.c.expires.is_(None))
            .values(created=tx.now - timedelta(minutes=5))
        )

    await store.write(populate)
    number, age = await store.read(_held)
    assert number == 2
    assert 300 <= age < 330


def _held(reader: Reader) -> tuple[int, float]:
    number, oldest = leases.count_held(reader)
    assert oldest is not None
    return number, (reader.now - oldest).total_seconds()


async def test_tables_are_measured_without_counting(store: Database) -> None:
    """Each table of the schema that the database knows of, and the database itself."""

    def populate(tx: Transaction) -> None:
        for number in range(50):
            making.flow(tx, f"flow {number}")

    await store.write(populate)
    if store.dialect == "postgresql":
        await store.write(_analyze)
    found = await store.read(table_sizes.measure)

    assert found.rows["flow"] == 50
    assert found.rows["flow_run"] == 0
    assert found.database > 100_000
    if store.dialect == "postgresql":
        assert set(found.rows) == set(found.sizes) == set(tables.METADATA.tables)
        assert found.sizes["flow"] > 8192
    else:
        assert set(found.rows) < set(tables.METADATA.tables)
        assert found.sizes == {}


def _analyze(tx: Transaction) -> None:
    tx.execute(text("ANALYZE"))


def _populate_names(tx: Transaction) -> None:
    nightly, other = making.flow(tx, "nightly"), making.flow(tx, "other")
    pool_id, queue_id = making.pool_with_queue(tx, "pool", "queue")
    deployed = making.deployed(tx, nightly, "prod", work_queue_id=queue_id, paused=True, path="/flows", tags=["b", "a"])
    making.deployed(tx, other, "plain", status="READY")
    tx.execute(tables.work_pool.update().where(tables.work_pool.c.id == pool_id).values(is_paused=True))
    ran = {"total_run_time": timedelta(seconds=30), "start_time": tx.now, "end_time": tx.now}
    of_queue = {"deployment_id": deployed, "work_queue_id": queue_id, "work_queue_name": "queue"}
    for _ in range(2):
        making.flow_run(tx, nightly, state("COMPLETED", tx.now), **ran, **of_queue)
    making.flow_run(tx, nightly, state("FAILED", tx.now), **ran)
    long_ago = tx.now - timedelta(hours=1)
    making.flow_run(tx, other, state("COMPLETED", tx.now), **ran | {"start_time": long_ago, "end_time": long_ago})
    making.flow_run(tx, other, state("RUNNING", tx.now), start_time=tx.now)


async def test_the_exporter_is_told_what_it_would_find_by_paging(store: Database) -> None:
    """Everything that there is, but flow runs of the window alone; labels as that exporter writes them."""
    await store.write(_populate_names)
    found = await store.read(exporter_names.measure, timedelta(minutes=5), 100)

    assert found.flows == ({FlowLabels("nightly"): 1, FlowLabels("other"): 1}, 2)
    assert found.deployments == (
        {
            DeploymentLabels("nightly", "False", "prod", "/flows", "True", "pool", "queue", "NOT_READY", "a,b"): 1,
            DeploymentLabels("other", "True", "plain", "None", "False", "None", "None", "READY", ""): 1,
        },
        2,
    )
    assert found.flow_runs == 3
    assert found.run_times == ({RunTimeLabels("nightly", "prod"): 60.0, RunTimeLabels("nightly", "null"): 30.0}, 2)
    assert found.runs == (
        {
            RunLabels("prod", "nightly", "Completed", "queue"): 2,
            RunLabels("null", "nightly", "Failed", "None"): 1,
            RunLabels("null", "other", "Running", "None"): 1,
        },
        3,
    )
    assert found.pools == ({PoolLabels("True", "pool", "process", "NOT_READY"): 0}, 1)
    assert found.queues == ({QueueLabels("False", "queue", "1", "null", "pool", "NOT_READY"): 1}, 1)


async def test_of_an_empty_database_the_exporter_is_told_zeros(store: Database) -> None:
    """And no series."""
    found = await store.read(exporter_names.measure, timedelta(minutes=5), 100)
    assert found == (({}, 0), ({}, 0), 0, ({}, 0), ({}, 0), ({}, 0), ({}, 0))


async def test_series_are_bounded(store: Database) -> None:
    """What is left out is in the total."""

    def populate(tx: Transaction) -> None:
        for number in range(7):
            making.flow_run(tx, making.flow(tx, f"flow {number}"), state("RUNNING"), start_time=tx.now)

    await store.write(populate)
    found = await store.read(exporter_names.measure, timedelta(minutes=5), 3)
    assert (len(found.flows.values), found.flows.total) == (3, 7)
    assert (len(found.runs.values), found.runs.total) == (3, 7)
