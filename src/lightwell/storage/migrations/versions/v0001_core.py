"""The first tables: flows, runs, states, logs, events, limits, and what the server keeps about itself."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from lightwell.storage.columns import Id, Json, Moment, Span, Tags
from lightwell.storage.tables.metadata import Words

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_PARENT_TASK_RUN = "fk_flow_run__parent_task_run_id__task_run"
_TABLES = (
    "flow",
    "work_pool",
    "work_queue",
    "concurrency_limit",
    "concurrency_lease",
    "concurrency_lease_limit",
    "deployment",
    "flow_run",
    "flow_run_state",
    "flow_run_input",
    "task_run",
    "task_run_state",
    "log",
    "event",
    "event_resource",
    "configuration",
    "csrf_token",
    "deleted_flow_run",
)


def upgrade() -> None:
    """Make them."""
    _create_flow()
    _create_work_pool()
    _create_work_queue()
    _create_concurrency_limit()
    _create_concurrency_lease()
    _create_concurrency_lease_limit()
    _create_deployment()
    _create_flow_run()
    _create_flow_run_state()
    _create_flow_run_input()
    _create_task_run()
    _create_task_run_state()
    _create_log()
    _create_event()
    _create_event_resource()
    _create_configuration()
    _create_csrf_token()
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


def _create_flow() -> None:
    op.create_table(
        "flow",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("tags", Tags, nullable=False),
        sa.Column("labels", Json),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow")),
        sa.UniqueConstraint("name", name=op.f("uq_flow__name")),
    )
    op.create_index("ix_flow__created", "flow", ["created"])
    op.create_index("ix_flow__updated", "flow", ["updated"])


def _create_work_pool() -> None:
    op.create_table(
        "work_pool",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("description", Words),
        sa.Column("type", Words, nullable=False),
        sa.Column("base_job_template", Json, nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer()),
        sa.Column("default_queue_id", Id),
        sa.Column("status", Words, nullable=False),
        sa.Column("last_transitioned_status_at", Moment),
        sa.Column("last_status_event_id", Id),
        sa.Column("storage_configuration", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_pool")),
        sa.UniqueConstraint("name", name=op.f("uq_work_pool__name")),
    )
    op.create_index("ix_work_pool__type", "work_pool", ["type"])


def _create_work_queue() -> None:
    op.create_table(
        "work_queue",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("work_pool_id", Id, nullable=False),
        sa.Column("description", Words, nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("concurrency_limit", sa.Integer()),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("filter", Json),
        sa.Column("status", Words, nullable=False),
        sa.Column("last_polled", Moment),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_queue")),
        sa.ForeignKeyConstraint(
            ["work_pool_id"], ["work_pool.id"], name=op.f("fk_work_queue__work_pool_id__work_pool"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("work_pool_id", "name", name=op.f("uq_work_queue__work_pool_id_name")),
    )
    op.create_index("ix_work_queue__work_pool_id_priority", "work_queue", ["work_pool_id", "priority"])


def _create_concurrency_limit() -> None:
    op.create_table(
        "concurrency_limit",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("slot_decay_per_second", sa.Double(), nullable=False),
        sa.Column("avg_slot_occupancy_seconds", sa.Double(), nullable=False),
        sa.Column("loose_slots", sa.Integer(), nullable=False),
        sa.Column("loose_at", Moment, nullable=False),
        sa.Column("denied_slots", sa.Integer(), nullable=False),
        sa.Column("denied_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concurrency_limit")),
        sa.UniqueConstraint("name", name=op.f("uq_concurrency_limit__name")),
    )


def _create_concurrency_lease() -> None:
    op.create_table(
        "concurrency_lease",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("expires", Moment),
        sa.Column("holder_type", Words),
        sa.Column("holder_id", Id),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concurrency_lease")),
    )
    op.create_index("ix_concurrency_lease__expires", "concurrency_lease", ["expires"])
    op.create_index("ix_concurrency_lease__holder_id", "concurrency_lease", ["holder_id"])


def _create_concurrency_lease_limit() -> None:
    op.create_table(
        "concurrency_lease_limit",
        sa.Column("limit_id", Id, nullable=False),
        sa.Column("lease_id", Id, nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("limit_id", "lease_id", name=op.f("pk_concurrency_lease_limit")),
        sa.ForeignKeyConstraint(
            ["lease_id"],
            ["concurrency_lease.id"],
            name=op.f("fk_concurrency_lease_limit__lease_id__concurrency_lease"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["limit_id"],
            ["concurrency_limit.id"],
            name=op.f("fk_concurrency_lease_limit__limit_id__concurrency_limit"),
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_concurrency_lease_limit__lease_id", "concurrency_lease_limit", ["lease_id"])


def _create_deployment() -> None:
    op.create_table(
        "deployment",
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("name", Words, nullable=False),
        sa.Column("flow_id", Id, nullable=False),
        sa.Column("version", Words),
        sa.Column("description", Words),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("status", Words, nullable=False),
        sa.Column("last_polled", Moment),
        sa.Column("work_queue_id", Id),
        sa.Column("work_queue_name", Words),
        sa.Column("concurrency_limit_id", Id),
        sa.Column("concurrency_options", Json),
        sa.Column("tags", Tags, nullable=False),
        sa.Column("labels", Json),
        sa.Column("parameters", Json, nullable=False),
        sa.Column("parameter_openapi_schema", Json),
        sa.Column("enforce_parameter_schema", sa.Boolean(), nullable=False),
        sa.Column("job_variables", Json, nullable=False),
        sa.Column("pull_steps", Json),
        sa.Column("path", Words),
        sa.Column("entrypoint", Words),
        sa.Column("infrastructure_document_id", Id),
        sa.Column("storage_document_id", Id),
        sa.Column("created_by", Json),
        sa.Column("updated_by", Json),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
        sa.ForeignKeyConstraint(
            ["concurrency_limit_id"],
            ["concurrency_limit.id"],
            name=op.f("fk_deployment__concurrency_limit_id__concurrency_limit"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["flow_id"], ["flow.id"], name=op.f("fk_deployment__flow_id__flow"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["work_queue_id"],
            ["work_queue.id"],
            name=op.f("fk_deployment__work_queue_id__work_queue"),
            ondelete="SET NULL",
        ),
        sa.UniqueConstraint("flow_id", "name", name=op.f("uq_deployment__flow_id_name")),
    )
    op.create_index("ix_deployment__concurrency_limit_id", "deployment", ["concurrency_limit_id"])
    op.create_index("ix_deployment__created", "deployment", ["created"])
    op.create_index("ix_deployment__name", "deployment", ["name"])
    _index_tags("deployment")
    op.create_index("ix_deployment__updated", "deployment", ["updated"])
    op.create_index("ix_deployment__work_queue_id", "deployment", ["work_queue_id"])


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
    op.create_index(
        "ix_flow_run__deployment_id",
        "flow_run",
        ["deployment_id", "effective_start_time"],
        postgresql_ops={"effective_start_time": "NULLS FIRST"},
        sqlite_where=sa.text("deployment_id IS NOT NULL"),
        postgresql_where=sa.text("deployment_id IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run__deployment_id_next",
        "flow_run",
        ["deployment_id", "next_scheduled_start_time"],
        sqlite_where=sa.text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=sa.text("next_scheduled_start_time IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run__effective_start_time",
        "flow_run",
        ["effective_start_time"],
        postgresql_ops={"effective_start_time": "NULLS FIRST"},
    )
    op.create_index("ix_flow_run__end_time", "flow_run", ["end_time"], postgresql_ops={"end_time": "NULLS FIRST"})
    op.create_index(
        "ix_flow_run__expected_start_time",
        "flow_run",
        ["expected_start_time"],
        postgresql_ops={"expected_start_time": "NULLS FIRST"},
    )
    op.create_index(
        "ix_flow_run__flow_id",
        "flow_run",
        ["flow_id", "effective_start_time"],
        postgresql_ops={"effective_start_time": "NULLS FIRST"},
    )
    op.create_index("ix_flow_run__name", "flow_run", ["name"])
    op.create_index(
        "ix_flow_run__next_scheduled_start_time",
        "flow_run",
        ["next_scheduled_start_time"],
        sqlite_where=sa.text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=sa.text("next_scheduled_start_time IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run__parent_task_run_id",
        "flow_run",
        ["parent_task_run_id"],
        sqlite_where=sa.text("parent_task_run_id IS NOT NULL"),
        postgresql_where=sa.text("parent_task_run_id IS NOT NULL"),
    )
    op.create_index(
        "ix_flow_run__state_name",
        "flow_run",
        ["state_name", "effective_start_time", "id"],
        postgresql_ops={"effective_start_time": "NULLS FIRST"},
    )
    op.create_index(
        "ix_flow_run__state_type",
        "flow_run",
        ["state_type", "effective_start_time", "id"],
        postgresql_ops={"effective_start_time": "NULLS FIRST"},
    )
    _index_tags("flow_run")
    op.create_index(
        "ix_flow_run__work_queue_id",
        "flow_run",
        ["work_queue_id", "next_scheduled_start_time"],
        sqlite_where=sa.text("work_queue_id IS NOT NULL"),
        postgresql_where=sa.text("work_queue_id IS NOT NULL"),
    )
    op.create_index(
        "uq_flow_run__flow_id_idempotency_key",
        "flow_run",
        ["flow_id", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
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
    op.create_index(
        "ix_task_run__expected_start_time",
        "task_run",
        ["expected_start_time"],
        postgresql_ops={"expected_start_time": "NULLS FIRST"},
    )
    op.create_index(
        "ix_task_run__next_scheduled_start_time",
        "task_run",
        ["next_scheduled_start_time"],
        sqlite_where=sa.text("next_scheduled_start_time IS NOT NULL"),
        postgresql_where=sa.text("next_scheduled_start_time IS NOT NULL"),
    )
    op.create_index(
        "ix_task_run__state_type",
        "task_run",
        ["state_type", "start_time"],
        postgresql_ops={"start_time": "NULLS FIRST"},
    )
    _index_tags("task_run")
    op.create_index(
        "uq_task_run__flow_run_id_task_key_dynamic_key",
        "task_run",
        ["flow_run_id", "task_key", "dynamic_key"],
        unique=True,
    )
    op.create_index(
        "uq_task_run__task_key_dynamic_key",
        "task_run",
        ["task_key", "dynamic_key"],
        unique=True,
        sqlite_where=sa.text("flow_run_id IS NULL"),
        postgresql_where=sa.text("flow_run_id IS NULL"),
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
    op.create_index(
        "ix_task_run_state__cache_key",
        "task_run_state",
        ["cache_key", "timestamp"],
        sqlite_where=sa.text("cache_key IS NOT NULL"),
        postgresql_where=sa.text("cache_key IS NOT NULL"),
    )
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
    op.create_index(
        "ix_log__task_run_id",
        "log",
        ["task_run_id", "timestamp", "id"],
        sqlite_where=sa.text("task_run_id IS NOT NULL"),
        postgresql_where=sa.text("task_run_id IS NOT NULL"),
    )
    op.create_index("ix_log__timestamp", "log", ["timestamp", "id"])


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("id", Id, nullable=False),
        sa.Column("occurred", Moment, nullable=False),
        sa.Column("received", Moment, nullable=False),
        sa.Column("event", Words, nullable=False),
        sa.Column("resource_id", Words, nullable=False),
        sa.Column("resource", Json, nullable=False),
        sa.Column("related", Json, nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("follows", Id),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event__event", "event", ["event", "occurred", "id"])
    op.create_index("ix_event__occurred", "event", ["occurred", "id"])


def _create_event_resource() -> None:
    op.create_table(
        "event_resource",
        sa.Column("resource_id", Words, nullable=False),
        sa.Column("occurred", Moment, nullable=False),
        sa.Column("event_id", Id, nullable=False),
        sa.Column("role", Words, nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "occurred", "event_id", "role", name=op.f("pk_event_resource")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_event_resource__occurred", "event_resource", ["occurred"])


def _create_configuration() -> None:
    op.create_table(
        "configuration",
        sa.Column("key", Words, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("value", Json, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_configuration")),
    )


def _create_csrf_token() -> None:
    op.create_table(
        "csrf_token",
        sa.Column("client", Words, nullable=False),
        sa.Column("id", Id, nullable=False),
        sa.Column("created", Moment, nullable=False),
        sa.Column("updated", Moment, nullable=False),
        sa.Column("token", Words, nullable=False),
        sa.Column("expiration", Moment, nullable=False),
        sa.PrimaryKeyConstraint("client", name=op.f("pk_csrf_token")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_csrf_token__expiration", "csrf_token", ["expiration"])


def _create_deleted_flow_run() -> None:
    op.create_table(
        "deleted_flow_run",
        sa.Column("flow_run_id", Id, nullable=False),
        sa.Column("deleted", Moment, nullable=False),
        sa.PrimaryKeyConstraint("flow_run_id", name=op.f("pk_deleted_flow_run")),
        sqlite_with_rowid=False,
    )
