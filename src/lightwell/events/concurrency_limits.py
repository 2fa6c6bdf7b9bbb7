"""Facts about concurrency limits; those of tags are limits like others."""

from datetime import datetime
from typing import Literal

from lightwell.contract.concurrency_limits import ConcurrencyLimitResponse
from lightwell.events.facts import Fact


def concurrency_limit_changed(
    limit: ConcurrencyLimitResponse, what: Literal["created", "updated", "deleted"], occurred: datetime
) -> Fact:
    """State that a limit was created, updated or deleted; the payload is the limit after it, or before its end."""
    return Fact(
        occurred=occurred,
        event=f"prefect.concurrency-limit.{what}",
        resource={
            "prefect.resource.id": f"prefect.concurrency-limit.{limit.id}",
            "prefect.resource.name": limit.name,
        },
        payload={
            "name": limit.name,
            "limit": limit.limit,
            "active": limit.active,
            "slot_decay_per_second": limit.slot_decay_per_second,
        },
    )
