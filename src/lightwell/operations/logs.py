"""Keeping what runs say."""

from collections.abc import Sequence

from lightwell.contract.logs import Log, LogCreate
from lightwell.instrumentation.operation import operation
from lightwell.storage import logs
from lightwell.storage.transaction import Transaction


@operation
def keep(tx: Transaction, lines: Sequence[LogCreate]) -> list[Log]:
    """Keep lines in the order in which they come; the lines as they are kept."""
    return logs.insert(tx, lines)
