"""Work pools: where workers look for flow runs to start.

`default_queue_id` is no foreign key: pool and queue would each have to be there before the other.
"""

from sqlalchemy import Boolean, Column, Index, Integer, Table, UniqueConstraint

from lightwell.storage.columns import Id, Json, Moment
from lightwell.storage.tables.metadata import METADATA, Words

work_pool = Table(
    "work_pool",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("description", Words),
    Column("type", Words, nullable=False),
    Column("base_job_template", Json, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("concurrency_limit", Integer),
    Column("default_queue_id", Id),
    Column("status", Words, nullable=False),
    Column("last_transitioned_status_at", Moment),
    Column("last_status_event_id", Id),
    Column("storage_configuration", Json, nullable=False),
    UniqueConstraint("name"),
    Index("ix_work_pool__type", "type"),
)
