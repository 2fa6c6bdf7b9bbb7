"""What belongs to one flow run: its graph, inputs, labels and log."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Body, Path, Query
from starlette.responses import PlainTextResponse, StreamingResponse

from lightwell.api.dependencies import Call, router_for
from lightwell.api.flow_runs import FlowRunId
from lightwell.contract.flow_run_inputs import FlowRunInput, FlowRunInputCreate, FlowRunInputQuery
from lightwell.contract.graphs import Dependency, Graph
from lightwell.contract.logs import Log
from lightwell.contract.model import Instant
from lightwell.contract.values import Labels
from lightwell.operations import flow_run_inputs as input_operations
from lightwell.operations import flow_runs as operations
from lightwell.storage import flow_run_graphs, flow_run_inputs, flow_runs, logs
from lightwell.storage.database import Database

router = router_for("")

InputKey = Annotated[str, Path(alias="key", description="The input's key")]

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_LINES_AT_ONCE = 1000
_CSV_HEAD = ("timestamp", "level", "flow_run_id", "task_run_id", "message")


@router.get("/{id:uuid}/graph", tags=["Flow Run Graph"])
async def read_flow_run_graph_v1(flow_run_id: FlowRunId, call: Call) -> list[Dependency]:
    """The task runs of a flow run, with what each waited for."""
    return await call.db.read(flow_run_graphs.dependencies, flow_run_id)


@router.get("/{id:uuid}/graph-v2", tags=["Flow Run Graph"])
async def read_flow_run_graph_v2(
    flow_run_id: FlowRunId,
    call: Call,
    since: Annotated[Instant, Query(description="Only what started or ended after this instant")] = _BEGINNING,
) -> Graph:
    """The graph of the task runs and subflows of a flow run."""
    return await call.db.read(flow_run_graphs.graph, flow_run_id, since=since, most_nodes=call.here.max_graph_nodes)


@router.post("/{id:uuid}/input", status_code=201)
async def create_flow_run_input(sent: FlowRunInputCreate, flow_run_id: FlowRunId, call: Call) -> None:
    """Send an input to a run."""
    await call.db.write(input_operations.send, flow_run_id, sent)


@router.post("/{id:uuid}/input/filter")
async def filter_flow_run_input(query: FlowRunInputQuery, flow_run_id: FlowRunId, call: Call) -> list[FlowRunInput]:
    """The inputs of a run whose keys begin so, oldest first."""
    return list(
        await call.db.read(
            flow_run_inputs.select,
            flow_run_id,
            prefix=query.prefix,
            limit=query.limit,
            exclude_keys=query.exclude_keys,
        )
    )


@router.get(
    "/{id:uuid}/input/{key}",
    response_model=None,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def read_flow_run_input(flow_run_id: FlowRunId, key: InputKey, call: Call) -> PlainTextResponse:
    """One input, as it was sent."""
    kept = await call.db.read(flow_run_inputs.get, flow_run_id, key)
    return PlainTextResponse(kept.value)


@router.delete("/{id:uuid}/input/{key}", status_code=204)
async def delete_flow_run_input(flow_run_id: FlowRunId, key: InputKey, call: Call) -> None:
    """Delete an input."""
    await call.db.write(input_operations.delete, flow_run_id, key)


@router.patch("/{id:uuid}/labels", status_code=204)
async def update_flow_run_labels(
    flow_run_id: FlowRunId, labels: Annotated[Labels, Body(description="Labels to add or to replace")], call: Call
) -> None:
    """Add labels, or replace those of the same key."""
    await call.db.write(operations.patch_labels, flow_run_id, labels)


@router.get(
    "/{id:uuid}/logs/download",
    response_model=None,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def download_logs(flow_run_id: FlowRunId, call: Call) -> StreamingResponse:
    """The whole log of a run as CSV, oldest line first."""
    run = await call.db.read(flow_runs.read, flow_run_id)
    name = quote(f"{run.name}-logs.csv", safe="")
    return StreamingResponse(
        _csv(call.db, flow_run_id),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename=\"flow-run-logs.csv\"; filename*=UTF-8''{name}"},
    )


async def _csv(db: Database, flow_run_id: UUID) -> AsyncIterator[str]:
    yield _rows([_CSV_HEAD])
    last: Log | None = None
    while True:
        after = None if last is None else (last.timestamp, last.id)
        lines = await db.read(logs.select_after, flow_run_id, after=after, limit=_LINES_AT_ONCE)
        if not lines:
            return
        yield _rows(
            [(line.timestamp, line.level, line.flow_run_id, line.task_run_id or "", line.message) for line in lines]
        )
        last = lines[-1]


def _rows(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
