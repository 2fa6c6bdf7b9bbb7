"""The token that each client object must send with its changes, where that protection is on."""

from sqlalchemy import Column, Index, Table

from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables.metadata import METADATA, Words

csrf_token = Table(
    "csrf_token",
    METADATA,
    Column("client", Words, primary_key=True),
    Column("id", Id, nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("token", Words, nullable=False),
    Column("expiration", Moment, nullable=False),
    Index("ix_csrf_token__expiration", "expiration"),
    sqlite_with_rowid=False,
)
