"""Runs of flows and tasks, with their states, inputs and logs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from lightwell.storage.columns import Id, Json, Moment, Span, Tags
from lightwell.storage.tables.metadata import Words

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_PARENT_TASK_RUN = "fk_flow_run__parent_task_run_id__task_run"
_TABLES = (
    "flow_run",
    "flow_run_state",
    "flow_run_input",
    "task_run",
    "task_run_state",
    "log",
    "deleted_flow_run",
)


def upgrade() -> None:
    """Make them."""
    _create_flow_run()
    _index_flow_run()
    _create_flow_run_state()
    _create_flow_run_input()
    _create_task_run()
    _index_task_run()
    _create_task_run_state()
    _create_log()
    _create_deleted_flow_run()
    if _on_postgresql():
        op.create_foreign_key(
            _PARENT_TASK_RUN, "flow_run", "task_run", ["parent_task_run_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    """Drop them, with all they hold."""
    if _on_postgresql():
        op.drop_constraint(_PARENT_TASK_RUN, "flow_run", type_="foreignkey")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _parent_task_run() -> list[sa.ForeignKeyConstraint]:
    """The one reference to a table that is not there yet: SQLite does not mind, and could not add it later."""
    if _on_postgresql():
        return []
    return [
        sa.ForeignKeyConstraint(["parent_task_run_id"], ["task_run.id"], name=_PARENT_TASK_RUN, ondelete="SET NULL")
    ]


def _index_tags(table: str) -> None:
    if _on_postgresql():
        op.create_index(f"ix_{table}__tags", table, ["tags"], postgresql_using="gin")


def _index(
    name: str,
    table: str,
    columns: list[str],
    *,
    nulls_first: str | None = None,
    where: str | None = None,
    unique: bool = False,
) -> None:
    """An index of the rows that fulfil `where`; SQLite puts NULLs first by itself, PostgreSQL in `nulls_first`."""
    rows = None if where is None else sa.text(where)
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        postgresql_ops={} if nulls_first is None else {nulls_first: "NULLS FIRST"},
        postgresql_where=rows,
        sqlite_where=rows,
    )


def _create_flow_run() -> None:
    op.create_table(
        "flow_run",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("flow_id", Id, nullable=False),
        sa.Column("state_id", Id),
        sa.Column("state_type", Words),
        sa.Column("state_name", Words),
        sa.Column("state_timestamp", Moment),
        sa.Column("deployment_id", Id),
        sa.Column("deployment_version", Words),
        sa.Column("work_queue_id", Id),
        sa.Column("work_queue_name", Words),
        sa.Column("flow_version", Words),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("idempotency_key", Words),
        sa.Column("context", Json, nullable=False),
        sa.Column("empirical_policy", Json, nullable=False),
        sa.Column("tags", Tags, nullable=False),
        sa.Column("labels", Json),
        sa.Column("parent_task_run_id", Id),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("expected_start_time", Moment),
        sa.Column("next_scheduled_start_time", Moment),
        sa.Column("start_time", Moment),
        sa.Column("end_time", Moment),
        sa.Column("total_run_time", Span, nullable=False),
        sa.Column("auto_scheduled", sa.Boolean(), nullable=False),
        sa.Column("infrastructure_document_id", Id),
        sa.Column("infrastructure_pid", Words),
        sa.Column("created_by", Json),
        sa.Column("job_variables", Json),
        sa.Column(
            "effective_start_time", Moment, sa.Computed("coalesce(start_time, expected_start_time)", persisted=True)
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_run")),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name=op.f("fk_flow_run__flow_id__flow"), ondelete="CASCADE"),
        *_parent_task_run(),
        sa.ForeignKeyConstraint(
            ["work_queue_id"],
            ["work_queue.id"],
            name=op.f("fk_flow_run__work_queue_id__work_queue"),
            ondelete="SET NULL",
        ),
    )


def _index_flow_run() -> None:
    _index(
        "ix_flow_run__deployment_id",
        "flow_run",
        ["deployment_id", "effective_start_time"],
        nulls_first="effective_start_time",
        where="deployment_id IS NOT NULL",
    )
    _index(
        "ix_flow_run__deployment_id_next",
        "flow_run",
        ["deployment_id", "next_scheduled_start_time"],
        where="next_scheduled_start_time IS NOT NULL",
    )
    _index(
        "ix_flow_run__effective_start_time", "flow_run", ["effective_start_time"], nulls_first="effective_start_time"
    )
    _index("ix_flow_run__end_time", "flow_run", ["end_time"], nulls_first="end_time")
    _index("ix_flow_run__expected_start_time", "flow_run", ["expected_start_time"], nulls_first="expected_start_time")
    _index("ix_flow_run__flow_id", "flow_run", ["flow_id", "effective_start_time"], nulls_first="effective_start_time")
    op.create_index("ix_flow_run__name", "flow_run", ["name"])
    _index(
        "ix_flow_run__next_scheduled_start_time",
        "flow_run",
        ["next_scheduled_start_time"],
        where="next_scheduled_start_time IS NOT NULL",
    )
    _index(
        "ix_flow_run__parent_task_run_id", "flow_run", ["parent_task_run_id"], where="parent_task_run_id IS NOT NULL"
    )
    _index(
        "ix_flow_run__state_name",
        "flow_run",
        ["state_name", "effective_start_time", "id"],
        nulls_first="effective_start_time",
    )
    _index(
        "ix_flow_run__state_type",
        "flow_run",
        ["state_type", "effective_start_time", "id"],
        nulls_first="effective_start_time",
    )
    _index_tags("flow_run")
    _index(
        "ix_flow_run__work_queue_id",
        "flow_run",
        ["work_queue_id", "next_scheduled_start_time"],
        where="work_queue_id IS NOT NULL",
    )
    _index(
        "uq_flow_run__flow_id_idempotency_key",
        "flow_run",
        ["flow_id", "idempotency_key"],
        where="idempotency_key IS NOT NULL",
        unique=True,
    )


def _create_flow_run_state() -> None:
    op.create_table(
        "flow_run_state",
        sa.Column("id", Id, nullable=False),
        sa.Column("flow_run_id", Id, nullable=False),
        sa.Column("timestamp", Moment, nullable=False),
        sa.Column("type", Words, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("message", Words),
        sa.Column("state_details", Json, nullable=False),
        sa.Column("data", Json),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow_run_state")),
        sa.ForeignKeyConstraint(
            ["flow_run_id"], ["flow_run.id"], name=op.f("fk_flow_run_state__flow_run_id__flow_run"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_flow_run_state__flow_run_id", "flow_run_state", ["flow_run_id", "timestamp"])


def _create_flow_run_input() -> None:
    op.create_table(
        "flow_run_input",
        sa.Column("flow_run_id", Id, nullable=False),
        sa.Column("key", Words, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("value", Words, nullable=False),
        sa.Column("sender", Words),
        sa.PrimaryKeyConstraint("flow_run_id", "key", name=op.f("pk_flow_run_input")),
        sa.ForeignKeyConstraint(
            ["flow_run_id"], ["flow_run.id"], name=op.f("fk_flow_run_input__flow_run_id__flow_run"), ondelete="CASCADE"
        ),
    )


def _create_task_run() -> None:
    op.create_table(
        "task_run",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("flow_run_id", Id),
        sa.Column("task_key", Words, nullable=False),
        sa.Column("dynamic_key", Words, nullable=False),
        sa.Column("state_id", Id),
        sa.Column("state_type", Words),
        sa.Column("state_name", Words),
        sa.Column("state_timestamp", Moment),
        sa.Column("cache_key", Words),
        sa.Column("cache_expiration", Moment),
        sa.Column("task_version", Words),
        sa.Column("empirical_policy", Json, nullable=False),
        sa.Column("tags", Tags, nullable=False),
        sa.Column("labels", Json),
        sa.Column("task_inputs", Json, nullable=False),
        sa.Column("run_count", sa.Integer(), nullable=False),
        sa.Column("flow_run_run_count", sa.Integer(), nullable=False),
        sa.Column("expected_start_time", Moment),
        sa.Column("next_scheduled_start_time", Moment),
        sa.Column("start_time", Moment),
        sa.Column("end_time", Moment),
        sa.Column("total_run_time", Span, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_run")),
        sa.ForeignKeyConstraint(
            ["flow_run_id"], ["flow_run.id"], name=op.f("fk_task_run__flow_run_id__flow_run"), ondelete="CASCADE"
        ),
    )


def _index_task_run() -> None:
    _index("ix_task_run__expected_start_time", "task_run", ["expected_start_time"], nulls_first="expected_start_time")
    _index(
        "ix_task_run__next_scheduled_start_time",
        "task_run",
        ["next_scheduled_start_time"],
        where="next_scheduled_start_time IS NOT NULL",
    )
    _index("ix_task_run__state_type", "task_run", ["state_type", "start_time"], nulls_first="start_time")
    _index_tags("task_run")
    _index(
        "uq_task_run__flow_run_id_task_key_dynamic_key",
        "task_run",
        ["flow_run_id", "task_key", "dynamic_key"],
        unique=True,
    )
    _index(
        "uq_task_run__task_key_dynamic_key",
        "task_run",
        ["task_key", "dynamic_key"],
        where="flow_run_id IS NULL",
        unique=True,
    )


def _create_task_run_state() -> None:
    op.create_table(
        "task_run_state",
        sa.Column("id", Id, nullable=False),
        sa.Column("task_run_id", Id, nullable=False),
        sa.Column("timestamp", Moment, nullable=False),
        sa.Column("type", Words, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("message", Words),
        sa.Column("state_details", Json, nullable=False),
        sa.Column("data", Json),
        sa.Column("cache_key", Words),
        sa.Column("cache_expiration", Moment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_run_state")),
        sa.ForeignKeyConstraint(
            ["task_run_id"], ["task_run.id"], name=op.f("fk_task_run_state__task_run_id__task_run"), ondelete="CASCADE"
        ),
    )
    _index("ix_task_run_state__cache_key", "task_run_state", ["cache_key", "timestamp"], where="cache_key IS NOT NULL")
    op.create_index("ix_task_run_state__task_run_id", "task_run_state", ["task_run_id", "timestamp"])


def _create_log() -> None:
    op.create_table(
        "log",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("flow_run_id", Id),
        sa.Column("task_run_id", Id),
        sa.Column("message", Words, nullable=False),
        sa.Column("timestamp", Moment, nullable=False),
    )
    op.create_index("ix_log__flow_run_id", "log", ["flow_run_id", "timestamp", "id"])
    _index("ix_log__task_run_id", "log", ["task_run_id", "timestamp", "id"], where="task_run_id IS NOT NULL")
    op.create_index("ix_log__timestamp", "log", ["timestamp", "id"])


def _create_deleted_flow_run() -> None:
    op.create_table(
        "deleted_flow_run",
        sa.Column("flow_run_id", Id, nullable=False),
        sa.Column("deleted", Moment, nullable=False),
        sa.PrimaryKeyConstraint("flow_run_id", name=op.f("pk_deleted_flow_run")),
        sqlite_with_rowid=False,
    )
