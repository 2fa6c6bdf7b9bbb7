"""Overview: is it healthy, is work flowing; each panel leads to the dashboard that says more."""

from dataclasses import replace
from typing import Final

from lightwell.instrumentation import vocabulary as words
from lightwell.instrumentation.vocabulary import business
from tools.dashboards import background, requests, runs, storage, telemetry
from tools.dashboards.links import (
    BACKGROUND,
    FAILED_REQUESTS,
    OVERVIEW,
    REQUESTS,
    RUNS,
    STORAGE,
    TELEMETRY,
    TROUBLE_IN_LOGS,
    dashboard,
)
from tools.dashboards.page import Link, Page, Panel, Query, Row
from tools.dashboards.promql import PANEL, or_zero

_TO_REQUESTS: Final = dashboard(REQUESTS, "Requests")
_TO_RUNS: Final = dashboard(RUNS, "Runs")
_TO_BACKGROUND: Final = dashboard(BACKGROUND, "Background")
_TO_STORAGE: Final = dashboard(STORAGE, "Storage")
_TO_TELEMETRY: Final = dashboard(TELEMETRY, "Telemetry")


def _leading(panel: Panel, link: Link) -> Panel:
    return replace(panel, links=(link, *panel.links))


def _as_number(panel: Panel, title: str, expression: str, link: Link) -> Panel:
    shown = replace(panel, title=title, kind="number", width=4, stacked=False)
    return replace(shown, queries=(Query(expression),), links=(link, TROUBLE_IN_LOGS))


_HEALTH: Final = Row(
    "Is it healthy",
    (
        Panel(
            "Firing alerts",
            "Alerts of `alerts.yaml` that fire now. Each has a runbook in docs/operating.md.",
            "short",
            (Query(or_zero('count(ALERTS{alertstate="firing",alertname=~"Lightwell.+"})')),),
            kind="number",
            warn=1,
            bad=3,
            width=4,
            links=(_TO_REQUESTS, TROUBLE_IN_LOGS),
        ),
        Panel(
            "Processes",
            "Servers that answer Prometheus.",
            "short",
            (Query(or_zero(f"count({PANEL.each(words.APP_CACHE_LIVE)})")),),
            kind="number",
            warn=1,
            low=True,
            width=4,
            links=(_TO_BACKGROUND,),
        ),
        _as_number(requests.ERROR_SHARE, "Failed requests", requests.ERROR_SHARE.queries[0].expression, _TO_REQUESTS),
        _as_number(
            requests.DURATION, "99 % of requests take less than", requests.DURATION.queries[-1].expression, _TO_REQUESTS
        ),
        _as_number(
            runs.LATE, "Late runs", or_zero(f"sum({PANEL.most(business.RUNS_LATE, by=(words.LATE_REASON,))})"), _TO_RUNS
        ),
        _as_number(background.SINCE_SUCCESS, "Stalest loop", PANEL.most(words.LAST_SUCCESS_AGE), _TO_BACKGROUND),
        _as_number(
            storage.WAIT,
            "99 % wait less for the database",
            PANEL.quantile(0.99, words.UNIT_WAITED),
            _TO_STORAGE,
        ),
        Panel(
            "Share of the disk that is free",
            "On the disk of the server's home directory; the fullest one.",
            "percentunit",
            (Query(f"min({PANEL.share_free(business.DISK_FREE, business.DISK_SIZE)})"),),
            kind="number",
            warn=0.2,
            bad=0.1,
            low=True,
            width=4,
            links=(_TO_STORAGE,),
        ),
        Panel(
            "Largest process",
            "Resident memory of the largest process.",
            "bytes",
            (Query(PANEL.most(business.MEMORY)),),
            kind="number",
            warn=1 << 30,
            bad=2 << 30,
            width=4,
            links=(_TO_BACKGROUND,),
        ),
        _as_number(telemetry.DROPPED, "Lost on the way", or_zero(PANEL.grown(words.SPANS_DROPPED)), _TO_TELEMETRY),
        Panel(
            "Oldest start",
            "How long the process that began first has run.",
            "s",
            (Query(f"time() - min({PANEL.each(business.START_TIME)})"),),
            kind="number",
            warn=300,
            low=True,
            width=4,
            links=(_TO_BACKGROUND,),
        ),
        Panel(
            "Clients connected",
            "Websockets that are open.",
            "short",
            (Query(or_zero(PANEL.total(words.SOCKETS_OPEN))),),
            kind="number",
            width=4,
            links=(_TO_REQUESTS,),
        ),
    ),
)
_FLOW: Final = Row(
    "Is work flowing",
    (
        _leading(requests.RATE, _TO_REQUESTS),
        _leading(requests.DURATION, _TO_REQUESTS),
        replace(requests.ERROR_SHARE, links=(_TO_REQUESTS, FAILED_REQUESTS)),
        _leading(runs.STATES, _TO_RUNS),
        _leading(runs.ENDED, _TO_RUNS),
        _leading(runs.LATE, _TO_RUNS),
        _leading(background.SINCE_SUCCESS, _TO_BACKGROUND),
        _leading(storage.WAIT, _TO_STORAGE),
        _leading(telemetry.DROPPED, _TO_TELEMETRY),
    ),
)

PAGE: Final = Page(
    OVERVIEW,
    "Lightwell / Overview",
    "Is it healthy, and is work flowing? Each panel leads to the dashboard that says more.",
    (_HEALTH, _FLOW),
)
