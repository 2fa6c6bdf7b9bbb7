"""What runs say."""

from typing import Annotated

from fastapi import Body

from lightwell.api import streams
from lightwell.api.dependencies import Call, page_size, router_for
from lightwell.contract.logs import Log, LogCreate, LogsQuery
from lightwell.errors import Invalid
from lightwell.operations import logs as operations
from lightwell.storage import logs

router = router_for("/logs", "Logs")
router.add_api_websocket_route("/out", streams.send_logs)


@router.post("/", status_code=201)
async def create_logs(lines: list[LogCreate], call: Call) -> None:
    """Keep lines."""
    if any(len(line.message) > call.here.max_log_length for line in lines):
        message = f"A log message takes at most {call.here.max_log_length} characters."
        raise Invalid(message)
    call.here.publish_logs(await call.db.write(operations.keep, lines))


@router.post("/filter")
async def read_logs(call: Call, query: Annotated[LogsQuery, Body(default_factory=LogsQuery)]) -> list[Log]:
    """The lines that match."""
    limit = page_size(query.limit, call.here.default_limit)
    return await call.db.read(logs.select, query.logs, sort=query.sort, limit=limit, offset=query.offset)
