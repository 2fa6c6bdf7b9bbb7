"""Telemetry: whether what the other dashboards show can be believed, and the cache of applications."""

from typing import Final

from lightwell.instrumentation import vocabulary as words
from lightwell.instrumentation.vocabulary import DROP_REASON, KEPT, RECEIVED, RESULT, SIGNAL, STORE_DROP_REASON
from tools.dashboards.links import FAILED_REQUESTS, TELEMETRY, TROUBLE_IN_LOGS, of_label, traces
from tools.dashboards.page import Page, Panel, Query, Row
from tools.dashboards.promql import PANEL, divide, legend, or_zero
from tools.dashboards.queries import quantiles

_KEPT_SO: Final = traces("Traces kept for this reason", f'span.{KEPT} = "{of_label(KEPT)}"')

DROPPED: Final = Panel(
    "Telemetry lost",
    "Spans, log lines and points of metrics within the window that did not arrive, by why. Alert: "
    "LightwellTelemetryDropped.",
    "short",
    (Query(or_zero(PANEL.grown(words.SPANS_DROPPED, by=(SIGNAL, DROP_REASON))), legend(SIGNAL, DROP_REASON)),),
    warn=1,
    bad=1000,
    links=(TROUBLE_IN_LOGS,),
)

_TRACES: Final = Row(
    "Traces",
    (
        Panel(
            "Traces kept",
            "Traces a second that were kept, by why.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.TRACES_KEPT, by=(KEPT,))), legend(KEPT)),),
            stacked=True,
            links=(_KEPT_SO, FAILED_REQUESTS),
        ),
        Panel(
            "Share of traces kept",
            "Of all traces. Near the baseline's ratio while all is well.",
            "percentunit",
            (
                Query(
                    or_zero(
                        divide(
                            PANEL.per_second(words.TRACES_KEPT),
                            f"{PANEL.per_second(words.TRACES_KEPT)} + {PANEL.per_second(words.TRACES_PASSED)}",
                        )
                    ),
                    "kept",
                ),
            ),
            warn=0.3,
            bad=0.7,
            links=(FAILED_REQUESTS,),
        ),
        Panel(
            "Telemetry delivered",
            "Spans, log lines and points of metrics a second that a collector took. Nothing where none is configured.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.SPANS_EXPORTED, by=(SIGNAL,))), legend(SIGNAL)),),
            links=(TROUBLE_IN_LOGS,),
        ),
        DROPPED,
        Panel(
            "Waiting to be sent",
            "Spans and log lines in the queue. It is bounded; what no longer finds room is lost.",
            "short",
            (Query(or_zero(PANEL.total(words.TELEMETRY_QUEUED, by=(SIGNAL,))), legend(SIGNAL)),),
            warn=1000,
            bad=2000,
            links=(TROUBLE_IN_LOGS,),
        ),
        Panel(
            "Open traces",
            "Traces that have begun and not ended, and those whose details were given up because too many were open.",
            "short",
            (
                Query(PANEL.total(words.TRACES_LIVE), "open"),
                Query(or_zero(PANEL.grown(words.TRACES_OVERFLOWED)), "given up"),
            ),
            warn=500,
            bad=1000,
            links=(FAILED_REQUESTS,),
        ),
    ),
)
_STORE: Final = Row(
    "The embedded store",
    (
        Panel(
            "Store at work",
            "1 while the embedded store of traces works, 0 while trouble keeps it off. Alert: LightwellTraceStoreOff.",
            "short",
            (Query(or_zero(PANEL.least(words.STORE_ON)), "on"),),
            warn=1,
            low=True,
            links=(TROUBLE_IN_LOGS,),
        ),
        Panel(
            "Spans stored",
            "Spans a second that the embedded store took.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.STORE_STORED)), "stored"),),
        ),
        Panel(
            "Spans that the store lost",
            "Within the window, by why. Lost spans are those of the newest traces; what was stored stays.",
            "short",
            (Query(or_zero(PANEL.grown(words.STORE_DROPPED, by=(STORE_DROP_REASON,))), legend(STORE_DROP_REASON)),),
            warn=1,
            bad=1000,
            links=(TROUBLE_IN_LOGS,),
        ),
        Panel(
            "Size of the store",
            "What it takes of its file, or of memory. It is a ring: it grows to its bound and stays there.",
            "bytes",
            (Query(or_zero(PANEL.most(words.STORE_SIZE)), "size"),),
            warn=1 << 30,
            bad=4 << 30,
        ),
        Panel(
            "How far back the store reaches",
            "Age of its oldest trace: how late a failure may be looked up with `lightwell traces`.",
            "s",
            (Query(or_zero(PANEL.most(words.STORE_OLDEST)), "oldest"),),
        ),
        Panel(
            "Duration of the store's transactions",
            "On its own thread, never inside a request: half and 99 % are faster.",
            "s",
            quantiles(words.STORE_WRITE, 0.5, 0.99),
            warn=0.5,
            bad=2.5,
        ),
        Panel(
            "Spans of others",
            "Spans a second that clients and workers sent to this server, by what became of them.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.SPANS_RECEIVED, by=(RECEIVED,))), legend(RECEIVED)),),
            links=(TROUBLE_IN_LOGS,),
        ),
    ),
)
_CACHE: Final = Row(
    "Applications in this process",
    (
        Panel(
            "Requests to the cache of applications",
            "How often an application was asked for, a second, by hit, miss and bypass.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.APP_CACHE_REQUESTS, by=(RESULT,))), legend(RESULT)),),
            width=12,
        ),
        Panel(
            "Applications in the cache",
            "A server has one; more are tests' or embedders'.",
            "short",
            (Query(PANEL.total(words.APP_CACHE_LIVE), "live"),),
            warn=4,
            bad=16,
            width=12,
        ),
    ),
)

PAGE: Final = Page(
    TELEMETRY,
    "Lightwell / Telemetry",
    "The pipeline's own health: what was kept, delivered and lost; the cache of applications.",
    (_TRACES, _STORE, _CACHE),
)
