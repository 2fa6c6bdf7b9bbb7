"""The loop that ends leases which nobody renews."""

from datetime import timedelta

import pytest

from lightwell.kit.ids import new_id
from lightwell.loops import lease_expiry
from lightwell.storage import leases
from lightwell.storage.database import Database
from tests.timed import MovingClock


@pytest.mark.parametrize("batch_size", [2, 5, 100])
async def test_a_tick_ends_all_leases_that_are_over(store: Database, clock: MovingClock, batch_size: int) -> None:
    """However many transactions that takes; the others stay."""
    for _ in range(5):
        await store.write(leases.acquire, new_id(), [], 1, lifetime=timedelta(seconds=60))
    kept = new_id()
    await store.write(leases.acquire, kept, [], 1, lifetime=timedelta(seconds=61))
    assert await lease_expiry.tick(store, clock, batch_size=batch_size) == 0
    clock.move(seconds=60)
    assert await lease_expiry.tick(store, clock, batch_size=batch_size) == 5
    assert await lease_expiry.tick(store, clock, batch_size=batch_size) == 0
    assert await store.write(leases.is_alive, kept)
