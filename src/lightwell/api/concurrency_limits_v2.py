"""Concurrency limits by name: slots that are taken and given back, by leases, by hand or by time."""

from datetime import timedelta
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Body, Path
from pydantic import AfterValidator

from lightwell.api.concurrency_limits import FULL
from lightwell.api.dependencies import Call, page_size, router_for
from lightwell.api.problems import DetailProblem
from lightwell.contract.concurrency_limits import (
    ConcurrencyLimit,
    ConcurrencyLimitCreate,
    ConcurrencyLimitResponse,
    ConcurrencyLimitsQuery,
    ConcurrencyLimitUpdate,
    GiveLeaseBack,
    GiveSlotsBack,
    LimitSummary,
    RenewLease,
    SlotsTaken,
    TakeSlots,
    TakeSlotsWithLease,
)
from lightwell.errors import Locked
from lightwell.operations import concurrency_limits as operations
from lightwell.operations.concurrency_limits import Full
from lightwell.storage import concurrency_limits

T = TypeVar("T")

router = router_for("/v2/concurrency_limits", "Concurrency Limits V2")


def _id_where_it_is_one(key: UUID | str) -> UUID | str:
    try:
        return UUID(str(key))
    except ValueError:
        return key


LimitKey = Annotated[UUID | str, AfterValidator(_id_where_it_is_one), Path(description="The limit's id or name")]


@router.post("/", status_code=201)
async def create_concurrency_limit(limit: ConcurrencyLimitCreate, call: Call) -> ConcurrencyLimit:
    """Make a limit."""
    return await call.db.write(operations.create, limit)


@router.get("/{id_or_name}")
async def read_concurrency_limit(id_or_name: LimitKey, call: Call) -> ConcurrencyLimitResponse:
    """One limit, and how many of its slots are taken."""
    return await call.db.read(concurrency_limits.read, id_or_name)


@router.post("/filter")
async def read_concurrency_limits(
    call: Call, query: Annotated[ConcurrencyLimitsQuery, Body(default_factory=ConcurrencyLimitsQuery)]
) -> list[ConcurrencyLimitResponse]:
    """Limits, by name."""
    limit = page_size(query.limit, call.here.default_limit)
    return await call.db.read(concurrency_limits.select, limit=limit, offset=query.offset)


@router.patch("/{id_or_name}", status_code=204)
async def update_concurrency_limit(changes: ConcurrencyLimitUpdate, id_or_name: LimitKey, call: Call) -> None:
    """Change the members that are sent."""
    await call.db.write(operations.update, id_or_name, changes)


@router.delete("/{id_or_name}", status_code=204)
async def delete_concurrency_limit(id_or_name: LimitKey, call: Call) -> None:
    """Delete a limit."""
    await call.db.write(operations.delete, id_or_name)


@router.post("/increment", responses=FULL)
async def take_slots(asked: TakeSlots, call: Call) -> list[LimitSummary]:
    """Take slots of each limit, or of none."""
    return _unless_full(await call.db.write(operations.take, asked, call.here.tuning))


@router.post("/increment-with-lease", responses=FULL)
async def take_slots_with_lease(asked: TakeSlotsWithLease, call: Call) -> SlotsTaken:
    """Take slots of each limit, or of none, to be held until the lease is given back or is over."""
    return _unless_full(await call.db.write(operations.take_with_lease, asked, call.here.tuning))


@router.post("/decrement")
async def give_slots_back(slots: GiveSlotsBack, call: Call) -> list[LimitSummary]:
    """Give back slots that no lease holds."""
    return await call.db.write(operations.give_back, slots)


@router.post("/decrement-with-lease", status_code=204)
async def give_lease_back(lease: GiveLeaseBack, call: Call) -> None:
    """Give back the slots of a lease."""
    await call.db.write(operations.give_lease_back, lease.lease_id)


@router.post(
    "/leases/{lease_id}/renew",
    status_code=204,
    responses={410: {"model": DetailProblem, "description": "The lease is over"}},
)
async def renew_lease(
    lease_id: Annotated[UUID, Path(description="The lease's id")],
    call: Call,
    body: Annotated[RenewLease, Body(default_factory=RenewLease)],
) -> None:
    """Hold the slots of a lease for longer."""
    await call.db.write(operations.renew_lease, lease_id, timedelta(seconds=body.lease_duration))


def _unless_full(taken: T | Full) -> T:
    if isinstance(taken, Full):
        message = "Locked"
        raise Locked(message, retry_after=taken.retry_after)
    return taken
