"""Which resources an event is about: its own under the empty role, and the related ones.

Narrow rows that are read along their key, so SQLite keeps them in the key's own tree. What describes a resource stays
with the event.
"""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables.metadata import METADATA, Words

event_resource = Table(
    "event_resource",
    METADATA,
    Column("resource_id", Words, nullable=False),
    Column("occurred", Moment, nullable=False),
    Column("event_id", Id, nullable=False),
    Column("role", Words, nullable=False),
    PrimaryKeyConstraint("resource_id", "occurred", "event_id", "role"),
    Index("ix_event_resource__occurred", "occurred"),
    sqlite_with_rowid=False,
)
