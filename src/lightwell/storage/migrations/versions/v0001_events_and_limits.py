"""What stands on its own: events, concurrency limits with their leases, and what the server keeps about itself."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from lightwell.storage.columns import Id, Json, Moment
from lightwell.storage.tables.metadata import Words

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TABLES = (
    "concurrency_limit",
    "concurrency_lease",
    "concurrency_lease_limit",
    "event",
    "event_resource",
    "configuration",
    "csrf_token",
)


def upgrade() -> None:
    """Make them."""
    _create_concurrency_limit()
    _create_concurrency_lease()
    _create_concurrency_lease_limit()
    _create_event()
    _create_event_resource()
    _create_configuration()
    _create_csrf_token()


def downgrade() -> None:
    """Drop them, with all they hold."""
    for table in reversed(_TABLES):
        op.drop_table(table)


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
