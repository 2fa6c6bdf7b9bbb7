"""Who holds slots of which limits, and until when; one without an end holds until it is released."""

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table

from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables.metadata import METADATA, Words

concurrency_lease = Table(
    "concurrency_lease",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("holder_type", Words),
    Column("holder_id", Id),
    Index("ix_concurrency_lease__expires", "expires"),
    Index("ix_concurrency_lease__holder_id", "holder_id"),
)

concurrency_lease_limit = Table(
    "concurrency_lease_limit",
    METADATA,
    Column("limit_id", Id, ForeignKey("concurrency_limit.id", ondelete="CASCADE"), nullable=False),
    Column("lease_id", Id, ForeignKey("concurrency_lease.id", ondelete="CASCADE"), nullable=False),
    Column("slots", Integer, nullable=False),
    PrimaryKeyConstraint("limit_id", "lease_id"),
    Index("ix_concurrency_lease_limit__lease_id", "lease_id"),
    sqlite_with_rowid=False,
)
