"""Flows: what runs are runs of; known by their name."""

from sqlalchemy import Column, Index, Table, UniqueConstraint

from lightwell.storage.columns import Id, Json, Moment, Tags
from lightwell.storage.tables.metadata import METADATA, Words

flow = Table(
    "flow",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("tags", Tags, nullable=False),
    Column("labels", Json),
    UniqueConstraint("name"),
    Index("ix_flow__created", "created"),
    Index("ix_flow__updated", "updated"),
)
