"""Deployments: how and where a flow is run by others; one of a name for each flow."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, UniqueConstraint

from lightwell.storage.columns import Id, Json, Moment, Tags
from lightwell.storage.tables.metadata import METADATA, Words, tags_index

deployment = Table(
    "deployment",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("name", Words, nullable=False),
    Column("flow_id", Id, ForeignKey("flow.id", ondelete="CASCADE"), nullable=False),
    Column("version", Words),
    Column("description", Words),
    Column("paused", Boolean, nullable=False),
    Column("status", Words, nullable=False),
    Column("last_polled", Moment),
    Column("work_queue_id", Id, ForeignKey("work_queue.id", ondelete="SET NULL")),
    Column("work_queue_name", Words),
    Column("concurrency_limit_id", Id, ForeignKey("concurrency_limit.id", ondelete="SET NULL")),
    Column("concurrency_options", Json),
    Column("tags", Tags, nullable=False),
    Column("labels", Json),
    Column("parameters", Json, nullable=False),
    Column("parameter_openapi_schema", Json),
    Column("enforce_parameter_schema", Boolean, nullable=False),
    Column("job_variables", Json, nullable=False),
    Column("pull_steps", Json),
    Column("path", Words),
    Column("entrypoint", Words),
    Column("infrastructure_document_id", Id),
    Column("storage_document_id", Id),
    Column("created_by", Json),
    Column("updated_by", Json),
    UniqueConstraint("flow_id", "name"),
    Index("ix_deployment__created", "created"),
    Index("ix_deployment__updated", "updated"),
    Index("ix_deployment__name", "name"),
    Index("ix_deployment__work_queue_id", "work_queue_id"),
    Index("ix_deployment__concurrency_limit_id", "concurrency_limit_id"),
    tags_index("ix_deployment__tags", "tags"),
)
