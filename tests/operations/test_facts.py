"""Each need of a rule is answered from what is stored, on both databases."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lightwell.contract.states import StateType
from lightwell.kit.ids import new_id
from lightwell.operations.facts import as_rules_see, look_up
from lightwell.orchestration.needs import Deployment, Facts, Need
from lightwell.orchestration.transition import FlowRun, TaskRun, Transition
from lightwell.storage import concurrency_limits, leases, task_runs
from lightwell.storage.database import Database
from lightwell.storage.leases import Holder
from lightwell.storage.transaction import Transaction
from tests.storage.rows import making
from tests.storage.rows.making import NOON, minutes, state
from tests.timed import MovingClock

_MINUTE = timedelta(minutes=1)


def _limit(tx: Transaction, /, name: str, limit: int, *holders: Holder, **values: Any) -> UUID:
    made = concurrency_limits.insert(tx, {"name": name, "limit": limit, **values})
    assert made is not None
    for holder in holders:
        leases.acquire(tx, new_id(), [made], 1, lifetime=_MINUTE, holder=holder)
    return made.id


def _of_flow_run(tx: Transaction, /, wanted: set[Need], run: FlowRun, **initial: Any) -> Facts:
    transition = Transition(run=run, initial=state("PENDING", **initial), proposed=state("RUNNING"), now=tx.now)
    return look_up(tx, frozenset(wanted), transition).facts


def _of_task_run(tx: Transaction, /, wanted: set[Need], run: TaskRun, **proposed: Any) -> Facts:
    transition = Transition(run=run, initial=None, proposed=state("RUNNING", **proposed), now=tx.now)
    return look_up(tx, frozenset(wanted), transition).facts


async def test_where_nothing_is_wanted_the_transition_is_the_same(store: Database) -> None:
    """Nothing is looked up, and nothing is copied."""
    transition = Transition(run=TaskRun(new_id()), initial=None, proposed=state("RUNNING"), now=NOON)
    assert await store.write(look_up, frozenset(), transition) is transition


async def test_what_was_wanted_is_said_to_be_loaded(store: Database) -> None:
    """Also where there is nothing to find."""
    facts = await store.write(_of_flow_run, {Need.DEPLOYMENT, Need.LEASE}, FlowRun(new_id()))
    assert facts == Facts(loaded=frozenset({Need.DEPLOYMENT, Need.LEASE}))
    gone = FlowRun(new_id(), deployment_id=new_id())
    assert (await store.write(_of_flow_run, {Need.DEPLOYMENT}, gone)).deployment is None


async def test_a_deployment_comes_with_its_limit(store: Database, clock: MovingClock) -> None:
    """With what it says about collisions and grace, and the slots that are taken now."""

    def make(tx: Transaction) -> UUID:
        limit_id = _limit(tx, "deployment", 3, Holder("flow_run", new_id()), Holder("flow_run", new_id()))
        options = {"collision_strategy": "CANCEL_NEW", "grace_period_seconds": 90}
        flow_id = making.flow(tx)
        return making.deployed(tx, flow_id, "d", concurrency_limit_id=limit_id, concurrency_options=options)

    deployment_id = await store.write(make)
    run = FlowRun(new_id(), deployment_id=deployment_id)
    facts = await store.write(_of_flow_run, {Need.DEPLOYMENT}, run)
    assert facts.deployment is not None
    limit = facts.deployment.limit
    assert limit is not None
    assert (limit.slots, limit.taken, limit.collision_strategy) == (3, 2, "CANCEL_NEW")
    assert limit.grace_period == timedelta(seconds=90)
    clock.move(seconds=60)
    facts = await store.write(_of_flow_run, {Need.DEPLOYMENT}, run)
    assert facts.deployment is not None
    assert facts.deployment.limit == limit._replace(taken=0)


@pytest.mark.parametrize("values", [{}, {"active": False}], ids=["without", "inactive"])
async def test_a_deployment_without_an_active_limit_is_free(store: Database, values: dict[str, Any]) -> None:
    """A limit that is switched off counts as none."""

    def make(tx: Transaction) -> UUID:
        limit_id = _limit(tx, "deployment", 3, **values) if values else None
        return making.deployed(tx, making.flow(tx), "d", concurrency_limit_id=limit_id)

    run = FlowRun(new_id(), deployment_id=await store.write(make))
    assert (await store.write(_of_flow_run, {Need.DEPLOYMENT}, run)).deployment == Deployment()


async def test_a_deployment_that_says_nothing_has_defaults(store: Database) -> None:
    """It lets new runs wait, and the server says how long a lease lives."""

    def make(tx: Transaction) -> UUID:
        return making.deployed(tx, making.flow(tx), "d", concurrency_limit_id=_limit(tx, "deployment", 1))

    run = FlowRun(new_id(), deployment_id=await store.write(make))
    facts = await store.write(_of_flow_run, {Need.DEPLOYMENT}, run)
    assert facts.deployment is not None
    assert facts.deployment.limit is not None
    assert (facts.deployment.limit.collision_strategy, facts.deployment.limit.grace_period) == ("ENQUEUE", None)


async def test_a_lease_is_alive_until_its_end(store: Database, clock: MovingClock) -> None:
    """It is the one that the initial state names."""
    lease_id = new_id()
    await store.write(leases.acquire, lease_id, [], 1, lifetime=_MINUTE)
    run = FlowRun(new_id())
    details = {"deployment_concurrency_lease_id": lease_id}
    assert (await store.write(_of_flow_run, {Need.LEASE}, run, **details)).lease_is_alive
    clock.move(seconds=60)
    assert not (await store.write(_of_flow_run, {Need.LEASE}, run, **details)).lease_is_alive


async def test_the_enclosing_flow_run_is_seen_with_its_state(store: Database) -> None:
    """And with what its pause says."""
    paused = state("PAUSED", pause_timeout=minutes(5), pause_reschedule=True)
    run_id = await store.write(lambda tx: making.flow_run(tx, making.flow(tx), paused, run_count=2))
    facts = await store.write(_of_task_run, {Need.FLOW_RUN}, TaskRun(new_id(), flow_run_id=run_id))
    assert facts.flow_run == (run_id, 2, StateType.PAUSED, minutes(5), True)
    facts = await store.write(_of_task_run, {Need.FLOW_RUN}, TaskRun(new_id(), flow_run_id=new_id()))
    assert facts.flow_run is None


async def test_a_task_run_sees_the_active_limits_of_its_tags(store: Database) -> None:
    """In the order of their ids, each with what is taken and whether it holds a slot itself."""
    me = Holder("task_run", new_id())

    def make(tx: Transaction) -> list[UUID]:
        found = [_limit(tx, "tag:b", 5, me, Holder("task_run", new_id())), _limit(tx, "tag:a", 1)]
        _limit(tx, "tag:off", 1, active=False)
        _limit(tx, "tag:other", 1)
        _limit(tx, "a", 1)
        return found

    ids = await store.write(make)
    run = TaskRun(me.id, tags=["a", "b", "off", "none"])
    facts = await store.write(_of_task_run, {Need.TAG_LIMITS}, run)
    average = timedelta(seconds=2)
    assert facts.tag_limits == ((ids[0], "b", 5, 2, average, True), (ids[1], "a", 1, 0, average, False))


async def test_a_cached_state_is_found_by_the_key_of_the_proposed_state(store: Database) -> None:
    """The newest one that was stored."""
    completed = state("COMPLETED", cache_key="key")

    def make(tx: Transaction) -> None:
        making.task_run(tx, None, "one", completed)
        task_runs.store_cache_key(tx, completed.id, "key", None)

    await store.write(make)
    run = TaskRun(new_id())
    facts = await store.write(_of_task_run, {Need.CACHED_STATE}, run, cache_key="key")
    assert facts.cached_state == completed
    assert (await store.write(_of_task_run, {Need.CACHED_STATE}, run, cache_key="other")).cached_state is None


async def test_rules_see_a_task_run_as_it_is_stored(store: Database) -> None:
    """Every column that they read is that of the row."""
    values: dict[str, Any] = {
        "tags": ["a"],
        "run_count": 3,
        "flow_run_run_count": 2,
        "start_time": NOON,
        "empirical_policy": {"retries": 1},
    }
    run_id = await store.write(lambda tx: making.task_run(tx, None, "one", **values))
    record = await store.read(task_runs.get, run_id)
    seen = as_rules_see(record)
    assert seen._asdict() == {name: getattr(record, name) for name in TaskRun._fields}
    assert seen.tags == ["a"]


async def test_whoever_decides_on_a_limit_is_alone_with_it(store: Database) -> None:
    """Between what was looked up and the end of the transaction nobody else takes a slot."""
    await store.write(_limit, "tag:a", 3)

    def take(tx: Transaction) -> bool:
        run = TaskRun(new_id(), tags=["a"])
        (limit,) = _of_task_run(tx, {Need.TAG_LIMITS}, run).tag_limits
        if limit.taken >= limit.slots:
            return False
        limits = concurrency_limits.select_by_ids(tx, [limit.id])
        leases.acquire(tx, new_id(), limits, 1, lifetime=None, holder=Holder("task_run", run.id))
        return True

    assert sum(await asyncio.gather(*(store.write(take) for _ in range(40)))) == 3
