"""Error budgets: how fast failed requests use up what each class of routes may fail, over several windows."""

from dataclasses import dataclass
from typing import Final

from lightwell.instrumentation.vocabulary import HTTP_METHOD, HTTP_ROUTE, HTTP_STATUS, REQUEST_DURATION
from tools.dashboards.links import REQUESTS
from tools.dashboards.promql import Asker, equal, like, unequal, unlike
from tools.dashboards.rule import Alert, Group, Recorded

RULE: Final = Asker(('job=~"lightwell.*"',), "5m", ("job",))
"""What rules ask: of the jobs whose name begins with `lightwell`, each by itself."""

CLASS: Final = "route_class"
_TELEMETRY: Final = "/api/events|/api/logs/|/api/telemetry/.*|/v1/.*|/metrics"
_READS: Final = "/api/ui/.*|.*/count-by/.*|.*/(filter|count|paginate|history|lateness|validate|concurrency_status)"


@dataclass(frozen=True, slots=True)
class RouteClass:
    """Routes with one budget: the share of their requests that may fail. Selections of one class never overlap."""

    name: str
    budget: float
    selections: tuple[tuple[str, ...], ...]


CLASSES: Final = (
    RouteClass(
        "writes",
        0.001,
        ((unequal(HTTP_METHOD, "GET"), unlike(HTTP_ROUTE, f"{_TELEMETRY}|{_READS}")),),
    ),
    RouteClass(
        "reads",
        0.005,
        (
            (equal(HTTP_METHOD, "GET"), unlike(HTTP_ROUTE, _TELEMETRY)),
            (unequal(HTTP_METHOD, "GET"), like(HTTP_ROUTE, _READS), unlike(HTTP_ROUTE, _TELEMETRY)),
        ),
    ),
    RouteClass("telemetry", 0.01, ((like(HTTP_ROUTE, _TELEMETRY),),)),
)
"""Every request is of one class: `writes` change runs, `reads` look, `telemetry` brings events, logs and spans."""

_FAILED: Final = like(HTTP_STATUS, "5..")


def burn(window: str) -> str:
    """The recorded name of the burn rate over a window: 1 uses up the budget exactly."""
    return f"lightwell:error_budget_burn:rate{window}"


FAILURES: Final = "lightwell:request_failures:increase1h"


def rate_of(routes: RouteClass, window: str) -> str:
    """The requests of a class in a second."""
    return _sum(RULE.over(window), "rate", routes)


def _burn_rate(routes: RouteClass, window: str) -> str:
    return f"({_failed('rate', routes, window)}) / ({rate_of(routes, window)} > 0) / {routes.budget}"


def _failed(function: str, routes: RouteClass, window: str) -> str:
    """Failures of a class; 0 where it was asked for and none failed."""
    asker = RULE.over(window)
    return f"{_sum(asker, function, routes, _FAILED)} or {_sum(asker, function, routes)} * 0"


def _sum(asker: Asker, function: str, routes: RouteClass, *matches: str) -> str:
    series = " or ".join(
        f"{function}({asker.select(REQUEST_DURATION, *chosen, *matches, part='_count')}[{asker.window}])"
        for chosen in routes.selections
    )
    return f"sum by (job) ({series})"


def _alert(name: str, fast: str, slow: str, rate: float, severity: str, left: str) -> Alert:
    return Alert(
        name,
        f"{burn(fast)} > {rate} and {burn(slow)} > {rate} and {FAILURES} > 5",
        "2m",
        "page" if severity == "page" else "ticket",
        "Requests of class {{ $labels.route_class }} fail {{ $value | humanize }} times as often as they may",
        f"At this rate the month's error budget of {{{{ $labels.job }}}} is used up within {left}.",
        REQUESTS,
    )


GROUP: Final = Group(
    "lightwell-error-budget",
    (
        *(
            Recorded(burn(window), _burn_rate(routes, window), {CLASS: routes.name})
            for window in ("5m", "30m", "1h", "6h")
            for routes in CLASSES
        ),
        *(Recorded(FAILURES, _failed("increase", routes, "1h"), {CLASS: routes.name}) for routes in CLASSES),
        _alert("LightwellErrorBudgetBurnsFast", "5m", "1h", 14.4, "page", "two days"),
        _alert("LightwellErrorBudgetBurnsSlowly", "30m", "6h", 6, "ticket", "five days"),
    ),
)
