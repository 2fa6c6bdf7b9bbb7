"""Task runs, each with a copy of what its current state is called.

A task run of a flow run is known by its task and dynamic key; so is one that belongs to none.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, text

from lightwell.storage.columns import Id, Json, Moment, Span, Tags
from lightwell.storage.tables.metadata import METADATA, Words, ordered_index, tags_index

task_run = Table(
    "task_run",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("flow_run_id", Id, ForeignKey("flow_run.id", ondelete="CASCADE")),
    Column("task_key", Words, nullable=False),
    Column("dynamic_key", Words, nullable=False),
    Column("state_id", Id),
    Column("state_type", Words),
    Column("state_name", Words),
    Column("state_timestamp", Moment),
    Column("cache_key", Words),
    Column("cache_expiration", Moment),
    Column("task_version", Words),
    Column("empirical_policy", Json, nullable=False),
    Column("tags", Tags, nullable=False),
    Column("labels", Json),
    Column("task_inputs", Json, nullable=False),
    Column("run_count", Integer, nullable=False),
    Column("flow_run_run_count", Integer, nullable=False),
    Column("expected_start_time", Moment),
    Column("next_scheduled_start_time", Moment),
    Column("start_time", Moment),
    Column("end_time", Moment),
    Column("total_run_time", Span, nullable=False),
    Index("uq_task_run__flow_run_id_task_key_dynamic_key", "flow_run_id", "task_key", "dynamic_key", unique=True),
    Index(
        "uq_task_run__task_key_dynamic_key",
        "task_key",
        "dynamic_key",
        unique=True,
        sqlite_where=text("flow_run_id IS NULL"),
        postgresql_where=text("flow_run_id IS NULL"),
    ),
    ordered_index("ix_task_run__expected_start_time", "expected_start_time", nullable="expected_start_time"),
    ordered_index("ix_task_run__state_type", "state_type", "start_time", nullable="start_time"),
    Index(
        "ix_task_run__next_scheduled_start_time",
        "next_scheduled_start_time",
        sqlite_where=text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=text("next_scheduled_start_time IS NOT NULL"),
    ),
    tags_index("ix_task_run__tags", "tags"),
)
