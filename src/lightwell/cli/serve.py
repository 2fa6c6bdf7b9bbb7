"""`lightwell serve`: the server in this process, or in several that share a PostgreSQL database."""

import gc
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from lightwell.cli.banner import banner
from lightwell.cli.failures import ASKED_WRONGLY, fail, told_plainly
from lightwell.cli.listen import listen
from lightwell.cli.reach import require, sqlalchemy_url
from lightwell.kit.ordered_pongs import OrderedPongProtocol
from lightwell.server import create_app
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
    with listen(settings.listen.host, settings.listen.port) as listener:
        require(settings)
        chain.prepare(sqlalchemy_url(settings), migrate=settings.database.migrate_on_start)
        run(settings, listener)


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve on this socket until a signal comes."""
    configuration = configure(settings)
    port: int = listener.getsockname()[1]
    if settings.listen.workers > 1:
        _Workers(configuration, [listener], banner(settings, port)).run()
        return
    server = _Server(configuration, banner(settings, port))
    with suppress(KeyboardInterrupt):  # raised again by uvicorn, after its clean end
        server.run(sockets=[listener])


def configure(settings: Settings) -> uvicorn.Config:
    """How uvicorn is run: its fast parts, and no logs or headers of its own."""
    return uvicorn.Config(
        Factory(settings),
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

    def __call__(self) -> ASGIApp:
        """Make the application."""
        return Settled(create_app(self.settings))


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


def _settle() -> None:
    # Modules, routes and models are never garbage: collecting past them costs each request 16 to 30 µs. To look once
    # more for what else a start leaves would cost 0.14 s, and find one object in a hundred.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()
