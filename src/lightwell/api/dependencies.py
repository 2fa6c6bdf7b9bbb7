"""What endpoints ask for beside the request: the database, and the few values that the composition root gives the API."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Header
from starlette.requests import HTTPConnection

from lightwell.contract.flow_runs import CreatedBy
from lightwell.contract.logs import Log
from lightwell.contract.settings import Settings
from lightwell.errors import Invalid
from lightwell.events.broadcast import Broadcast
from lightwell.events.facts import Fact
from lightwell.kit.clock import Clock
from lightwell.orchestration.transition import Tuning
from lightwell.storage.database import Database


class LoopHealth(Protocol):
    """What readiness asks of the loops."""

    def stale(self) -> list[str]:
        """The names of loops whose last success is too long ago."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All that the API needs from the process it runs in; `app.state.services` holds it while the server runs."""

    database: Database
    clock: Clock
    loops: LoopHealth
    tuning: Tuning
    default_limit: int
    """The size of a page that names none, and the largest one."""
    max_event_page: int
    event_backfill: timedelta
    event_backfill_page: int
    max_event_bytes: int
    max_log_bytes: int
    max_graph_nodes: int
    csrf_token_lifetime: timedelta | None
    """None where CSRF protection is off."""
    auth_string: str | None = field(repr=False)
    """What a websocket must present; None where the API is open."""
    event_stream: Broadcast[Fact]
    log_stream: Broadcast[Log]
    settings_view: Settings
    """What `GET /admin/settings` answers."""


def services(connection: HTTPConnection) -> Services:
    """The services of the running server."""
    found: Services = connection.app.state.services
    return found


async def _services(connection: HTTPConnection) -> Services:
    return services(connection)


async def _database(connection: HTTPConnection) -> Database:
    return services(connection).database


ServicesHere = Annotated[Services, Depends(_services)]
Db = Annotated[Database, Depends(_database)]


async def _creator(
    prefect_automation_id: Annotated[UUID | None, Header(include_in_schema=False)] = None,
    prefect_automation_name: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> CreatedBy | None:
    if prefect_automation_id is None or not prefect_automation_name:
        return None
    try:
        name = base64.b64decode(prefect_automation_name, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return CreatedBy(id=prefect_automation_id, type="AUTOMATION", display_value=name)


Creator = Annotated[CreatedBy | None, Depends(_creator)]
"""Who makes an object, where a server-side action says so."""

_USER_AGENT = re.compile(r"prefect/(\d+\.\d+\.\d+\S*) \(API \S+\)")


async def _client_version(user_agent: Annotated[str | None, Header(include_in_schema=False)] = None) -> str | None:
    match = _USER_AGENT.fullmatch(user_agent) if user_agent else None
    return match.group(1) if match else None


ClientVersion = Annotated[str | None, Depends(_client_version)]
"""The version of the prefect client that calls, where it says so."""


def page_size(limit: int | None, most: int) -> int:
    """How many objects a page has; raises Invalid in the contract's words."""
    if limit is None:
        return most
    if limit < 0:
        message = "Invalid limit: must be greater than or equal to 0."
        raise Invalid(message)
    if limit > most:
        message = f"Invalid limit: must be less than or equal to {most}."
        raise Invalid(message)
    return limit
