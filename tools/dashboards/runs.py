"""Runs: what state they are in, whether they start in time and why not, how long they take, what the rules say."""

from typing import Final

from lightwell.contract.states import StateType
from lightwell.instrumentation import vocabulary as words
from lightwell.instrumentation.vocabulary import (
    DUE,
    LATE_REASON,
    OPERATION,
    QUEUE_KIND,
    RULE,
    RUN_KIND,
    STATE_FROM,
    STATE_TO,
    STATE_TYPE,
    VERDICT,
    business,
)
from tools.dashboards.links import BACKGROUND, REQUESTS, RUNS, TROUBLE_IN_LOGS, dashboard, of_label, traces
from tools.dashboards.page import Link, Page, Panel, Query, Row
from tools.dashboards.promql import PANEL, divide, equal, legend, like, or_zero
from tools.dashboards.queries import quantiles

_UNWELL: Final = f"{StateType.FAILED}|{StateType.CRASHED}"
_ENDED: Final = f"{_UNWELL}|{StateType.COMPLETED}|{StateType.CANCELLED}"
_FLOW_RUNS: Final = equal(RUN_KIND, "flow_run")
_TASK_RUNS: Final = equal(RUN_KIND, "task_run")
_RETRIED: Final = (equal(STATE_FROM, StateType.RUNNING), equal(STATE_TO, StateType.SCHEDULED))

_RULE_TRACES: Final = traces(
    "Traces in which this rule objected",
    f'event.{RULE} = "{of_label(RULE)}" && event.{VERDICT} = "{of_label(VERDICT)}"',
)
_VERDICT_TRACES: Final = traces("Traces with this verdict", f'event.{VERDICT} = "{of_label(VERDICT)}"')
_RUN_TRACES: Final = traces(
    "Failed traces of changes of state", f'status = error && name =~ ".*set_state.*" && span.{OPERATION} != ""'
)
_LATE_LOOP: Final[Link] = dashboard(BACKGROUND, "Is the loop that looks for late runs well?")

LATE: Final = Panel(
    "Late runs by reason",
    "Flow runs that should have started and have not, by why. `lightwell explain RUN` says it of one run.",
    "short",
    (Query(or_zero(PANEL.most(business.RUNS_LATE, by=(LATE_REASON,))), legend(LATE_REASON)),),
    warn=1,
    bad=10,
    stacked=True,
    links=(_LATE_LOOP, TROUBLE_IN_LOGS),
)
ENDED: Final = Panel(
    "Runs that ended",
    "Flow runs a second by the state in which they ended.",
    "ops",
    (
        Query(
            or_zero(PANEL.per_second(words.TRANSITIONS, _FLOW_RUNS, like(STATE_TO, _ENDED), by=(STATE_TO,))),
            legend(STATE_TO),
        ),
    ),
    stacked=True,
    links=(_RUN_TRACES, TROUBLE_IN_LOGS),
)
STATES: Final = Panel(
    "Flow runs by state",
    "Flow runs that the database holds, by the type of their state.",
    "short",
    (Query(or_zero(PANEL.most(business.RUNS, _FLOW_RUNS, by=(STATE_TYPE,))), legend(STATE_TYPE)),),
)

_WORK: Final = Row(
    "Is work flowing",
    (
        STATES,
        Panel(
            "Task runs by state",
            "Task runs that the database holds, by the type of their state.",
            "short",
            (
                Query(
                    or_zero(PANEL.most(business.RUNS, _TASK_RUNS, by=(STATE_TYPE,))),
                    legend(STATE_TYPE),
                ),
            ),
        ),
        Panel(
            "Changes of state",
            "Committed changes a second, by kind of run and the state that was entered.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.TRANSITIONS, by=(RUN_KIND, STATE_TO))), legend(RUN_KIND, STATE_TO)),),
            links=(_RUN_TRACES,),
        ),
        ENDED,
        Panel(
            "Share of runs that failed",
            "Failed and crashed of all flow runs that ended within the window.",
            "percentunit",
            (
                Query(
                    or_zero(
                        divide(
                            PANEL.grown(words.TRANSITIONS, _FLOW_RUNS, like(STATE_TO, _UNWELL)),
                            PANEL.grown(words.TRANSITIONS, _FLOW_RUNS, like(STATE_TO, _ENDED)),
                        )
                    ),
                    "failed",
                ),
            ),
            warn=0.05,
            bad=0.25,
            links=(_RUN_TRACES, TROUBLE_IN_LOGS),
        ),
        Panel(
            "Log lines of runs",
            "Log lines that runs sent, a second.",
            "ops",
            (Query(or_zero(PANEL.per_second(business.LOG_LINES)), "lines"),),
            links=(dashboard(REQUESTS, "Requests"),),
        ),
    ),
)
_LATENESS: Final = Row(
    "Do runs start in time",
    (
        LATE,
        Panel(
            "How late the latest is",
            "How far past its scheduled time the latest of the late runs is, by reason.",
            "s",
            (Query(or_zero(PANEL.most(business.RUNS_LATE_AGE, by=(LATE_REASON,))), legend(LATE_REASON)),),
            warn=60,
            bad=600,
            links=(_LATE_LOOP,),
        ),
        Panel(
            "Start delay",
            "How much later than expected runs began, by kind: half and 95 % are faster.",
            "s",
            quantiles(business.RUN_START_DELAY, 0.5, 0.95, by=(RUN_KIND,)),
            warn=15,
            bad=60,
            links=(_LATE_LOOP,),
        ),
        Panel(
            "Scheduled runs",
            "Flow runs that wait for their time (`later`) or are past it (`overdue`).",
            "short",
            (Query(or_zero(PANEL.most(business.RUNS_SCHEDULED, by=(DUE,))), legend(DUE)),),
        ),
        Panel(
            "Waiting in queues",
            "Flow runs that are due and wait to be picked up, by the type of their work pool.",
            "short",
            (Query(or_zero(PANEL.most(business.QUEUE_DEPTH, by=(QUEUE_KIND,))), legend(QUEUE_KIND)),),
            warn=10,
            bad=100,
            links=(_LATE_LOOP,),
        ),
        Panel(
            "Longest wait in a queue",
            "How long the oldest run that is due has waited, by the type of its work pool.",
            "s",
            (Query(or_zero(PANEL.most(business.QUEUE_AGE, by=(QUEUE_KIND,))), legend(QUEUE_KIND)),),
            warn=60,
            bad=600,
            links=(_LATE_LOOP,),
        ),
    ),
)
_TIMES: Final = Row(
    "Durations and retries",
    (
        Panel(
            "Duration of flow runs",
            "How long flow runs that ended had been running, by the state in which they ended; 95 % are faster.",
            "s",
            (
                Query(
                    PANEL.quantile(0.95, business.RUN_DURATION, _FLOW_RUNS, by=(STATE_TYPE,)),
                    legend(STATE_TYPE),
                    exemplars=True,
                ),
            ),
        ),
        Panel(
            "Duration of task runs",
            "How long task runs that ended had been running, by the state in which they ended; 95 % are faster.",
            "s",
            (
                Query(
                    PANEL.quantile(0.95, business.RUN_DURATION, _TASK_RUNS, by=(STATE_TYPE,)),
                    legend(STATE_TYPE),
                    exemplars=True,
                ),
            ),
        ),
        Panel(
            "Retries",
            "Runs that went from Running back to Scheduled within the window, by kind.",
            "short",
            (Query(or_zero(PANEL.grown(words.TRANSITIONS, *_RETRIED, by=(RUN_KIND,))), legend(RUN_KIND)),),
            warn=10,
            bad=100,
            links=(TROUBLE_IN_LOGS,),
        ),
    ),
)
_RULES: Final = Row(
    "What the rules say",
    (
        Panel(
            "Objections by verdict",
            "Proposed changes of state that a rule did not accept, a second. ABORT tells the client to stop.",
            "ops",
            (Query(or_zero(PANEL.per_second(words.VERDICTS, by=(VERDICT,))), legend(VERDICT)),),
            links=(_VERDICT_TRACES,),
        ),
        Panel(
            "Objections by rule",
            "The same within the window, by rule and verdict, first ones included; click one for its traces.",
            "short",
            (Query(or_zero(PANEL.grown(words.VERDICTS, by=(RULE, VERDICT))), legend(RULE, VERDICT)),),
            links=(_RULE_TRACES,),
        ),
        Panel(
            "Objections of each rule, in all",
            "Since the processes began.",
            "short",
            (Query(or_zero(f"sort_desc({PANEL.since_start(words.VERDICTS, by=(RULE, VERDICT))})")),),
            kind="table",
            links=(_RULE_TRACES,),
        ),
    ),
)

PAGE: Final = Page(
    RUNS,
    "Lightwell / Runs",
    "States of runs, lateness by reason, durations, retries, and what the rules of orchestration said.",
    (_WORK, _LATENESS, _TIMES, _RULES),
)
