"""What explains a flow run: the trace of each state, and what was refused."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from lightwell.storage.columns import Id, Moment, TraceId
from lightwell.storage.tables.metadata import Words

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Make them."""
    op.add_column("flow_run_state", sa.Column("trace_id", TraceId))
    op.create_table(
        "flow_run_refusal",
        sa.Column("flow_run_id", Id, nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first", Moment, nullable=False),
        sa.Column("last", Moment, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("from_type", Words),
        sa.Column("proposed_type", Words, nullable=False),
        sa.Column("proposed_name", Words, nullable=False),
        sa.Column("rule", Words, nullable=False),
        sa.Column("verdict", Words, nullable=False),
        sa.Column("reason", Words),
        sa.Column("trace_id", TraceId),
        sa.PrimaryKeyConstraint("flow_run_id", "slot", name=op.f("pk_flow_run_refusal")),
        sa.ForeignKeyConstraint(
            ["flow_run_id"],
            ["flow_run.id"],
            name=op.f("fk_flow_run_refusal__flow_run_id__flow_run"),
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("flow_run_refusal")
    op.drop_column("flow_run_state", "trace_id")
