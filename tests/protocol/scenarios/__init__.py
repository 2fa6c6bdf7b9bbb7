"""All scenarios: the contents page."""

from tests.protocol.scenarios import (
    administration,
    concurrency,
    events,
    flow_run_inputs,
    flow_run_lists,
    flow_run_states,
    flow_runs,
    flows,
    logs,
    task_run_events,
    task_runs,
)

SCENARIOS = (
    *flows.SCENARIOS,
    *flow_runs.SCENARIOS,
    *flow_run_states.SCENARIOS,
    *flow_run_inputs.SCENARIOS,
    *flow_run_lists.SCENARIOS,
    *task_runs.SCENARIOS,
    *task_run_events.SCENARIOS,
    *events.SCENARIOS,
    *logs.SCENARIOS,
    *concurrency.SCENARIOS,
    *administration.SCENARIOS,
)
