"""Identifiers that sort by the time they were made."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562 section 5.7): unique, and ordered by creation time to the millisecond."""
    return uuid7()
