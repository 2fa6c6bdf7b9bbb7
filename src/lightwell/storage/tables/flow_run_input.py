"""What was sent to a flow run while it runs, by key; the value is text that only the client reads."""

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, Table

from lightwell.storage.columns import Id, Moment
from lightwell.storage.tables.metadata import METADATA, Words

flow_run_input = Table(
    "flow_run_input",
    METADATA,
    Column("flow_run_id", Id, ForeignKey("flow_run.id", ondelete="CASCADE"), nullable=False),
    Column("key", Words, nullable=False),
    Column("id", Id, nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("value", Words, nullable=False),
    Column("sender", Words),
    PrimaryKeyConstraint("flow_run_id", "key"),
)
