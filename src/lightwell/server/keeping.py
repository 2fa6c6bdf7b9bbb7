"""What the settings say about which traces are kept, as telemetry takes it."""

from collections.abc import Iterable

from lightwell.instrumentation import vocabulary
from lightwell.instrumentation.sampling import KeepPolicy
from lightwell.instrumentation.words import log
from lightwell.settings import TelemetrySettings
from lightwell.settings.names import PREFIX


def policy_of(settings: TelemetrySettings) -> KeepPolicy:
    """What keeps a trace besides failure and the baseline."""
    return KeepPolicy(
        slow_after=settings.slow_after.total_seconds(),
        slow_by_route={rule.what: rule.after.total_seconds() for rule in settings.slow_by_route},
        statuses=frozenset(settings.keep_statuses),
        verdicts=frozenset(settings.keep_verdicts),
    )


def warn_of_unknown_routes(settings: TelemetrySettings, routes: Iterable[str]) -> None:
    """Say which times are for routes that nobody serves here: a mistyped one would never matter, and nobody notice."""
    served = frozenset(routes)
    for rule in settings.slow_by_route:
        route = rule.what.rpartition(" ")[2]
        if route.startswith("/") and route not in served:
            log.warning(
                vocabulary.TELEMETRY_REFUSED.name,
                variable=f"{PREFIX}TELEMETRY_SLOW_BY_ROUTE",
                value=rule.what,
                reason="no such route is served; templates are as in /openapi.json, with the API's prefix before them",
            )
