"""Keeping what runs say."""

from collections.abc import Sequence

from lightwell.contract.logs import Log, LogCreate
from lightwell.instrumentation.annotations import annotate
from lightwell.instrumentation.operation import operation
from lightwell.storage import logs
from lightwell.storage.transaction import Transaction


@operation
def keep(tx: Transaction, lines: Sequence[LogCreate]) -> list[Log]:
    """Keep lines in the order in which they come; the lines as they are kept."""
    for flow_run_id in {line.flow_run_id for line in lines}:
        annotate(flow_run_id=flow_run_id)
    return logs.insert(tx, lines)
