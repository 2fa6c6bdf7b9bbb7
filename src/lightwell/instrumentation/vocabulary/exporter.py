"""The metrics of the community's `prometheus-prefect-exporter`, by its names and with its labels.

Off unless a setting asks for them: their labels are names that users chose, which no other metric has. The names stand
here as OpenTelemetry wants them, and in Prometheus as that exporter has them: a counter's `_total` is added there.
"""

from typing import Final

from lightwell.instrumentation.vocabulary.attribute import AttributeName
from lightwell.instrumentation.vocabulary.metric import Metric

FLOW_NAME: Final = "flow_name"
DEPLOYMENT_NAME: Final = "deployment_name"
STATE_NAME: Final = "state_name"
WORK_POOL_NAME: Final = "work_pool_name"
WORK_QUEUE_NAME: Final = "work_queue_name"
IS_SCHEDULE_ACTIVE: Final = "is_schedule_active"
IS_PAUSED: Final = "is_paused"
PAUSED: Final = "paused"
PATH: Final = "path"
STATUS: Final = "status"
TAGS: Final = "tags"
TYPE: Final = "type"
PRIORITY: Final = "priority"
HEALTHY: Final = "healthy"
LATE_RUNS_COUNT: Final = "late_runs_count"
LAST_POLLED: Final = "last_polled"
MOST_LATE_RUNS: Final = "health_check_policy_maximum_late_runs"
LONGEST_UNPOLLED: Final = "health_check_policy_maximum_seconds_since_last_polled"

EXPORTER_ATTRIBUTES: Final = (
    AttributeName(FLOW_NAME, "string", "The exporter's label: a flow by its name."),
    AttributeName(DEPLOYMENT_NAME, "string", "The exporter's label: a deployment by its name; `null` for none."),
    AttributeName(STATE_NAME, "string", "The exporter's label: the name of a state."),
    AttributeName(WORK_POOL_NAME, "string", "The exporter's label: a work pool by its name."),
    AttributeName(WORK_QUEUE_NAME, "string", "The exporter's label: a work queue by its name; `None` for none."),
    AttributeName(IS_SCHEDULE_ACTIVE, "string", "The exporter's label: `True` where a deployment is not paused."),
    AttributeName(IS_PAUSED, "string", "The exporter's label: `True` or `False`."),
    AttributeName(PAUSED, "string", "The exporter's label: `True` or `False`."),
    AttributeName(PATH, "string", "The exporter's label: the path of a deployment."),
    AttributeName(STATUS, "string", "The exporter's label: `READY`, `NOT_READY` and the like."),
    AttributeName(TAGS, "string", "The exporter's label: the tags of a deployment, sorted, with commas between."),
    AttributeName(TYPE, "string", "The exporter's label: the type of a work pool; `null` of a work queue."),
    AttributeName(PRIORITY, "string", "The exporter's label: the priority of a work queue."),
    AttributeName(HEALTHY, "string", "The exporter's label: `null`, as the exporter has it of a list of queues."),
    AttributeName(LATE_RUNS_COUNT, "string", "The exporter's label: `null`, likewise."),
    AttributeName(LAST_POLLED, "string", "The exporter's label: `null`, likewise."),
    AttributeName(MOST_LATE_RUNS, "string", "The exporter's label: `null`, likewise."),
    AttributeName(LONGEST_UNPOLLED, "string", "The exporter's label: `null`, likewise."),
)

PREFECT_FLOWS: Final = Metric("prefect_flows_total", "gauge", "{flow}", "Prefect total flows.")
PREFECT_INFO_FLOWS: Final = Metric("prefect_info_flows", "gauge", "{flow}", "Prefect flow info.", (FLOW_NAME,))
PREFECT_DEPLOYMENTS: Final = Metric("prefect_deployments_total", "gauge", "{deployment}", "Prefect total deployments.")
PREFECT_INFO_DEPLOYMENTS: Final = Metric(
    "prefect_info_deployment",
    "gauge",
    "{deployment}",
    "Prefect deployment info.",
    (
        FLOW_NAME,
        IS_SCHEDULE_ACTIVE,
        DEPLOYMENT_NAME,
        PATH,
        PAUSED,
        WORK_POOL_NAME,
        WORK_QUEUE_NAME,
        STATUS,
        TAGS,
    ),
)
PREFECT_FLOW_RUNS: Final = Metric(
    "prefect_flow_runs_total", "gauge", "{run}", "Prefect total flow runs: those that ended within the window."
)
PREFECT_FLOW_RUNS_TIME: Final = Metric(
    "prefect_flow_runs_total_run_time",
    "counter",
    "{second}",
    "Prefect flow-run total run time in seconds, of those that ended within the window.",
    (FLOW_NAME, DEPLOYMENT_NAME),
    across="max",
)
PREFECT_INFO_FLOW_RUNS: Final = Metric(
    "prefect_info_flow_runs",
    "counter",
    "{run}",
    "Prefect flow runs info: how many began, or were to begin, within the window or after it.",
    (DEPLOYMENT_NAME, FLOW_NAME, STATE_NAME, WORK_QUEUE_NAME),
    across="max",
)
PREFECT_WORK_POOLS: Final = Metric("prefect_work_pools_total", "gauge", "{pool}", "Prefect total work pools.")
PREFECT_INFO_WORK_POOLS: Final = Metric(
    "prefect_info_work_pools",
    "gauge",
    "{pool}",
    "Prefect work pools info; 0 for one that is paused.",
    (IS_PAUSED, WORK_POOL_NAME, TYPE, STATUS),
)
PREFECT_WORK_QUEUES: Final = Metric("prefect_work_queues_total", "gauge", "{queue}", "Prefect total work queues.")
PREFECT_INFO_WORK_QUEUES: Final = Metric(
    "prefect_info_work_queues",
    "gauge",
    "{queue}",
    "Prefect work queues info; 0 for one that is paused.",
    (
        IS_PAUSED,
        WORK_QUEUE_NAME,
        PRIORITY,
        TYPE,
        WORK_POOL_NAME,
        STATUS,
        HEALTHY,
        LATE_RUNS_COUNT,
        LAST_POLLED,
        MOST_LATE_RUNS,
        LONGEST_UNPOLLED,
    ),
)
EXPORTER_DROPPED: Final = Metric(
    "lightwell.exporter_names.dropped",
    "gauge",
    "{series}",
    "Series by names of prometheus-prefect-exporter that were left out, because there are too many.",
)

EXPORTER_METRICS: Final = (
    PREFECT_FLOWS,
    PREFECT_INFO_FLOWS,
    PREFECT_DEPLOYMENTS,
    PREFECT_INFO_DEPLOYMENTS,
    PREFECT_FLOW_RUNS,
    PREFECT_FLOW_RUNS_TIME,
    PREFECT_INFO_FLOW_RUNS,
    PREFECT_WORK_POOLS,
    PREFECT_INFO_WORK_POOLS,
    PREFECT_WORK_QUEUES,
    PREFECT_INFO_WORK_QUEUES,
    EXPORTER_DROPPED,
)
