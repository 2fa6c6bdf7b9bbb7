"""`lightwell serve`: the server in this process, or in several that share a PostgreSQL database."""

import gc
import os
import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from lightwell.cli.banner import banner
from lightwell.cli.failures import ASKED_WRONGLY, fail, told_plainly
from lightwell.cli.listen import listen
from lightwell.cli.reach import require, sqlalchemy_url
from lightwell.instrumentation.exposition.spool import spooling
from lightwell.kit.ordered_pongs import OrderedPongProtocol
from lightwell.server import create_app
from lightwell.server.scraping import create_metrics_app, may_be_read, share_metrics
from lightwell.settings import Settings, load
from lightwell.settings.environment import unread
from lightwell.storage.migrations import chain

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_COLLECT_AFTER = (50_000, 20, 50)
_HUNG_AFTER_SECONDS = 60
"""A worker that is silent for so long is replaced. One that starts is silent: on a busy machine for more than the 5 s
after which uvicorn would kill it, to start another one that does not come up either."""


@app.command()
@told_plainly
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on. [default: 4200]")] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes; PostgreSQL only. [default: 1]")] = None,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Serve the API alone.")] = False,
    log_format: Annotated[
        Literal["auto", "json", "console"] | None, typer.Option(help="How log lines are written. [default: auto]")
    ] = None,
) -> None:
    """Start the server; options go before environment variables."""
    options = {"host": host, "port": port, "workers": workers}
    settings = load(
        listen={name: value for name, value in options.items() if value is not None},
        ui={"enabled": False} if no_ui else {},
        telemetry={} if log_format is None else {"log_format": log_format},
    )
    if settings.listen.workers > 1 and settings.database_url.startswith("sqlite"):
        fail("Several workers need PostgreSQL: set LIGHTWELL_DATABASE_URL, or leave out --workers", ASKED_WRONGLY)
    for variable in unread(Settings, os.environ):
        typer.echo(f"lightwell: {variable} is set, and not read by this server; see `lightwell config`", err=True)
    with ExitStack() as held:
        listener = held.enter_context(listen(settings.listen.host, settings.listen.port))
        metrics_listener = _listen_for_metrics(settings, held)
        require(settings)
        chain.prepare(sqlalchemy_url(settings), migrate=settings.database.migrate_on_start)
        run(settings, listener, metrics_listener, _spool(settings, held))


def run(
    settings: Settings,
    listener: socket.socket,
    metrics_listener: socket.socket | None = None,
    spool: Path | None = None,
) -> None:
    """Serve on this socket until a signal comes, and metrics on another one where there is one.

    `spool` is a directory through which several processes know each other's metrics.
    """
    port: int = listener.getsockname()[1]
    metrics_port: int | None = None if metrics_listener is None else metrics_listener.getsockname()[1]
    configuration = configure(settings, metrics_port=metrics_port, spool=spool)
    listeners = [one for one in (listener, metrics_listener) if one is not None]
    greeting = banner(settings, port, metrics_port)
    if settings.listen.workers > 1:
        _Workers(configuration, listeners, greeting).run()
        return
    server = _Server(configuration, greeting)
    with suppress(KeyboardInterrupt):  # raised again by uvicorn, after its clean end
        server.run(sockets=listeners)


def configure(settings: Settings, *, metrics_port: int | None = None, spool: Path | None = None) -> uvicorn.Config:
    """How uvicorn is run: its fast parts, and no logs or headers of its own."""
    return uvicorn.Config(
        Factory(settings, metrics_port, spool),
        factory=True,
        workers=settings.listen.workers,
        loop="uvloop",
        http="httptools",
        ws=OrderedPongProtocol,
        ws_ping_interval=settings.listen.websocket_ping_interval.total_seconds(),
        ws_ping_timeout=settings.listen.websocket_ping_timeout.total_seconds(),
        ws_per_message_deflate=False,  # costs more CPU and memory a connection than the bytes it saves are worth
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=round(settings.listen.keep_alive.total_seconds()),
        timeout_graceful_shutdown=round(settings.listen.shutdown_timeout.total_seconds()),
        timeout_worker_healthcheck=_HUNG_AFTER_SECONDS,
    )


@dataclass(frozen=True, slots=True)
class Factory:
    """Makes the application in the process that serves it; travels to worker processes."""

    settings: Settings
    metrics_port: int | None = None
    spool: Path | None = None

    def __call__(self) -> ASGIApp:
        """Make the application."""
        if self.spool is not None:
            share_metrics(self.settings, self.spool)
        app = Settled(create_app(self.settings))
        metrics = None if self.metrics_port is None else create_metrics_app(self.settings)
        return app if metrics is None else ByPort(app, self.metrics_port, metrics)


class ByPort:
    """Two applications in one server: one for what comes in by its own port, the other for everything else."""

    def __init__(self, app: ASGIApp, port: int | None, app_of_port: ASGIApp) -> None:
        self._app = app
        self._port = port
        self._app_of_port = app_of_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the lifespan."""
        server = scope.get("server")
        is_its_own = scope["type"] != "lifespan" and server is not None and server[1] == self._port
        await (self._app_of_port if is_its_own else self._app)(scope, receive, send)


class Settled:
    """The application, whose garbage collector is told once it has started that what is there by then will stay."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or the lifespan."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def watch(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                _settle()
            await send(message)

        await self._app(scope, receive, watch)


class _Server(uvicorn.Server):
    """uvicorn's server, which says where it is once it can be asked."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None, **kwargs: Any) -> None:
        await super().startup(sockets=sockets, **kwargs)
        if self.started:
            typer.echo(self._greeting)


class _Workers(Multiprocess):
    """uvicorn's supervisor of several servers, which says where they are once all of them can be asked."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], greeting: str) -> None:
        super().__init__(config, sockets)
        self._greeting: str | None = greeting

    def keep_subprocess_alive(self) -> None:
        """Replace workers that have died; called twice a second."""
        super().keep_subprocess_alive()
        if self._greeting is not None and all(worker.is_ready() for worker in self.processes):
            typer.echo(self._greeting)
            self._greeting = None


def _listen_for_metrics(settings: Settings, held: ExitStack) -> socket.socket | None:
    port = settings.telemetry.metrics_port
    if port is None or not may_be_read(settings):
        return None
    if port == settings.listen.port and port:
        fail("LIGHTWELL_TELEMETRY_METRICS_PORT is the API's port: choose another one, or leave it out", ASKED_WRONGLY)
    return held.enter_context(listen(settings.telemetry.metrics_host, port, "LIGHTWELL_TELEMETRY_METRICS_"))


def _spool(settings: Settings, held: ExitStack) -> Path | None:
    if settings.listen.workers == 1 or not may_be_read(settings):
        return None
    try:
        return held.enter_context(spooling())
    except OSError as error:
        fail(f"No place for the metrics of several workers ({error.strerror}): set TMPDIR to a directory for them")


def _settle() -> None:
    # Modules, routes and models are never garbage: collecting past them costs each request 16 to 30 µs. To look once
    # more for what else a start leaves would cost 0.14 s, and find one object in a hundred.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()
