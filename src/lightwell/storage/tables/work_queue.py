"""Work queues: the parts of a work pool, served by priority."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from lightwell.storage.columns import Id, Json, Moment
from lightwell.storage.tables.metadata import METADATA, Words

work_queue = Table(
    "work_queue",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("work_pool_id", Id, ForeignKey("work_pool.id", ondelete="CASCADE"), nullable=False),
    Column("description", Words, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("concurrency_limit", Integer),
    Column("priority", Integer, nullable=False),
    Column("filter", Json),
    Column("status", Words, nullable=False),
    Column("last_polled", Moment),
    UniqueConstraint("work_pool_id", "name"),
    Index("ix_work_queue__work_pool_id_priority", "work_pool_id", "priority"),
)
