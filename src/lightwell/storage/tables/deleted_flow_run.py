"""Flow runs that are gone and whose logs are still to go: written by what deletes runs, read in the background."""

from sqlalchemy import Column, Table

from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables.metadata import METADATA

deleted_flow_run = Table(
    "deleted_flow_run",
    METADATA,
    Column("flow_run_id", Id, primary_key=True),
    Column("deleted", Moment, nullable=False),
    sqlite_with_rowid=False,
)
