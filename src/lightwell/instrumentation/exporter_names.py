"""The metrics of the community's `prometheus-prefect-exporter`, by its names; told only where a setting asks for it."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from lightwell.instrumentation import figures, metrics
from lightwell.instrumentation.vocabulary import Metric
from lightwell.instrumentation.vocabulary import exporter as declared

metrics.also_make(partial(figures.observe_all, declared.EXPORTER_METRICS))


class Told(Protocol):
    """Values by their labels (a named tuple), and how many there are in all."""

    @property
    def values(self) -> Mapping[Any, float]: ...  # noqa: D102 -- said above
    @property
    def total(self) -> int: ...  # noqa: D102


class Names(Protocol):
    """Everything that the exporter tells."""

    @property
    def flows(self) -> Told: ...  # noqa: D102 -- said above
    @property
    def deployments(self) -> Told: ...  # noqa: D102
    @property
    def flow_runs(self) -> int: ...  # noqa: D102
    @property
    def run_times(self) -> Told: ...  # noqa: D102
    @property
    def runs(self) -> Told: ...  # noqa: D102
    @property
    def pools(self) -> Told: ...  # noqa: D102
    @property
    def queues(self) -> Told: ...  # noqa: D102


def tell(found: Names) -> None:
    """Hold all of it for whoever collects metrics; what is left out is told as a number."""
    for metric, number in (
        (declared.PREFECT_FLOWS, found.flows.total),
        (declared.PREFECT_DEPLOYMENTS, found.deployments.total),
        (declared.PREFECT_FLOW_RUNS, found.flow_runs),
        (declared.PREFECT_WORK_POOLS, found.pools.total),
        (declared.PREFECT_WORK_QUEUES, found.queues.total),
    ):
        figures.put(metric, [(number, {})])
    dropped = sum(
        _tell_series(metric, told)
        for metric, told in (
            (declared.PREFECT_INFO_FLOWS, found.flows),
            (declared.PREFECT_INFO_DEPLOYMENTS, found.deployments),
            (declared.PREFECT_FLOW_RUNS_TIME, found.run_times),
            (declared.PREFECT_INFO_FLOW_RUNS, found.runs),
            (declared.PREFECT_INFO_WORK_POOLS, found.pools),
            (declared.PREFECT_INFO_WORK_QUEUES, found.queues),
        )
    )
    figures.put(declared.EXPORTER_DROPPED, [(dropped, {})])


def _tell_series(metric: Metric, told: Told) -> int:
    figures.put(metric, [(value, labels._asdict()) for labels, value in told.values.items()])
    return told.total - len(told.values)
