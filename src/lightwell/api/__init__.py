"""IN, by HTTP: parse, call, return; one module a resource, and `ROUTERS` is the contents page."""

from typing import Final

from fastapi import APIRouter

from lightwell.api import (
    admin,
    concurrency_limits,
    concurrency_limits_v2,
    csrf_token,
    events,
    explanations,
    flow_run_parts,
    flow_run_states,
    flow_runs,
    flows,
    logs,
    root,
    task_run_states,
    task_runs,
    telemetry,
    ui_flow_runs,
    ui_flows,
    ui_task_runs,
)

flow_runs.router.include_router(flow_run_parts.router)
flow_runs.router.include_router(explanations.router)

ROUTERS: Final[dict[str, APIRouter]] = {
    router.prefix: router
    for router in (
        flows.router,
        flow_runs.router,
        task_runs.router,
        flow_run_states.router,
        task_run_states.router,
        logs.router,
        events.router,
        concurrency_limits.router,
        concurrency_limits_v2.router,
        ui_flows.router,
        ui_flow_runs.router,
        ui_task_runs.router,
        csrf_token.router,
        admin.router,
        telemetry.router,
        root.router,
    )
}
"""Every router, by its prefix."""
