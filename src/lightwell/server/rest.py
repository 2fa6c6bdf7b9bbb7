"""The REST API as an application of its own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig

from lightwell.api import ROUTERS, problems
from lightwell.api.compression import Gzip
from lightwell.api.departure import CancelOnDeparture
from lightwell.api.gate import Gate
from lightwell.api.routing import install_route_index, prepare_route_index
from lightwell.contract.versions import API_VERSION, SERVER_VERSION
from lightwell.instrumentation.http import instrument
from lightwell.server.runtime import Runtime, gate_rules, telemetry_of
from lightwell.settings import current_settings

NATIVE_TELEMETRY_OFF: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
"""FastAPI's own: with it every request would give two server spans in two traces."""

_SMALLEST_GZIPPED = 500

RouterOverrides = Mapping[str, APIRouter | None]


def create_orion_api(
    router_prefix: str = "",
    dependencies: Sequence[Depends] | None = None,
    health_check_path: str = "/health",
    fast_api_app_kwargs: Mapping[str, Any] | None = None,
    router_overrides: RouterOverrides | None = None,
    *,
    version_check_path: str = "/version",
) -> FastAPI:
    """The REST API alone, with the current settings: to be served by itself, or to be mounted by `create_app`.

    `dependencies` apply to every router, beside the check of the API version, which applies to every path.
    `router_overrides` maps the prefix of a router to the one that takes its place, or to None to leave it out.

    Raises KeyError for a prefix that no router has; ValueError for a router with another prefix, or without one of the
    operations of the router it replaces.
    """
    routers = _overridden(router_overrides or {})
    settings = current_settings()
    telemetry = telemetry_of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Not run where the application is mounted: what is around it has a runtime then.
        prepare_route_index(app)
        async with Runtime(settings, telemetry).serving(app):
            yield

    app = FastAPI(
        **{
            "lifespan": lifespan,
            "title": "Lightwell REST API",
            "version": SERVER_VERSION,
            "strict_content_type": False,
            "responses": problems.RESPONSES,
            "telemetry": NATIVE_TELEMETRY_OFF,
            **(fast_api_app_kwargs or {}),
        }
    )
    _add_probes(app, health_check_path, version_check_path)
    for router in routers:
        app.include_router(router, prefix=router_prefix, dependencies=list(dependencies or ()))
    rules = gate_rules(
        app,
        settings,
        open_paths=frozenset({health_check_path, f"{router_prefix}/ready"}),
        probe_paths=frozenset({health_check_path, version_check_path}),
    )
    # The last one added is the outermost.
    app.add_middleware(Gzip, smallest=_SMALLEST_GZIPPED)
    app.add_middleware(Gate, rules=rules)
    app.add_middleware(CancelOnDeparture)
    problems.install(app)
    install_route_index(app)
    instrument(app, telemetry.tracing)
    return app


create_api_app = create_orion_api
"""The newer name of `create_orion_api`."""


def _add_probes(app: FastAPI, health_check_path: str, version_check_path: str) -> None:
    async def health_check() -> bool:
        return True

    async def server_version() -> str:
        return API_VERSION

    for path, endpoint in ((health_check_path, health_check), (version_check_path, server_version)):
        app.add_api_route(path, endpoint, methods=["GET"], tags=["Root"], responses=problems.RESPONSE_MODELS)


def _overridden(overrides: RouterOverrides) -> list[APIRouter]:
    unknown = [prefix for prefix in overrides if prefix not in ROUTERS]
    if unknown:
        raise KeyError(", ".join(repr(prefix) for prefix in unknown))
    routers: list[APIRouter] = []
    for prefix, default in ROUTERS.items():
        replacement = overrides.get(prefix, default)
        if replacement is None:
            continue
        if replacement is not default:
            _check_replacement(prefix, default, replacement)
        routers.append(replacement)
    return routers


def _check_replacement(prefix: str, default: APIRouter, replacement: APIRouter) -> None:
    if replacement.prefix != prefix:
        message = f"The router for {prefix!r} has the prefix {replacement.prefix!r}"
        raise ValueError(message)
    missing = sorted(_operations(default) - _operations(replacement))
    if missing:
        message = f"The router for {prefix!r} lacks {', '.join(missing)}"
        raise ValueError(message)


def _operations(router: APIRouter) -> set[str]:
    return {
        f"{method} {context.path_format}"
        for context in iter_route_contexts(router.routes)
        for method in context.methods or {"WEBSOCKET"}
    }
