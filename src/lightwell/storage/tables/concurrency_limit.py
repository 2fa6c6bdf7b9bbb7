"""Limits on how much may happen at once, by name; a limit of a tag is named `tag:TAG`.

How many slots are taken is not a column: it is the sum of the leases that hold, and of `loose_slots`, which were taken
without a lease. On a limit that gives slots back by the second (`slot_decay_per_second`) all slots are loose, and
`loose_slots` is their number at `loose_at`; likewise `denied_slots` at `denied_at`.
"""

from sqlalchemy import Boolean, Column, Double, Integer, Table, UniqueConstraint

from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables.metadata import METADATA, Words

concurrency_limit = Table(
    "concurrency_limit",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("limit", Integer, nullable=False),
    Column("slot_decay_per_second", Double, nullable=False),
    Column("avg_slot_occupancy_seconds", Double, nullable=False),
    Column("loose_slots", Integer, nullable=False),
    Column("loose_at", Moment, nullable=False),
    Column("denied_slots", Integer, nullable=False),
    Column("denied_at", Moment, nullable=False),
    UniqueConstraint("name"),
)
