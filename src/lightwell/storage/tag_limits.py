"""Limits of tags, which are limits named `tag:TAG`, with the task runs that hold their slots."""

from collections.abc import Sequence
from uuid import UUID

from lightwell.contract.concurrency_limits import TagLimit
from lightwell.errors import NotFound
from lightwell.storage import concurrency_limits, leases
from lightwell.storage.concurrency_limits import TAG_PREFIX, LimitRecord
from lightwell.storage.transaction import Reader


def name_of(tag: str) -> str:
    """The name of the limit of a tag."""
    return f"{TAG_PREFIX}{tag}"


def tag_of(limit: LimitRecord) -> str:
    """The tag that the limit is for."""
    return limit.name.removeprefix(TAG_PREFIX)


def find(reader: Reader, tag: str, *, lock: bool = False) -> LimitRecord | None:
    """The limit of a tag, or None."""
    found = concurrency_limits.select_named(reader, [name_of(tag)], lock=lock)
    return found[0] if found else None


def get(reader: Reader, key: UUID | str, *, lock: bool = False) -> LimitRecord:
    """The limit of a tag, by the limit's id or the tag; raises NotFound, also for a limit that is not of a tag."""
    found = concurrency_limits.find(reader, key, lock=lock) if isinstance(key, UUID) else find(reader, key, lock=lock)
    if found is None or not found.name.startswith(TAG_PREFIX):
        raise NotFound("concurrency_limit")
    return found


def read(reader: Reader, key: UUID | str) -> TagLimit:
    """The limit of a tag as it is answered; raises NotFound."""
    return responses(reader, [get(reader, key)])[0]


def select(reader: Reader, *, limit: int | None = None, offset: int = 0) -> list[TagLimit]:
    """Limits of tags as they are answered, by tag."""
    return responses(reader, concurrency_limits.select_of_tags(reader, limit=limit, offset=offset))


def responses(reader: Reader, limits: Sequence[LimitRecord]) -> list[TagLimit]:
    """Limits as they are answered, each with the task runs that hold its slots."""
    holders = leases.holders(reader, [limit.id for limit in limits], "task_run") if limits else {}
    return [
        TagLimit.trusted(
            {
                "id": limit.id,
                "created": limit.created,
                "updated": limit.updated,
                "tag": tag_of(limit),
                "concurrency_limit": limit.limit,
                "active_slots": holders.get(limit.id, []),
            }
        )
        for limit in limits
    ]
