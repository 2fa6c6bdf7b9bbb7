"""Limits of tags: how many task runs with a tag may run at once; any other limit is in `concurrency_limits_v2.py`."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Body, Path, Response

from lightwell.api.dependencies import Call, page_size, router_for
from lightwell.api.problems import DetailProblem
from lightwell.contract.concurrency_limits import (
    ConcurrencyLimitsQuery,
    LimitSummary,
    TagLimit,
    TagLimitCreate,
    TagLimitReset,
    TagSlots,
)
from lightwell.operations import tag_limits as operations
from lightwell.storage import tag_limits

router = router_for("/concurrency_limits", "Concurrency Limits")

LimitId = Annotated[UUID, Path(alias="id", description="The limit's id")]
Tag = Annotated[str, Path(description="The tag")]

FULL: Final[dict[int | str, dict[str, Any]]] = {
    423: {
        "model": DetailProblem,
        "description": "A limit is full; `Retry-After` says in how many seconds to ask again.",
    }
}


@router.post("/", responses={201: {"model": TagLimit, "description": "The limit is new"}})
async def create_tag_limit(tag_limit: TagLimitCreate, call: Call, response: Response) -> TagLimit:
    """Make a limit of a tag, or change the one of this tag."""
    kept, is_new = await call.db.write(operations.create, tag_limit)
    if is_new:
        response.status_code = 201
    return kept


@router.get("/{id:uuid}")
async def read_tag_limit(limit_id: LimitId, call: Call) -> TagLimit:
    """One limit of a tag, and the task runs that hold its slots."""
    return await call.db.read(tag_limits.read, limit_id)


@router.get("/tag/{tag}")
async def read_tag_limit_by_tag(tag: Tag, call: Call) -> TagLimit:
    """The limit of a tag, and the task runs that hold its slots."""
    return await call.db.read(tag_limits.read, tag)


@router.post("/filter")
async def read_tag_limits(
    call: Call, query: Annotated[ConcurrencyLimitsQuery, Body(default_factory=ConcurrencyLimitsQuery)]
) -> list[TagLimit]:
    """Limits of tags, by tag."""
    limit = page_size(query.limit, call.here.default_limit)
    return await call.db.read(tag_limits.select, limit=limit, offset=query.offset)


@router.post("/tag/{tag}/reset")
async def reset_tag_limit(
    tag: Tag, call: Call, body: Annotated[TagLimitReset, Body(default_factory=TagLimitReset)]
) -> None:
    """Let the task runs that are named hold the slots of a tag, and nobody else."""
    await call.db.write(operations.reset, tag, body.slot_override or [], call.here.tuning)


@router.delete("/{id:uuid}")
async def delete_tag_limit(limit_id: LimitId, call: Call) -> None:
    """Delete a limit of a tag."""
    await call.db.write(operations.delete, limit_id)


@router.delete("/tag/{tag}")
async def delete_tag_limit_by_tag(tag: Tag, call: Call) -> None:
    """Delete the limit of a tag."""
    await call.db.write(operations.delete, tag)


@router.post("/increment", responses=FULL)
async def take_tag_slots(slots: TagSlots, call: Call) -> list[LimitSummary]:
    """Let a task run hold a slot of each tag that has a limit."""
    return await call.db.write(operations.take, slots, call.here.tuning)


@router.post("/decrement")
async def give_tag_slots_back(slots: TagSlots, call: Call) -> list[LimitSummary]:
    """Give back the slots that a task run holds."""
    return await call.db.write(operations.give_back, slots)
