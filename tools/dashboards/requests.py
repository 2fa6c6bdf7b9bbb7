"""Requests: who asks for what, how it is answered, how long it takes, and what fails."""

from typing import Final

from lightwell.instrumentation.vocabulary import (
    ACTIVE_REQUESTS,
    CLIENTS_GONE,
    ERROR_TYPE,
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    REQUEST_DURATION,
    SOCKET_CODE,
    SOCKET_MESSAGE_COUNT,
    SOCKETS_CLOSED,
    SOCKETS_OPEN,
)
from tools.dashboards.links import (
    FAILED_ON_ROUTE,
    FAILED_REQUESTS,
    FAILED_THIS_WAY,
    REQUESTS,
    SLOW_ON_ROUTE,
    TROUBLE_IN_LOGS,
)
from tools.dashboards.page import Page, Panel, Query, Row
from tools.dashboards.promql import PANEL, divide, legend, like, or_zero
from tools.dashboards.queries import quantiles

FAILED: Final = like(HTTP_STATUS, "5..")
_REFUSED: Final = like(HTTP_STATUS, "4..")
_ROUTE: Final = legend(HTTP_METHOD, HTTP_ROUTE)
_BY_ROUTE: Final = (HTTP_METHOD, HTTP_ROUTE)
_BY_FAILURE: Final = (*_BY_ROUTE, HTTP_STATUS, ERROR_TYPE)

RATE: Final = Panel(
    "Requests",
    "Requests that were answered in a second, by status. What is missing is as telling as what is there.",
    "reqps",
    (Query(PANEL.per_second(REQUEST_DURATION, by=(HTTP_STATUS,)), legend(HTTP_STATUS)),),
    stacked=True,
    links=(FAILED_REQUESTS, TROUBLE_IN_LOGS),
)
ERROR_SHARE: Final = Panel(
    "Share of failed requests",
    "5xx of all answers. Above 0.1 % the error budget of writes shrinks. Alert: LightwellErrorBudgetBurnsFast.",
    "percentunit",
    (
        Query(
            or_zero(divide(PANEL.per_second(REQUEST_DURATION, FAILED), PANEL.per_second(REQUEST_DURATION))),
            "failed",
        ),
    ),
    warn=0.001,
    bad=0.01,
    links=(FAILED_REQUESTS, TROUBLE_IN_LOGS),
)
DURATION: Final = Panel(
    "Duration of requests",
    "Half, 95 % and 99 % of all requests are faster than this. The dots are exemplars: each opens its trace.",
    "s",
    quantiles(REQUEST_DURATION, 0.5, 0.95, 0.99),
    warn=0.25,
    bad=1,
)

_OF_ROUTES: Final = Row(
    "By route",
    (
        Panel(
            "Requests by route",
            "The ten busiest routes. A request that matched no route has none.",
            "reqps",
            (Query(f"topk(10, {PANEL.per_second(REQUEST_DURATION, by=_BY_ROUTE)})", _ROUTE),),
            links=(SLOW_ON_ROUTE, FAILED_ON_ROUTE),
        ),
        Panel(
            "Failures by route",
            "5xx within the window, by route, first ones included; click one for its traces.",
            "short",
            (Query(or_zero(PANEL.grown(REQUEST_DURATION, FAILED, by=_BY_ROUTE)), _ROUTE),),
            warn=1,
            bad=10,
            links=(FAILED_ON_ROUTE, TROUBLE_IN_LOGS),
        ),
        Panel(
            "Slowest routes",
            "The ten routes with the highest 95th percentile.",
            "s",
            (
                Query(
                    f"topk(10, {PANEL.quantile(0.95, REQUEST_DURATION, by=_BY_ROUTE)} >= 0)",
                    _ROUTE,
                    exemplars=True,
                ),
            ),
            warn=0.25,
            bad=1,
            links=(SLOW_ON_ROUTE,),
        ),
        Panel(
            "Time spent by route",
            "Seconds of serving in each second, by route: how many requests of it are served at once on average.",
            "short",
            (Query(f"topk(10, {PANEL.busy(REQUEST_DURATION, by=_BY_ROUTE)})", _ROUTE),),
            stacked=True,
            links=(SLOW_ON_ROUTE,),
        ),
    ),
)
_OF_FAILURES: Final = Row(
    "Failures",
    (
        Panel(
            "Failures by type",
            "5xx within the window, by the exception behind them; click one for its traces.",
            "short",
            (
                Query(
                    or_zero(PANEL.grown(REQUEST_DURATION, FAILED, by=(ERROR_TYPE,))),
                    legend(ERROR_TYPE),
                ),
            ),
            warn=1,
            bad=10,
            links=(FAILED_THIS_WAY, FAILED_REQUESTS, TROUBLE_IN_LOGS),
        ),
        Panel(
            "Refusals by status",
            "4xx a second: what callers have to mend. A sudden rise of 422 is often a client of another version.",
            "reqps",
            (
                Query(
                    or_zero(PANEL.per_second(REQUEST_DURATION, _REFUSED, by=(HTTP_STATUS,))),
                    legend(HTTP_STATUS),
                ),
            ),
            links=(TROUBLE_IN_LOGS,),
        ),
        Panel(
            "Clients that left",
            "Requests whose client went away before the end of its answer: timeouts of clients or of a proxy.",
            "reqps",
            (
                Query(
                    or_zero(PANEL.per_second(CLIENTS_GONE, by=(HTTP_ROUTE,))),
                    legend(HTTP_ROUTE),
                ),
            ),
            warn=1,
            bad=10,
            links=(SLOW_ON_ROUTE,),
        ),
        Panel(
            "Failures of each route, in all",
            "5xx since the processes began, by route, status and type: what to look at first.",
            "short",
            (Query(or_zero(f"sort_desc({PANEL.since_start(REQUEST_DURATION, FAILED, by=_BY_FAILURE)})")),),
            kind="table",
            width=24,
            links=(FAILED_ON_ROUTE, FAILED_THIS_WAY),
        ),
    ),
)
_OF_SOCKETS: Final = Row(
    "Websockets",
    (
        Panel(
            "Open websockets",
            "Connections that are open, by endpoint: clients that send events, and those that follow events or logs.",
            "short",
            (Query(or_zero(PANEL.total(SOCKETS_OPEN, by=(HTTP_ROUTE,))), legend(HTTP_ROUTE)),),
        ),
        Panel(
            "Websockets closed",
            "Connections that ended within the window, by endpoint and close code. 1000 and 1001 are ordinary.",
            "short",
            (
                Query(
                    or_zero(PANEL.grown(SOCKETS_CLOSED, by=(HTTP_ROUTE, SOCKET_CODE))),
                    legend(HTTP_ROUTE, SOCKET_CODE),
                ),
            ),
            links=(TROUBLE_IN_LOGS,),
        ),
        Panel(
            "Messages on websockets",
            "Messages worked on in a second, by endpoint.",
            "mps",
            (Query(or_zero(PANEL.per_second(SOCKET_MESSAGE_COUNT, by=(HTTP_ROUTE,))), legend(HTTP_ROUTE)),),
        ),
    ),
)

PAGE: Final = Page(
    REQUESTS,
    "Lightwell / Requests",
    "Rate, errors and duration of requests by route, with the way from each failure to its traces.",
    (
        Row(
            "All requests",
            (
                RATE,
                ERROR_SHARE,
                DURATION,
                Panel(
                    "Being served",
                    "Requests that are inside the server now, by method.",
                    "short",
                    (
                        Query(
                            or_zero(PANEL.total(ACTIVE_REQUESTS, by=(HTTP_METHOD,))),
                            legend(HTTP_METHOD),
                        ),
                    ),
                    warn=50,
                    bad=200,
                ),
            ),
        ),
        _OF_ROUTES,
        _OF_FAILURES,
        _OF_SOCKETS,
    ),
)
