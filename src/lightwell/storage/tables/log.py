"""Lines that runs have logged.

Nothing finds a line by its id, so the keys are those that lists are read by; the id settles the order of an instant.
"""

from sqlalchemy import Column, Index, Integer, Table, text

from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables.metadata import METADATA, Words

log = Table(
    "log",
    METADATA,
    Column("id", Id, nullable=False),
    Column("created", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("level", Integer, nullable=False),
    Column("flow_run_id", Id),
    Column("task_run_id", Id),
    Column("message", Words, nullable=False),
    Column("timestamp", Moment, nullable=False),
    Index("ix_log__flow_run_id", "flow_run_id", "timestamp", "id"),
    Index("ix_log__timestamp", "timestamp", "id"),
    Index(
        "ix_log__task_run_id",
        "task_run_id",
        "timestamp",
        "id",
        sqlite_where=text("task_run_id IS NOT NULL"),
        postgresql_where=text("task_run_id IS NOT NULL"),
    ),
)
