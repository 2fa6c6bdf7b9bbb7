"""Storage: what units of work wait for, what a commit holds, how large tables are, what retention deletes."""

from typing import Final

from lightwell.instrumentation import vocabulary as words
from lightwell.instrumentation.outcomes import OK
from lightwell.instrumentation.vocabulary import ERROR_TYPE, LOOP, OPERATION, OUTCOME, TABLE, UNIT_KIND, business
from tools.dashboards.links import BACKGROUND, STORAGE, TROUBLE_IN_LOGS, dashboard, of_label, traces
from tools.dashboards.page import Page, Panel, Query, Row
from tools.dashboards.promql import PANEL, divide, legend, like, or_zero, unequal
from tools.dashboards.queries import quantiles

_SLOW_UNITS: Final = traces("Traces with slow units of work", f"duration > 250ms && span.{words.UNIT_KIND} != nil")
_WAITING_UNITS: Final = traces("Traces that waited for the database", f"span.{words.UNIT_WAIT} > 0.1")
_FAILED_UNITS: Final = traces("Traces with failed units of work", f"status = error && span.{words.UNIT_KIND} != nil")
_OF_VERB: Final = traces("Traces of this verb", f'span.{OPERATION} = "{of_label(OPERATION)}"')
_RETENTION: Final = dashboard(BACKGROUND, "The loops")

WAIT: Final = Panel(
    "Wait for the database",
    "How long units of work waited for the writer or a connection; 99 % waited less. Alert: LightwellDatabaseWait.",
    "s",
    (Query(PANEL.quantile(0.99, words.UNIT_WAITED, by=(UNIT_KIND,)), legend(UNIT_KIND), exemplars=True),),
    warn=0.1,
    bad=1,
    links=(_WAITING_UNITS, TROUBLE_IN_LOGS),
)

_UNITS: Final = Row(
    "Units of work",
    (
        WAIT,
        Panel(
            "Duration of units",
            "From the beginning of the transaction to its commit, by kind: half and 99 % are faster.",
            "s",
            quantiles(words.UNIT_DURATION, 0.5, 0.99, by=(UNIT_KIND,)),
            warn=0.1,
            bad=1,
            links=(_SLOW_UNITS,),
        ),
        Panel(
            "Units",
            "Units of work a second, by kind.",
            "ops",
            (Query(PANEL.per_second(words.UNIT_DURATION, by=(UNIT_KIND,)), legend(UNIT_KIND)),),
            links=(_SLOW_UNITS,),
        ),
        Panel(
            "Waiting and running",
            "Units that wait for their turn, and units that run.",
            "short",
            (
                Query(or_zero(PANEL.total(business.UNITS_WAITING, by=(UNIT_KIND,))), f"waiting {legend(UNIT_KIND)}"),
                Query(or_zero(PANEL.total(business.UNITS_RUNNING, by=(UNIT_KIND,))), f"running {legend(UNIT_KIND)}"),
            ),
            warn=20,
            bad=100,
            links=(_WAITING_UNITS,),
        ),
        Panel(
            "Use of the database threads",
            "The share of connections that are at work on average. Near 100 % everything else waits.",
            "percentunit",
            (
                Query(
                    or_zero(divide(PANEL.busy(words.UNIT_DURATION), PANEL.total(business.POOL_SIZE))),
                    "in use",
                ),
            ),
            warn=0.7,
            bad=0.9,
            links=(_SLOW_UNITS,),
        ),
        Panel(
            "Failed units",
            "Units within the window that did not end well, by outcome. Conflict, NotFound and other refusals are "
            "the caller's; Busy and TimedOut are ours.",
            "short",
            (
                Query(
                    or_zero(PANEL.grown(words.UNIT_DURATION, unequal(OUTCOME, OK), by=(UNIT_KIND, OUTCOME))),
                    legend(UNIT_KIND, OUTCOME),
                ),
            ),
            warn=10,
            bad=100,
            links=(_FAILED_UNITS, TROUBLE_IN_LOGS),
        ),
        Panel(
            "Units tried again",
            "Units within the window that were repeated: a deadlock, a conflict of transactions or a lost connection.",
            "short",
            (
                Query(
                    or_zero(PANEL.grown(words.UNIT_RETRIED_COUNT, by=(UNIT_KIND, ERROR_TYPE))),
                    legend(UNIT_KIND, ERROR_TYPE),
                ),
            ),
            warn=10,
            bad=100,
            links=(_FAILED_UNITS, TROUBLE_IN_LOGS),
        ),
        Panel(
            "Units in a commit",
            "How many writes one commit held together: half and 95 % held fewer. It rises with load on SQLite.",
            "short",
            quantiles(words.GROUP_SIZE, 0.5, 0.95),
            warn=32,
            bad=128,
        ),
        Panel(
            "Statements",
            "Statements a second, by the kind of their unit.",
            "ops",
            (Query(PANEL.per_second(words.STATEMENTS, by=(UNIT_KIND,)), legend(UNIT_KIND)),),
            links=(_SLOW_UNITS,),
        ),
        Panel(
            "Statements in a unit",
            "On average, by kind. A rise without a change of version is a list that grew.",
            "short",
            (
                Query(
                    or_zero(
                        divide(
                            PANEL.per_second(words.STATEMENTS, by=(UNIT_KIND,)),
                            PANEL.per_second(words.UNIT_DURATION, by=(UNIT_KIND,)),
                        )
                    ),
                    legend(UNIT_KIND),
                ),
            ),
            warn=20,
            bad=100,
            links=(_SLOW_UNITS,),
        ),
        Panel(
            "Slowest verbs",
            "The ten verbs with the highest 95th percentile, statements included.",
            "s",
            (
                Query(
                    f"topk(10, {PANEL.quantile(0.95, words.OPERATION_DURATION, by=(OPERATION,))} >= 0)",
                    legend(OPERATION),
                    exemplars=True,
                ),
            ),
            warn=0.1,
            bad=1,
            links=(_OF_VERB,),
        ),
    ),
)
_SIZES: Final = Row(
    "Sizes",
    (
        Panel(
            "Size of the database",
            "The file with its companions on SQLite, all tables and indexes on PostgreSQL.",
            "bytes",
            (Query(PANEL.most(business.DATABASE_SIZE), "database"),),
        ),
        Panel(
            "Rows of tables",
            "As the database estimates them.",
            "short",
            (Query(f"topk(10, {PANEL.most(business.TABLE_ROWS, by=(TABLE,))})", legend(TABLE)),),
            links=(_RETENTION,),
        ),
        Panel(
            "Free on the disk",
            "The share that is free on the disk of the server's home directory. Alert: LightwellDiskFilling.",
            "percentunit",
            (Query(PANEL.share_free(business.DISK_FREE, business.DISK_SIZE), "{{instance}}"),),
            warn=0.2,
            bad=0.1,
            low=True,
        ),
    ),
)
_DELETED: Final = Row(
    "Retention",
    (
        Panel(
            "Deleted by age",
            "What the loops of retention deleted, a second. Nothing while there is nothing that is old enough.",
            "ops",
            (
                Query(
                    or_zero(PANEL.per_second(words.TICK_ITEMS, like(LOOP, "old_.*|deleted_.*"), by=(LOOP,))),
                    legend(LOOP),
                ),
            ),
            width=12,
            links=(_RETENTION,),
        ),
        Panel(
            "Time that retention takes",
            "Seconds of each second in which a loop of retention is at work.",
            "percentunit",
            (
                Query(
                    or_zero(PANEL.busy(words.TICK_DURATION, like(LOOP, "old_.*|deleted_.*"), by=(LOOP,))),
                    legend(LOOP),
                ),
            ),
            warn=0.5,
            bad=0.9,
            width=12,
            links=(_RETENTION,),
        ),
    ),
)

PAGE: Final = Page(
    STORAGE,
    "Lightwell / Storage",
    "Waits, groups, verbs, sizes and retention: whether the database keeps up, and with what.",
    (_UNITS, _SIZES, _DELETED),
)
