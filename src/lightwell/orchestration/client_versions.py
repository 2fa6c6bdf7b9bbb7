"""What a client can do, by its version; clients say it in their User-Agent."""

import re
from functools import lru_cache

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(.*)", re.DOTALL)
_FIRST_THAT_RENEWS = (3, 4, 11)
_WORKERS_THAT_TAKE_SLOTS_THEMSELVES = frozenset({"3.0.0rc20", "3.0.0", "3.0.1", "3.0.2", "3.0.3"})


@lru_cache(maxsize=256)
def renews_leases(version: str | None) -> bool:
    """Whether the client keeps the lease of its deployment slot alive; an unknown client does not."""
    match = _VERSION.fullmatch(version or "")
    if match is None:
        return False
    release, suffix = tuple(int(part) for part in match.groups()[:3]), match[4]
    is_final = not suffix or suffix.startswith(("+", ".post"))
    return release > _FIRST_THAT_RENEWS or (is_final and release == _FIRST_THAT_RENEWS)


def takes_deployment_slots_itself(version: str | None) -> bool:
    """Whether the worker increments its deployment's limit before it proposes Pending, so that we must not."""
    return version in _WORKERS_THAT_TAKE_SLOTS_THEMSELVES
