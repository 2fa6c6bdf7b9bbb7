"""The tables: one module each, all of them in `METADATA`; rows never leave `storage`.

What a column is in either database: `storage/columns.py`. What makes the tables: `storage/migrations/`.
"""

from lightwell.storage.tables.concurrency_lease import concurrency_lease, concurrency_lease_limit
from lightwell.storage.tables.concurrency_limit import concurrency_limit
from lightwell.storage.tables.configuration import configuration
from lightwell.storage.tables.csrf_token import csrf_token
from lightwell.storage.tables.deleted_flow_run import deleted_flow_run
from lightwell.storage.tables.deployment import deployment
from lightwell.storage.tables.event import event
from lightwell.storage.tables.event_resource import event_resource
from lightwell.storage.tables.flow import flow
from lightwell.storage.tables.flow_run import flow_run
from lightwell.storage.tables.flow_run_input import flow_run_input
from lightwell.storage.tables.flow_run_refusal import flow_run_refusal
from lightwell.storage.tables.flow_run_state import flow_run_state
from lightwell.storage.tables.log import log
from lightwell.storage.tables.metadata import METADATA
from lightwell.storage.tables.task_run import task_run
from lightwell.storage.tables.task_run_state import task_run_state
from lightwell.storage.tables.work_pool import work_pool
from lightwell.storage.tables.work_queue import work_queue

__all__ = [
    "METADATA",
    "concurrency_lease",
    "concurrency_lease_limit",
    "concurrency_limit",
    "configuration",
    "csrf_token",
    "deleted_flow_run",
    "deployment",
    "event",
    "event_resource",
    "flow",
    "flow_run",
    "flow_run_input",
    "flow_run_refusal",
    "flow_run_state",
    "log",
    "task_run",
    "task_run_state",
    "work_pool",
    "work_queue",
]
