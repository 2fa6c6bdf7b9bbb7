"""Rows of CSRF tokens, one for each client object."""

from datetime import datetime

from sqlalchemy import bindparam
from sqlalchemy import delete as sql_delete
from sqlalchemy import select as sql_select

from lightwell.contract.csrf import CsrfToken
from lightwell.errors import Defect
from lightwell.kit.ids import new_id
from lightwell.storage.columns import Moment
from lightwell.storage.conflicts import insert_or_replace
from lightwell.storage.tables import csrf_token
from lightwell.storage.transaction import Reader, Transaction

_VALID = sql_select(
    csrf_token.c.id,
    csrf_token.c.created,
    csrf_token.c.updated,
    csrf_token.c.token,
    csrf_token.c.client,
    csrf_token.c.expiration,
).where(csrf_token.c.client == bindparam("name"), csrf_token.c.expiration > bindparam("now", type_=Moment()))
_KEEP = insert_or_replace(csrf_token, ["client"], ["token", "expiration", "updated"])
_DELETE_EXPIRED = sql_delete(csrf_token).where(csrf_token.c.expiration <= bindparam("now", type_=Moment()))


def find(reader: Reader, client: str) -> CsrfToken | None:
    """The token of a client, or None where there is none or it has expired."""
    row = reader.execute(_VALID, {"name": client, "now": reader.now}).one_or_none()
    return None if row is None else CsrfToken.trusted(dict(row._mapping))  # noqa: SLF001 -- SQLAlchemy's public name


def keep(tx: Transaction, client: str, token: str, expiration: datetime) -> CsrfToken:
    """Keep a token for a client, in place of the one that it had; `expiration` lies in the future."""
    row = {"client": client, "token": token, "expiration": expiration, "created": tx.now, "updated": tx.now}
    tx.execute(_KEEP[tx.dialect], {**row, "id": new_id()})
    kept = find(tx, client)
    if kept is None:
        raise Defect("a CSRF token had expired when it was made")
    return kept


def delete_expired(tx: Transaction) -> int:
    """Delete the tokens that have expired; how many there were."""
    return tx.execute(_DELETE_EXPIRED, {"now": tx.now}).rowcount
