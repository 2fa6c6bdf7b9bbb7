"""The whole server as one application: the API at `/api`, pages at `/`, and what lives behind them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from lightwell.api import otlp, problems
from lightwell.api.gate import Gate, GateRules
from lightwell.api.routing import prepare_route_index
from lightwell.contract.versions import API_VERSION
from lightwell.instrumentation import metrics
from lightwell.instrumentation.exposition.text import PATH as METRICS_PATH
from lightwell.instrumentation.http import instrument
from lightwell.instrumentation.setup import Telemetry
from lightwell.instrumentation.vocabulary import TRACE_ID_HEADER
from lightwell.server.cache import AppCache
from lightwell.server.keeping import warn_of_unknown_routes
from lightwell.server.rest import NATIVE_TELEMETRY_OFF, create_orion_api
from lightwell.server.runtime import Runtime, telemetry_of
from lightwell.server.scraping import add_metrics
from lightwell.settings import Settings, current_settings, use_settings
from lightwell.ui.landing import LandingPage
from lightwell.ui.static import SPAStaticFiles

APPLICATIONS: Final = AppCache()
metrics.watch_app_cache(APPLICATIONS.__len__)

_ANY: Final = "*"


def create_app(settings: Settings | None = None, *, ignore_cache: bool = False, ephemeral: bool = False) -> FastAPI:
    """The REST API at `/api`, metrics at `/metrics` and the pages at `/`.

    Without `settings`, those of the current context count (`use_settings`), else the environment's. Equal settings and
    the same `ephemeral` give the same application, unless `ignore_cache` asks for a new one. An `ephemeral` one has no
    pages, no metrics to be read and no background loops. Raises SettingsError for an environment that cannot be read.
    """
    chosen = settings or current_settings()
    telemetry = telemetry_of(chosen)
    return APPLICATIONS.get(
        (chosen, ephemeral), lambda: _make(chosen, telemetry, ephemeral=ephemeral), bypass=ignore_cache
    )


def _make(settings: Settings, telemetry: Telemetry, *, ephemeral: bool) -> FastAPI:
    runtime = Runtime(settings, telemetry, ephemeral=ephemeral)
    with use_settings(settings):
        api = create_orion_api()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        prepare_route_index(api)
        async with runtime.serving(app, api):
            yield

    app = FastAPI(
        title="Lightwell",
        version=version("lightwell"),
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=NATIVE_TELEMETRY_OFF,
    )
    if settings.api.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.api.cors_origins,
            allow_methods=settings.api.cors_methods,
            allow_headers=settings.api.cors_headers,
            allow_credentials=_ANY not in settings.api.cors_origins,
            expose_headers=[TRACE_ID_HEADER, "Retry-After"],
        )
    app.mount("/api", api, name="api")
    templates = (f"/api{context.path_format}" for context in iter_route_contexts(api.routes))
    warn_of_unknown_routes(settings.telemetry, templates)
    app.router.routes.append(Route(otlp.PATH, _trace_receiver(settings), name="otlp"))
    if not ephemeral:
        add_metrics(app, settings, telemetry.scrape)
    if settings.ui.enabled and not ephemeral:
        app.mount("/", _pages(settings), name="ui")
    problems.install(app)
    instrument(app, telemetry.tracing, feeds=frozenset({otlp.PATH, METRICS_PATH}))
    return app


def _trace_receiver(settings: Settings) -> Gate:
    """Behind the same gate as the API, but for CSRF tokens: no exporter has one, and no page can send these types."""
    receiver = otlp.TraceReceiver(settings.api.max_request_body, is_on=settings.telemetry.receive_spans)
    secret = settings.api.auth_string
    rules = GateRules(
        least_api_version=settings.api.least_version,
        max_body_size=settings.api.max_request_body,
        auth_string=None if secret is None else secret.get_secret_value(),
        open_paths=frozenset(),
        probe_paths=frozenset({otlp.PATH}),
    )
    return Gate(receiver, rules)


def _pages(settings: Settings) -> LandingPage | SPAStaticFiles:
    directory = settings.ui.directory
    if directory is not None:
        return SPAStaticFiles(directory=directory)
    return LandingPage(
        version=version("lightwell"),
        api_version=API_VERSION,
        api_url=settings.ui.api_url or settings.api.public_url or "/api",
    )
