"""Events: what clients report, and the facts that this server states, whose outbox this is."""

from sqlalchemy import Column, Index, Table

from lightwell.storage.columns import Id, Json, Moment
from lightwell.storage.tables.metadata import METADATA, Words

event = Table(
    "event",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("occurred", Moment, nullable=False),
    Column("received", Moment, nullable=False),
    Column("event", Words, nullable=False),
    Column("resource_id", Words, nullable=False),
    Column("resource", Json, nullable=False),
    Column("related", Json, nullable=False),
    Column("payload", Json, nullable=False),
    Column("follows", Id),
    Index("ix_event__occurred", "occurred", "id"),
    Index("ix_event__event", "event", "occurred", "id"),
)
