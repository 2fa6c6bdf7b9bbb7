"""The shape of a fact: an event of the contract that a transaction has stored, or is about to.

The catalogue of what this server itself states is in the sibling modules, one per resource; `bus.py` tells of facts
after their commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lightwell.contract.events import ReceivedEvent
from lightwell.kit.ids import new_id

Labels = Mapping[str, str]
"""A resource of an event: `prefect.resource.id` and what describes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened: one row of the events table, published once it is committed.

    `occurred` is when it happened, `received` when this server learned of it (None: when it happened), `follows` the id
    of the fact that came right before it on the same resource. One that `is_event` is not is in no table and no stream:
    it is for those who count.
    """

    occurred: datetime
    event: str
    resource: Labels
    related: Sequence[Labels] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=new_id)
    follows: UUID | None = None
    received: datetime | None = None
    is_event: bool = True

    @property
    def resource_id(self) -> str:
        """What it happened to, such as `prefect.flow-run.UUID`."""
        return self.resource["prefect.resource.id"]


Told = Fact | ReceivedEvent
"""What live streams carry: a fact of this process, or an event that another one has stored."""
