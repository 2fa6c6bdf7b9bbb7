"""Where metrics can be read: on the API's port, or as an application for a port of its own."""

from pathlib import Path

from fastapi import FastAPI

from lightwell.api import problems
from lightwell.api.metrics import Read, metrics_route
from lightwell.instrumentation import environment
from lightwell.instrumentation.exposition.scrape import Scrape
from lightwell.instrumentation.exposition.spool import Spool
from lightwell.instrumentation.exposition.text import PATH
from lightwell.instrumentation.http import instrument
from lightwell.server.rest import NATIVE_TELEMETRY_OFF
from lightwell.server.runtime import telemetry_of
from lightwell.settings import Settings


def may_be_read(settings: Settings) -> bool:
    """Whether a server with these settings lets its metrics be read."""
    return settings.telemetry.enabled and settings.telemetry.metrics and environment.may_be_scraped()


def add_metrics(app: FastAPI, settings: Settings, scrape: Scrape | None) -> None:
    """Serve `/metrics` beside the API, with the API's credentials, unless it has a port of its own or is off."""
    if scrape is None or not settings.telemetry.metrics or settings.telemetry.metrics_port is not None:
        return
    secret = settings.api.auth_string
    app.router.routes.append(metrics_route(_reading(scrape), None if secret is None else secret.get_secret_value()))


def create_metrics_app(settings: Settings) -> FastAPI | None:
    """`/metrics` alone, for a port of its own, without credentials; None where there are no metrics to be read."""
    telemetry = telemetry_of(settings)
    if telemetry.scrape is None:
        return None
    app = FastAPI(
        title="Lightwell metrics", openapi_url=None, docs_url=None, redoc_url=None, telemetry=NATIVE_TELEMETRY_OFF
    )
    app.router.routes.append(metrics_route(_reading(telemetry.scrape)))
    problems.install(app)
    instrument(app, telemetry.tracing, frozenset({PATH}))
    return app


def share_metrics(settings: Settings, directory: Path) -> None:
    """Let whichever process of the server is asked for metrics answer for all that share this directory."""
    scrape = telemetry_of(settings).scrape
    if scrape is not None:
        scrape.share(Spool(directory))


def _reading(scrape: Scrape) -> Read:
    return lambda openmetrics: scrape.text(openmetrics=openmetrics)
