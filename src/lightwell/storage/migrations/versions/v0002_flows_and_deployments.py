"""What is run and where: flows, work pools with their queues, and deployments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from lightwell.storage.columns import Id, Json, Moment, Tags
from lightwell.storage.tables.metadata import Words

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TABLES = (
    "flow",
    "work_pool",
    "work_queue",
    "deployment",
)


def upgrade() -> None:
    """Make them."""
    _create_flow()
    _create_work_pool()
    _create_work_queue()
    _create_deployment()
    _index_deployment()


def downgrade() -> None:
    """Drop them, with all they hold."""
    for table in reversed(_TABLES):
        op.drop_table(table)


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


def _index_deployment() -> None:
    op.create_index("ix_deployment__concurrency_limit_id", "deployment", ["concurrency_limit_id"])
    op.create_index("ix_deployment__created", "deployment", ["created"])
    op.create_index("ix_deployment__name", "deployment", ["name"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_deployment__tags", "deployment", ["tags"], postgresql_using="gin")
    op.create_index("ix_deployment__updated", "deployment", ["updated"])
    op.create_index("ix_deployment__work_queue_id", "deployment", ["work_queue_id"])
