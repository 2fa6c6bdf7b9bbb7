"""Tokens that show that a change comes from who may make it."""

import secrets
from datetime import timedelta

from lightwell.contract.csrf import CsrfToken
from lightwell.instrumentation.operation import operation
from lightwell.storage import csrf_tokens
from lightwell.storage.transaction import Transaction

_TOKEN_BYTES = 32


@operation
def issue(tx: Transaction, client: str, lifetime: timedelta) -> CsrfToken:
    """A new token for a client, in place of the one that it had."""
    csrf_tokens.delete_expired(tx)
    return csrf_tokens.keep(tx, client, secrets.token_hex(_TOKEN_BYTES), tx.now + lifetime)
