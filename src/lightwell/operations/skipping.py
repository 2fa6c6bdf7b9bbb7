"""Going on with the others when one of many cannot be done."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lightwell.errors import Rejected
from lightwell.storage.transaction import Transaction


@contextmanager
def skipped_if_rejected(tx: Transaction) -> Iterator[None]:
    """One of many: what is Rejected takes back its own rows and facts, and the rest goes on."""
    with suppress(Rejected), tx.nested():
        yield
