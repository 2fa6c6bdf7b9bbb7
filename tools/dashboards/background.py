"""Background: the loops, the events, the leases and what the process itself lives on."""

from typing import Final

from lightwell.instrumentation import vocabulary as words
from lightwell.instrumentation.outcomes import OK
from lightwell.instrumentation.vocabulary import (
    CPU_MODE,
    EVENT_DROP_REASON,
    EVENT_SOURCE,
    HTTP_ROUTE,
    LOOP,
    OUTCOME,
    STREAM,
    business,
)
from tools.dashboards.links import BACKGROUND, REQUESTS, RUNS, TROUBLE_IN_LOGS, dashboard, of_label, traces
from tools.dashboards.page import Page, Panel, Query, Row
from tools.dashboards.promql import PANEL, legend, or_zero, unequal
from tools.dashboards.queries import quantiles

_FAILED_TICKS: Final = traces("Failed ticks of this loop", f'status = error && span.{LOOP} = "{of_label(LOOP)}"')
_SLOW_TICKS: Final = traces("Slow ticks of this loop", f'duration > 1s && span.{LOOP} = "{of_label(LOOP)}"')
_SOCKETS: Final = dashboard(REQUESTS, "Websockets and requests")

SINCE_SUCCESS: Final = Panel(
    "Since each loop last succeeded",
    "Where several servers share a database each runs every loop; the worst is shown. Alert: LightwellLoopStale.",
    "s",
    (Query(PANEL.most(words.LAST_SUCCESS_AGE, by=(LOOP,)), legend(LOOP)),),
    warn=120,
    bad=300,
    links=(_FAILED_TICKS, TROUBLE_IN_LOGS),
)

_LOOPS: Final = Row(
    "Loops",
    (
        SINCE_SUCCESS,
        Panel(
            "Patience used up",
            "The age of the last success as a share of that after which the loop is stale, and `/api/ready` says so.",
            "percentunit",
            (
                Query(
                    f"{PANEL.most(words.LAST_SUCCESS_AGE, by=(LOOP,))} / {PANEL.most(words.PATIENCE, by=(LOOP,))}",
                    legend(LOOP),
                ),
            ),
            warn=0.5,
            bad=1,
            links=(_FAILED_TICKS,),
        ),
        Panel(
            "Failed ticks",
            "Ticks within the window that did not succeed, by loop and outcome, first ones included.",
            "short",
            (
                Query(
                    or_zero(PANEL.grown(words.TICK_DURATION, unequal(OUTCOME, OK), by=(LOOP, OUTCOME))),
                    legend(LOOP, OUTCOME),
                ),
            ),
            warn=1,
            bad=5,
            links=(_FAILED_TICKS, TROUBLE_IN_LOGS),
        ),
        Panel(
            "Duration of ticks",
            "95 % of ticks are faster than this.",
            "s",
            (Query(PANEL.quantile(0.95, words.TICK_DURATION, by=(LOOP,)), legend(LOOP), exemplars=True),),
            warn=1,
            bad=10,
            links=(_SLOW_TICKS,),
        ),
        Panel(
            "Lag of ticks",
            "How much later than planned 95 % of ticks began at most: the process has no time for its loops.",
            "s",
            (Query(PANEL.quantile(0.95, words.TICK_LAG, by=(LOOP,)), legend(LOOP), exemplars=True),),
            warn=1,
            bad=10,
            links=(_SLOW_TICKS,),
        ),
        Panel(
            "What loops worked on",
            "Runs marked late, leases ended, rows deleted and so on, a second, by loop.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.TICK_ITEMS, by=(LOOP,))), legend(LOOP)),),
            links=(_SLOW_TICKS,),
        ),
        Panel(
            "Ticks",
            "Ticks a second, by loop. A loop that stands still has none.",
            "ops",
            (Query(PANEL.per_second(words.TICK_DURATION, by=(LOOP,)), legend(LOOP)),),
            links=(_FAILED_TICKS,),
        ),
    ),
)
_EVENTS: Final = Row(
    "Events",
    (
        Panel(
            "Events stored",
            "Events a second: what clients reported, and what this server stated.",
            "ops",
            (Query(or_zero(PANEL.per_second(business.EVENTS_INGESTED, by=(EVENT_SOURCE,))), legend(EVENT_SOURCE)),),
            links=(_SOCKETS,),
        ),
        Panel(
            "Delay of events",
            "How long after they happened events of clients arrived: half and 95 % are faster.",
            "s",
            quantiles(business.EVENTS_DELAY, 0.5, 0.95),
            warn=10,
            bad=60,
            links=(_SOCKETS,),
        ),
        Panel(
            "Events not stored",
            "Events that came within the window and were not stored, by why; duplicates are ordinary.",
            "short",
            (Query(or_zero(PANEL.grown(business.EVENTS_DROPPED, by=(EVENT_DROP_REASON,))), legend(EVENT_DROP_REASON)),),
            warn=100,
            bad=1000,
            links=(TROUBLE_IN_LOGS,),
        ),
        Panel(
            "Backlog of live streams",
            "What waits for the slowest websocket that follows events or logs.",
            "short",
            (Query(or_zero(PANEL.most(business.STREAM_BACKLOG, by=(STREAM,))), legend(STREAM)),),
            warn=1000,
            bad=10000,
            links=(_SOCKETS,),
        ),
        Panel(
            "Facts",
            "Facts a second that were committed and told to subscribers.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.FACTS)), "facts"),),
        ),
        Panel(
            "Followers",
            "Websockets that are open, by endpoint.",
            "short",
            (Query(or_zero(PANEL.total(words.SOCKETS_OPEN, by=(HTTP_ROUTE,))), legend(HTTP_ROUTE)),),
            links=(_SOCKETS,),
        ),
    ),
)
_LEASES: Final = Row(
    "Leases",
    (
        Panel(
            "Leases held",
            "Leases of concurrency slots that hold.",
            "short",
            (Query(or_zero(PANEL.most(business.LEASES_HELD)), "held"),),
            width=12,
            links=(dashboard(RUNS, "Runs"),),
        ),
        Panel(
            "Oldest lease",
            "Age of the oldest lease that holds. Leases are renewed by their holders; an old one is not ill by itself.",
            "s",
            (Query(or_zero(PANEL.most(business.LEASES_AGE)), "oldest"),),
            warn=86_400,
            width=12,
            links=(dashboard(RUNS, "Runs"),),
        ),
    ),
)
_PROCESS: Final = Row(
    "The processes",
    (
        Panel(
            "Processor",
            "Processors in use, by mode. One process of Python uses little more than one.",
            "short",
            (Query(PANEL.per_second(business.CPU_TIME, by=(CPU_MODE,)), legend(CPU_MODE)),),
            warn=0.8,
            bad=1,
            stacked=True,
        ),
        Panel(
            "Resident memory",
            "Of each process. Alert: LightwellMemoryHigh.",
            "bytes",
            (Query(PANEL.each(business.MEMORY), "{{instance}}"),),
            warn=1 << 30,
            bad=2 << 30,
        ),
        Panel(
            "Lag of the event loop",
            "How much later than asked the event loop called back: half and 99 % are faster. It grows when the "
            "process is out of processor time, or something blocks.",
            "s",
            quantiles(business.EVENT_LOOP_LAG, 0.5, 0.99),
            warn=0.05,
            bad=0.5,
        ),
        Panel(
            "Open files and sockets",
            "File descriptors of each process.",
            "short",
            (Query(PANEL.each(business.FILE_DESCRIPTORS), "{{instance}}"),),
            warn=500,
            bad=900,
        ),
        Panel(
            "Threads",
            "Of each process. They are a fixed number; growth is a defect.",
            "short",
            (Query(PANEL.each(business.THREADS), "{{instance}}"),),
            warn=100,
            bad=300,
        ),
        Panel(
            "Up since",
            "How long each process has run. A saw tooth is a process that dies again and again.",
            "s",
            (Query(f"time() - {PANEL.each(business.START_TIME)}", "{{instance}}"),),
            warn=300,
            low=True,
        ),
    ),
)

PAGE: Final = Page(
    BACKGROUND,
    "Lightwell / Background",
    "What the server does by the clock and for its followers: loops, events, leases, and the processes themselves.",
    (_LOOPS, _EVENTS, _LEASES, _PROCESS),
)
