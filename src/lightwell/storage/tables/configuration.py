"""Values that the server keeps about itself, by key."""

from sqlalchemy import Column, Table

from lightwell.storage.columns import Id, Json, Moment
from lightwell.storage.tables.metadata import METADATA, Words

configuration = Table(
    "configuration",
    METADATA,
    Column("key", Words, primary_key=True),
    Column("id", Id, nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("value", Json, nullable=False),
)
