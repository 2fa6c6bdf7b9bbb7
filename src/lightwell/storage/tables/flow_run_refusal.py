"""What was proposed for flow runs and refused: the last few refusals of each run, equal ones in a row as one.

`number` counts a run's refusals; its remainder is the `slot`, so that the newest takes the place of the oldest.
"""

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, Table

from lightwell.storage.columns import Id, Moment, TraceId
from lightwell.storage.tables.metadata import METADATA, Words

flow_run_refusal = Table(
    "flow_run_refusal",
    METADATA,
    Column("flow_run_id", Id, ForeignKey("flow_run.id", ondelete="CASCADE"), nullable=False),
    Column("slot", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("first", Moment, nullable=False),
    Column("last", Moment, nullable=False),
    Column("times", Integer, nullable=False),
    Column("from_type", Words),
    Column("proposed_type", Words, nullable=False),
    Column("proposed_name", Words, nullable=False),
    Column("rule", Words, nullable=False),
    Column("verdict", Words, nullable=False),
    Column("reason", Words),
    Column("trace_id", TraceId),
    PrimaryKeyConstraint("flow_run_id", "slot"),
)
