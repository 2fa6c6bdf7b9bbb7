"""Flows: the names under which runs are grouped."""

from typing import Annotated
from uuid import UUID

from fastapi import Body, Path, Response

from lightwell.api.dependencies import Call, page_size, router_for
from lightwell.api.pages import Page
from lightwell.contract.flows import Flow, FlowBulkDeleted, FlowCreate, FlowPage, FlowUpdate
from lightwell.contract.queries import FlowBulkDelete, FlowFilters, FlowsPageQuery, FlowsQuery
from lightwell.errors import NotFound
from lightwell.operations import flows as operations
from lightwell.storage import flows
from lightwell.storage.filters.related import criteria_of

router = router_for("/flows", "Flows")

FlowId = Annotated[UUID, Path(alias="id", description="The flow's id")]


@router.post("/", responses={201: {"model": Flow, "description": "The flow is new"}})
async def create_flow(flow: FlowCreate, call: Call, response: Response) -> Flow:
    """Make a flow, or find the one of this name."""
    kept, is_new = await call.db.write(operations.create, flow)
    if is_new:
        response.status_code = 201
    return kept


@router.patch("/{id:uuid}", status_code=204)
async def update_flow(flow: FlowUpdate, flow_id: FlowId, call: Call) -> None:
    """Change the members that are sent."""
    await call.db.write(operations.update, flow_id, flow)


@router.post("/count")
async def count_flows(call: Call, query: Annotated[FlowFilters, Body(default_factory=FlowFilters)]) -> int:
    """How many flows match."""
    return await call.db.read(flows.count, **criteria_of(query))


@router.get("/name/{name}")
async def read_flow_by_name(name: Annotated[str, Path(description="The flow's name")], call: Call) -> Flow:
    """The flow of this name."""
    flow = await call.db.read(flows.find_by_name, name)
    if flow is None:
        raise NotFound("flow")
    return flow


@router.get("/{id:uuid}")
async def read_flow(flow_id: FlowId, call: Call) -> Flow:
    """One flow."""
    return await call.db.read(flows.get, flow_id)


@router.post("/filter")
async def read_flows(call: Call, query: Annotated[FlowsQuery, Body(default_factory=FlowsQuery)]) -> list[Flow]:
    """The flows that match."""
    limit = page_size(query.limit, call.here.default_limit)
    return await call.db.read(flows.select, sort=query.sort, limit=limit, offset=query.offset, **criteria_of(query))


@router.delete("/{id:uuid}", status_code=204)
async def delete_flow(flow_id: FlowId, call: Call) -> None:
    """Delete a flow with its runs and deployments."""
    await call.db.write(operations.delete, flow_id)


@router.post("/bulk_delete")
async def bulk_delete_flows(
    call: Call, query: Annotated[FlowBulkDelete, Body(default_factory=FlowBulkDelete)]
) -> FlowBulkDeleted:
    """Delete flows that match, with their runs and deployments."""
    return FlowBulkDeleted(deleted=list(await call.db.write(operations.delete_matching, query.flows, query.limit)))


@router.post("/paginate")
async def paginate_flows(
    call: Call, query: Annotated[FlowsPageQuery, Body(default_factory=FlowsPageQuery)]
) -> FlowPage:
    """One page of the flows that match."""
    page = Page(page_size(query.limit, call.here.default_limit), query.page)
    results, count = await call.db.read(page.read, flows.select, flows.count, query.sort, criteria_of(query))
    return FlowPage(results=results, **page.described(count))
