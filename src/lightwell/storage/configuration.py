"""Values that the server keeps about itself, by key."""

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select

from lightwell.kit.ids import new_id
from lightwell.storage.conflicts import insert_if_absent, insert_or_replace
from lightwell.storage.tables import configuration
from lightwell.storage.transaction import Reader, Transaction

_VALUE = sql_select(configuration.c.value).where(configuration.c.key == bindparam("name"))
_KEEP = insert_or_replace(configuration, ["key"], ["value", "updated"])
_INSERT = insert_if_absent(configuration)
_DELETE = sql_delete(configuration).where(configuration.c.key == bindparam("name"))


def find(reader: Reader, key: str) -> Any:
    """The value under a key, or None."""
    return reader.execute(_VALUE, {"name": key}).scalar_one_or_none()


def keep(tx: Transaction, key: str, value: Any) -> None:
    """Keep a JSON value under a key, in place of the one that was there."""
    tx.execute(_KEEP[tx.dialect], _row(tx, key, value))


def find_or_keep(tx: Transaction, key: str, value: Any) -> Any:
    """The value under a key, which is this one if there was none: several processes agree on one."""
    tx.execute(_INSERT[tx.dialect], _row(tx, key, value))
    return find(tx, key)


def delete(tx: Transaction, key: str) -> None:
    """Forget the value under a key, if there is one."""
    tx.execute(_DELETE, {"name": key})


def _row(tx: Transaction, key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "id": new_id(), "created": tx.now, "updated": tx.now, "value": value}
