"""What runs say."""

from typing import Annotated

from fastapi import APIRouter, Body

from lightwell.api import streams
from lightwell.api.dependencies import Db, ServicesHere, page_size
from lightwell.contract.logs import Log, LogCreate, LogsQuery
from lightwell.errors import Invalid
from lightwell.operations import logs as operations
from lightwell.storage import logs

router = APIRouter(prefix="/logs", tags=["Logs"])
router.add_api_websocket_route("/out", streams.send_logs)


@router.post("/", status_code=201)
async def create_logs(lines: list[LogCreate], db: Db, here: ServicesHere) -> None:
    """Keep lines."""
    if any(len(line.message) > here.max_log_bytes for line in lines):
        message = f"A log message takes at most {here.max_log_bytes} characters."
        raise Invalid(message)
    here.log_stream.publish(await db.write(operations.keep, lines))


@router.post("/filter")
async def read_logs(
    db: Db, here: ServicesHere, query: Annotated[LogsQuery, Body(default_factory=LogsQuery)]
) -> list[Log]:
    """The lines that match."""
    limit = page_size(query.limit, here.default_limit)
    return await db.read(logs.select, query.logs, sort=query.sort, limit=limit, offset=query.offset)
