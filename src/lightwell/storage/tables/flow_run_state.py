"""The states that flow runs have been in: the whole history, in the order of their timestamps.

`trace_id` is that of the request or tick that brought the run there, where it was observed.
"""

from sqlalchemy import Column, ForeignKey, Index, Table

from lightwell.storage.columns import Id, Json, Moment, TraceId
from lightwell.storage.tables.metadata import METADATA, Words

flow_run_state = Table(
    "flow_run_state",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("flow_run_id", Id, ForeignKey("flow_run.id", ondelete="CASCADE"), nullable=False),
    Column("timestamp", Moment, nullable=False),
    Column("type", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("message", Words),
    Column("state_details", Json, nullable=False),
    Column("data", Json),
    Column("trace_id", TraceId),
    Index("ix_flow_run_state__flow_run_id", "flow_run_id", "timestamp"),
)
