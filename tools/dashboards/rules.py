"""The rules of Prometheus: what wakes somebody, what waits for the morning; `alerts.yaml` is made from them."""

from dataclasses import replace
from typing import Final

import yaml

from lightwell.instrumentation import vocabulary as words
from lightwell.instrumentation.outcomes import OK
from lightwell.instrumentation.vocabulary import (
    DROP_REASON,
    EVENT_DROP_REASON,
    LATE_REASON,
    LOOP,
    OUTCOME,
    SIGNAL,
    STREAM,
    UNIT_KIND,
    business,
)
from tools.dashboards import budgets
from tools.dashboards.budgets import RULE
from tools.dashboards.links import BACKGROUND, OVERVIEW, RUNS, STORAGE, TELEMETRY
from tools.dashboards.promql import divide, unequal
from tools.dashboards.rule import Alert, Group, Recorded, of

_HEAD: Final = """\
# Rules of Prometheus for Lightwell: made by `make dashboards` from tools/dashboards/; edit them there.
# They watch jobs whose name begins with `lightwell`. What to do about each: docs/operating.md, Runbooks.
"""
_GIB: Final = 1 << 30
EACH: Final = replace(RULE, always_by=("job", "instance"))
"""What rules ask of each process."""
LATE: Final = "lightwell:runs_late:sum"

_PROCESS: Final = Group(
    "lightwell-processes",
    (
        Alert(
            "LightwellDown",
            'up{job=~"lightwell.*"} == 0',
            "1m",
            "page",
            "{{ $labels.instance }} does not answer",
            "Prometheus has not been able to scrape {{ $labels.instance }} of {{ $labels.job }} for a minute.",
            OVERVIEW,
        ),
        Alert(
            "LightwellAbsent",
            f"absent({RULE.select(words.APP_CACHE_LIVE)})",
            "5m",
            "page",
            "No Lightwell server tells anything",
            "Prometheus has had no metric of any Lightwell server for five minutes: none runs, or none is scraped.",
            OVERVIEW,
        ),
        Alert(
            "LightwellRestarting",
            f"sum by (job, instance) (changes({RULE.select(business.START_TIME)}[30m])) > 3",
            "0m",
            "page",
            "{{ $labels.instance }} starts again and again",
            "{{ $labels.instance }} of {{ $labels.job }} has started {{ $value }} times within half an hour.",
            BACKGROUND,
        ),
        Alert(
            "LightwellMemoryHigh",
            f"{EACH.most(business.MEMORY)} > {2 * _GIB}",
            "15m",
            "ticket",
            "{{ $labels.instance }} holds {{ $value | humanize1024 }}B of memory",
            "A server at rest needs about 100 MiB. 2 GiB for a quarter of an hour are a leak, or far too much at once.",
            BACKGROUND,
        ),
        Alert(
            "LightwellEventLoopBlocked",
            f"{EACH.quantile(0.99, business.EVENT_LOOP_LAG)} > 0.5",
            "10m",
            "ticket",
            "The event loop of {{ $labels.instance }} is {{ $value | humanizeDuration }} late",
            "Every request and every websocket of this process waits that long, again and again.",
            BACKGROUND,
        ),
    ),
)
_WORK: Final = Group(
    "lightwell-work",
    (
        Alert(
            "LightwellLoopStale",
            f"{EACH.most(words.LAST_SUCCESS_AGE, by=(LOOP,))} > {EACH.most(words.PATIENCE, by=(LOOP,))}",
            "1m",
            "page",
            f"The loop {of(LOOP)} has not succeeded for {{{{ $value | humanizeDuration }}}}",
            "What it looks for is no longer found: runs are not marked late, leases not ended, old things not deleted.",
            BACKGROUND,
        ),
        Alert(
            "LightwellLoopFailing",
            divide(
                RULE.over("15m").per_second(words.TICK_DURATION, unequal(OUTCOME, OK), by=(LOOP,)),
                RULE.over("15m").per_second(words.TICK_DURATION, by=(LOOP,)),
            )
            + " > 0.5",
            "15m",
            "ticket",
            f"{{{{ $value | humanizePercentage }}}} of the ticks of {of(LOOP)} fail",
            "The loop goes on, and most of its ticks fail.",
            BACKGROUND,
        ),
        Recorded(LATE, f"sum by (job) ({RULE.most(business.RUNS_LATE, by=(LATE_REASON,))})"),
        Alert(
            "LightwellLateRunsGrowing",
            f"delta({LATE}[30m]) > 5 and {LATE} > 10",
            "10m",
            "page",
            "{{ $value | humanize }} more runs are late than half an hour ago",
            "Flow runs of {{ $labels.job }} are not picked up when they should start, and ever more of them.",
            RUNS,
        ),
        Alert(
            "LightwellEventsDelayed",
            f"{RULE.over('10m').quantile(0.95, business.EVENTS_DELAY)} > 60",
            "10m",
            "ticket",
            "Events arrive {{ $value | humanizeDuration }} after they happened",
            "Task runs are seen late: clients tell of them by events. They hold them back, or their clocks are wrong.",
            BACKGROUND,
        ),
        Alert(
            "LightwellEventsRefused",
            f"{RULE.over('10m').grown(business.EVENTS_DROPPED, unequal(EVENT_DROP_REASON, 'duplicate'))} > 10",
            "5m",
            "ticket",
            "{{ $value | humanize }} events of clients were not stored within ten minutes",
            "They cannot be read, or the database did not take them; the latter come again.",
            BACKGROUND,
        ),
        Alert(
            "LightwellStreamBacklog",
            f"{EACH.most(business.STREAM_BACKLOG, by=(STREAM,))} > 1000",
            "5m",
            "ticket",
            f"{{{{ $value }}}} {of(STREAM)} wait for the slowest follower",
            "A websocket that follows them reads more slowly than they come; it is closed when it is too far behind.",
            BACKGROUND,
        ),
    ),
)
_KEEPING: Final = Group(
    "lightwell-keeping",
    (
        Alert(
            "LightwellDatabaseWait",
            f"{EACH.quantile(0.99, words.UNIT_WAITED, by=(UNIT_KIND,))} > 0.5",
            "5m",
            "page",
            f"Units of work ({of(UNIT_KIND)}) wait {{{{ $value | humanizeDuration }}}} for the database",
            "One of a hundred waits longer. After `LIGHTWELL_DATABASE_QUEUE_TIMEOUT` requests are answered 503.",
            STORAGE,
        ),
        Alert(
            "LightwellDiskAlmostFull",
            f"{RULE.share_free(business.DISK_FREE, business.DISK_SIZE)} < 0.1",
            "5m",
            "page",
            "{{ $value | humanizePercentage }} of the disk of {{ $labels.instance }} is free",
            "With SQLite every write fails when it is full; the embedded store of traces turns itself off.",
            STORAGE,
        ),
        Alert(
            "LightwellDiskFilling",
            f"max by (job, instance) (predict_linear({RULE.select(business.DISK_FREE)}[6h], 86400)) < 0"
            f" and {RULE.share_free(business.DISK_FREE, business.DISK_SIZE)} < 0.5"
            # A few minutes of a young server say nothing about a day.
            f" and max by (job, instance) ({RULE.select(business.DISK_FREE)} offset 3h)",
            "30m",
            "ticket",
            "The disk of {{ $labels.instance }} will be full within a day",
            "As it has filled for six hours, nothing will be left tomorrow.",
            STORAGE,
        ),
        Alert(
            "LightwellTelemetryDropped",
            f"{RULE.over('10m').grown(words.SPANS_DROPPED, by=(SIGNAL, DROP_REASON))} > 0",
            "1m",
            "ticket",
            f"{{{{ $value | humanize }}}} items ({of(SIGNAL)}) were lost within ten minutes: {of(DROP_REASON)}",
            "Failures may be missing in Tempo and Loki, or metrics here. The embedded store is not concerned.",
            TELEMETRY,
        ),
        Alert(
            "LightwellTraceStoreOff",
            f"{EACH.least(words.STORE_ON)} < 1",
            "10m",
            "ticket",
            "The embedded store of traces of {{ $labels.instance }} is off",
            "`lightwell traces` does not show what happens now. Requests and the collector are not concerned.",
            TELEMETRY,
        ),
    ),
)

GROUPS: Final = (budgets.GROUP, _PROCESS, _WORK, _KEEPING)
"""Every group of rules."""

ALERTS: Final = tuple(rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert))
RECORDED: Final = tuple(rule for group in GROUPS for rule in group.rules if isinstance(rule, Recorded))


def rules() -> str:
    """The text of `alerts.yaml`."""
    document = {"groups": [group.document() for group in GROUPS]}
    return _HEAD + yaml.safe_dump(document, sort_keys=False, width=1000, allow_unicode=True)
