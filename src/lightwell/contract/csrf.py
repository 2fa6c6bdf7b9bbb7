"""CSRF tokens."""

from uuid import UUID

from lightwell.contract.model import Instant, Model


class CsrfToken(Model):
    """A token that a client sends with each change, until it expires."""

    id: UUID
    created: Instant | None
    updated: Instant | None
    token: str
    client: str
    expiration: Instant
