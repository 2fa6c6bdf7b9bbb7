"""The states that task runs have been in: the whole history, in the order of their timestamps.

A state that the server orchestrated and that may answer later runs of the same cache key carries that key; it is the
only record of the cache.
"""

from sqlalchemy import Column, ForeignKey, Index, Table, text

from lightwell.storage.columns import Id, Json, Moment
from lightwell.storage.tables.metadata import METADATA, Words

task_run_state = Table(
    "task_run_state",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("task_run_id", Id, ForeignKey("task_run.id", ondelete="CASCADE"), nullable=False),
    Column("timestamp", Moment, nullable=False),
    Column("type", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("message", Words),
    Column("state_details", Json, nullable=False),
    Column("data", Json),
    Column("cache_key", Words),
    Column("cache_expiration", Moment),
    Index("ix_task_run_state__task_run_id", "task_run_id", "timestamp"),
    Index(
        "ix_task_run_state__cache_key",
        "cache_key",
        "timestamp",
        sqlite_where=text("cache_key IS NOT NULL"),
        postgresql_where=text("cache_key IS NOT NULL"),
    ),
)
