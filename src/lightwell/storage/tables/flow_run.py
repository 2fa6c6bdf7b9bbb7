"""Flow runs, each with a copy of what its current state is called.

Rows are wide and are found by several keys, so the SQLite table keeps its rowid: without one, inserts and key reads of
rows past a kilobyte cost half as much again. `effective_start_time` is what lists are sorted by and what the filter of
the start time compares, so that one index serves both.
"""

from sqlalchemy import Boolean, Column, Computed, ForeignKey, Index, Integer, Table, text

from lightwell.storage.columns import Id, Json, Moment, Span, Tags
from lightwell.storage.tables.metadata import METADATA, Words, ordered_index, tags_index

flow_run = Table(
    "flow_run",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("flow_id", Id, ForeignKey("flow.id", ondelete="CASCADE"), nullable=False),
    Column("state_id", Id),
    Column("state_type", Words),
    Column("state_name", Words),
    Column("state_timestamp", Moment),
    Column("deployment_id", Id),
    Column("deployment_version", Words),
    Column("work_queue_id", Id, ForeignKey("work_queue.id", ondelete="SET NULL")),
    Column("work_queue_name", Words),
    Column("flow_version", Words),
    Column("parameters", Json, nullable=False),
    Column("idempotency_key", Words),
    Column("context", Json, nullable=False),
    Column("empirical_policy", Json, nullable=False),
    Column("tags", Tags, nullable=False),
    Column("labels", Json),
    Column("parent_task_run_id", Id, ForeignKey("task_run.id", ondelete="SET NULL", use_alter=True)),
    Column("run_count", Integer, nullable=False),
    Column("expected_start_time", Moment),
    Column("next_scheduled_start_time", Moment),
    Column("start_time", Moment),
    Column("end_time", Moment),
    Column("total_run_time", Span, nullable=False),
    Column("auto_scheduled", Boolean, nullable=False),
    Column("infrastructure_document_id", Id),
    Column("infrastructure_pid", Words),
    Column("created_by", Json),
    Column("job_variables", Json),
    Column("effective_start_time", Moment, Computed("coalesce(start_time, expected_start_time)", persisted=True)),
    Index(
        "uq_flow_run__flow_id_idempotency_key",
        "flow_id",
        "idempotency_key",
        unique=True,
        sqlite_where=text("idempotency_key IS NOT NULL"),
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    ordered_index("ix_flow_run__flow_id", "flow_id", "effective_start_time", nullable="effective_start_time"),
    ordered_index("ix_flow_run__effective_start_time", "effective_start_time", nullable="effective_start_time"),
    ordered_index(
        "ix_flow_run__state_type", "state_type", "effective_start_time", "id", nullable="effective_start_time"
    ),
    ordered_index(
        "ix_flow_run__state_name", "state_name", "effective_start_time", "id", nullable="effective_start_time"
    ),
    ordered_index("ix_flow_run__expected_start_time", "expected_start_time", nullable="expected_start_time"),
    ordered_index("ix_flow_run__end_time", "end_time", nullable="end_time"),
    Index("ix_flow_run__name", "name"),
    ordered_index(
        "ix_flow_run__deployment_id",
        "deployment_id",
        "effective_start_time",
        nullable="effective_start_time",
        sqlite_where=text("deployment_id IS NOT NULL"),
        postgresql_where=text("deployment_id IS NOT NULL"),
    ),
    Index(
        "ix_flow_run__deployment_id_next",
        "deployment_id",
        "next_scheduled_start_time",
        sqlite_where=text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=text("next_scheduled_start_time IS NOT NULL"),
    ),
    Index(
        "ix_flow_run__next_scheduled_start_time",
        "next_scheduled_start_time",
        sqlite_where=text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=text("next_scheduled_start_time IS NOT NULL"),
    ),
    Index(
        "ix_flow_run__work_queue_id",
        "work_queue_id",
        "next_scheduled_start_time",
        sqlite_where=text("work_queue_id IS NOT NULL"),
        postgresql_where=text("work_queue_id IS NOT NULL"),
    ),
    Index(
        "ix_flow_run__parent_task_run_id",
        "parent_task_run_id",
        sqlite_where=text("parent_task_run_id IS NOT NULL"),
        postgresql_where=text("parent_task_run_id IS NOT NULL"),
    ),
    tags_index("ix_flow_run__tags", "tags"),
)
