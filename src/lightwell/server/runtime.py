"""What lives while an application is served, started and stopped together: database, bus, streams and loops."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI

from lightwell.api.dependencies import LoopHealth, Services
from lightwell.api.gate import GateRules, TokenCheck
from lightwell.events.bus import Bus
from lightwell.instrumentation import business, vocabulary
from lightwell.instrumentation.apart import fail_apart
from lightwell.instrumentation.event_loop import LoopLag
from lightwell.instrumentation.facts import count_facts
from lightwell.instrumentation.setup import Telemetry, configure
from lightwell.kit.clock import Clock, SystemClock
from lightwell.kit.token_bucket import TokenBucket
from lightwell.loops import loops_of
from lightwell.loops.runner import Runner
from lightwell.orchestration.explanations.situation import Expectations
from lightwell.orchestration.transition import Tuning
from lightwell.server.admin_view import settings_view
from lightwell.server.keeping import policy_of
from lightwell.server.streams import Streams
from lightwell.server.trace_store import trace_store
from lightwell.settings import Settings
from lightwell.storage import csrf_tokens
from lightwell.storage.database import Database, open_database, parsed
from lightwell.storage.events import store_facts
from lightwell.storage.migrations import chain
from lightwell.telemetry.store import TraceStore


class Runtime:
    """The living parts of one application.

    Entering `serving` a second time while it is served joins what runs; the last to leave stops it. Both must be of one
    event loop.
    """

    def __init__(self, settings: Settings, telemetry: Telemetry, *, ephemeral: bool = False) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._ephemeral = ephemeral
        self._clock: Clock = SystemClock()
        self._guests = 0
        self._gate = asyncio.Lock()
        self._database: Database | None = None
        self._streams: Streams | None = None
        self._runner: Runner | None = None
        self._lag = LoopLag()
        self._forget: Callable[[], None] | None = None
        self._traces: TraceStore | None = None
        self.services: Services | None = None

    @asynccontextmanager
    async def serving(self, *apps: FastAPI) -> AsyncIterator[None]:
        """Start what is not running, give the applications their services, and stop at the end."""
        async with self._gate:
            if self._guests == 0:
                self.services = await self._start()
            self._guests += 1
        for app in apps:
            app.state.services = self.services
        try:
            yield
        finally:
            async with self._gate:
                self._guests -= 1
                if self._guests == 0:
                    await self._stop()

    async def _start(self) -> Services:
        settings = self._settings
        url = settings.database_url
        _make_home(url)
        bus = Bus(on_failure=self._subscriber_failed)
        database = open_database(
            url,
            clock=self._clock,
            bus=bus,
            store_facts=store_facts,
            synchronous=settings.database.synchronous,
            readers=settings.database.readers,
            pool_size=settings.database.pool_size,
            queue_limit=settings.database.queue_limit,
            queue_timeout=settings.database.queue_timeout.total_seconds(),
            statement_timeout=settings.database.statement_timeout.total_seconds(),
            lock_timeout=settings.database.lock_timeout.total_seconds(),
            connect_timeout=settings.database.connect_timeout.total_seconds(),
        )
        await asyncio.to_thread(chain.prepare, parsed(url), migrate=settings.database.migrate_on_start)
        await database.start()
        self._database = database
        self._streams = Streams(database, parsed(url))
        await self._streams.start()
        self._watch(database, self._streams)
        bus.subscribe(count_facts)
        bus.subscribe(self._streams.publish_facts)
        loops = [] if self._ephemeral else loops_of(settings.loops, self._tuning())
        self._runner = Runner(loops, database, self._clock, self._telemetry.ticks)
        self._runner.start()
        self._traces = self._start_traces()
        return self._services(database, self._runner, self._streams, self._traces)

    def _watch(self, database: Database, streams: Streams) -> None:
        backlogs = {"events": lambda: streams.events.backlog, "logs": lambda: streams.logs.backlog}
        self._forget = business.watch(load=lambda: database.load, streams=backlogs, home=self._settings.home)
        self._lag.start()

    async def _stop(self) -> None:
        self._lag.stop()
        if self._forget is not None:
            self._forget()
        if self._runner is not None:
            await self._runner.stop()
        if self._streams is not None:
            await self._streams.stop()
        if self._database is not None:
            await self._database.stop()
        traces = self._traces
        self._database = self._streams = self._runner = self._traces = self.services = None
        deadline = self._settings.telemetry.flush_timeout.total_seconds()
        closing = [asyncio.to_thread(self._telemetry.flush, deadline)]
        if traces is not None:
            self._telemetry.remove_sink(traces)
            closing.append(asyncio.to_thread(traces.close, deadline))
        await asyncio.gather(*closing)

    def _start_traces(self) -> TraceStore | None:
        if not self._telemetry.is_live:
            return None
        traces = trace_store(self._settings, ephemeral=self._ephemeral)
        if traces is not None:
            traces.start()
            self._telemetry.add_sink(traces)
        return traces

    def _subscriber_failed(self, error: BaseException) -> None:
        fail_apart(self._telemetry.tracing, error, vocabulary.SUBSCRIBER_FAILED, name="bus")

    def _tuning(self) -> Tuning:
        settings = self._settings
        return Tuning(
            deployment_slot_wait=settings.concurrency.deployment_slot_wait,
            tag_slot_wait=settings.concurrency.tag_slot_wait,
            max_slot_wait=settings.concurrency.max_slot_wait,
            initial_lease=settings.concurrency.initial_deployment_lease,
            longest_cache_key=settings.api.max_cache_key_length,
        )

    def _services(self, database: Database, loops: LoopHealth, streams: Streams, traces: TraceStore | None) -> Services:
        settings = self._settings
        secret = settings.api.auth_string
        return Services(
            database=database,
            clock=self._clock,
            loops=loops,
            tuning=self._tuning(),
            expectations=Expectations(
                late_after=settings.loops.late_runs.after,
                cancelling_timeout=settings.loops.cancellation_cleanup.cancelling_timeout,
            ),
            default_limit=settings.api.default_limit,
            event_backfill=settings.events.backfill,
            event_backfill_page=settings.events.backfill_page,
            max_log_length=settings.logs.max_length,
            max_graph_nodes=settings.api.max_graph_nodes,
            csrf_token_lifetime=settings.api.csrf_token_expiration if settings.api.csrf_enabled else None,
            auth_string=None if secret is None else secret.get_secret_value(),
            event_stream=streams.events,
            log_stream=streams.logs,
            publish_logs=streams.publish_logs,
            traces=traces,
            settings_view=settings_view(settings),
        )


def telemetry_of(settings: Settings) -> Telemetry:
    """The telemetry of the process, by these settings; set up once, whoever asks."""
    return configure(
        version=version("lightwell"),
        enabled=settings.telemetry.enabled,
        baseline_ratio=settings.telemetry.baseline_ratio,
        keep=policy_of(settings.telemetry),
        remote=TokenBucket(settings.telemetry.remote_rate, settings.telemetry.remote_burst),
        scraped=settings.telemetry.metrics,
        otlp_log_level=settings.telemetry.otlp_log_level,
        log_level=settings.telemetry.log_level,
        log_format=settings.telemetry.log_format,
    )


def gate_rules(
    app: FastAPI, settings: Settings, *, open_paths: frozenset[str], probe_paths: frozenset[str]
) -> GateRules:
    """What requests to the API must bring, by these settings."""
    secret = settings.api.auth_string
    return GateRules(
        least_api_version=settings.api.least_version,
        max_body_size=settings.api.max_request_body,
        auth_string=None if secret is None else secret.get_secret_value(),
        open_paths=open_paths,
        probe_paths=probe_paths,
        check_token=_token_check(app) if settings.api.csrf_enabled else None,
    )


def _token_check(app: FastAPI) -> TokenCheck:
    async def check(client: str, token: str) -> bool:
        here: Services = app.state.services
        issued = await here.database.read(csrf_tokens.find, client)
        return issued is not None and hmac.compare_digest(issued.token.encode(), token.encode())

    return check


def _make_home(url: str) -> None:
    address = parsed(url)
    if address.get_backend_name() == "sqlite" and address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
