"""What was last read from the database by the clock, held for whoever collects metrics.

Every value that a metric's attribute can have is told, with 0 where there is nothing: a panel that is empty would not
say whether all is well or nobody looks.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, Protocol, get_args

from opentelemetry.metrics import Meter

from lightwell.contract.states import StateType
from lightwell.instrumentation import metrics
from lightwell.instrumentation import vocabulary as names
from lightwell.instrumentation.metrics import Attributes, observe
from lightwell.instrumentation.vocabulary import Metric
from lightwell.instrumentation.vocabulary import business as declared

Values = list[tuple[float, Attributes]]

_READ: Final = (
    declared.RUNS,
    declared.RUNS_SCHEDULED,
    declared.RUNS_LATE,
    declared.RUNS_LATE_AGE,
    declared.QUEUE_DEPTH,
    declared.QUEUE_AGE,
    declared.LEASES_HELD,
    declared.LEASES_AGE,
    declared.TABLE_ROWS,
    declared.TABLE_SIZE,
    declared.DATABASE_SIZE,
)
_NONE: Final = "none"
_OTHER: Final = "other"
_POOL_TYPES: Final = frozenset(
    {
        "process",
        "docker",
        "kubernetes",
        "ecs",
        "ecs:push",
        "cloud-run",
        "cloud-run:push",
        "cloud-run-v2",
        "cloud-run-v2:push",
        "vertex-ai",
        "azure-container-instance",
        "azure-container-instance:push",
        "coiled:push",
        "modal:push",
        "prefect-agent",
        "prefect:managed",
    }
)


class Overdue(Protocol):
    """Flow runs that are due, for one reason, in queues of one kind; `oldest_age` in seconds."""

    @property
    def pool_type(self) -> str | None: ...  # noqa: D102 -- said above
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def is_late(self) -> bool: ...  # noqa: D102
    @property
    def number(self) -> int: ...  # noqa: D102
    @property
    def oldest_age(self) -> float: ...  # noqa: D102


_values: dict[tuple[str, str], Values] = {}
"""By a metric's name, and by the part of it that was read at once."""


def put(metric: Metric, values: Values, part: str = "") -> None:
    """Hold values of a metric from now on, in place of those that this part of it had."""
    _values[metric.name, part] = values


def forget() -> None:
    """Hold nothing: nobody reads any more."""
    _values.clear()


def read(name: str) -> Values:
    """What is held of a metric."""
    return [value for (held, _), values in list(_values.items()) if held == name for value in values]


def observe_all(read_metrics: Iterable[Metric], meter: Meter) -> None:
    """Make instruments of metrics that are read from here."""
    for metric in read_metrics:
        observe(meter, metric, partial(read, metric.name))


metrics.also_make(partial(observe_all, _READ))


def tell_runs(kind: str, by_state: Mapping[str | None, int]) -> None:
    """How many runs of a kind are in a state of each type; None for those without one."""
    found: Values = [
        (by_state.get(state.value, 0), {names.RUN_KIND: kind, names.STATE_TYPE: state.value}) for state in StateType
    ]
    found.append((by_state.get(None, 0), {names.RUN_KIND: kind, names.STATE_TYPE: "NONE"}))
    put(declared.RUNS, found, kind)


def tell_scheduled(later: int, overdue: Iterable[Overdue]) -> None:
    """How many flow runs wait for their time, and those whose time has come."""
    due = list(overdue)
    numbers: Values = [(later, {names.DUE: "later"}), (sum(one.number for one in due), {names.DUE: "overdue"})]
    put(declared.RUNS_SCHEDULED, numbers)
    late = {
        reason: [one for one in due if one.is_late and one.reason == reason] for reason in get_args(declared.LateReason)
    }
    _tell_groups(declared.RUNS_LATE, declared.RUNS_LATE_AGE, names.LATE_REASON, late)
    kinds: dict[str, list[Overdue]] = {_NONE: []}
    for one in due:
        kinds.setdefault(_queue_kind(one.pool_type), []).append(one)
    _tell_groups(declared.QUEUE_DEPTH, declared.QUEUE_AGE, names.QUEUE_KIND, kinds)


def tell_leases(number: int, oldest_age: float) -> None:
    """How many leases hold, and for how many seconds the oldest of them has."""
    put(declared.LEASES_HELD, [(number, {})])
    put(declared.LEASES_AGE, [(oldest_age, {})])


def tell_sizes(rows: Mapping[str, int], sizes: Mapping[str, int], database: int) -> None:
    """Rows and bytes of each table, and the bytes of the database."""
    put(declared.TABLE_ROWS, [(number, {names.TABLE: table}) for table, number in rows.items()])
    put(declared.TABLE_SIZE, [(size, {names.TABLE: table}) for table, size in sizes.items()])
    put(declared.DATABASE_SIZE, [(database, {})])


def _tell_groups(number: Metric, age: Metric, attribute: str, groups: Mapping[str, list[Overdue]]) -> None:
    put(number, [(sum(one.number for one in group), {attribute: value}) for value, group in groups.items()])
    ages = {value: max((one.oldest_age for one in group), default=0.0) for value, group in groups.items()}
    put(age, [(oldest, {attribute: value}) for value, oldest in ages.items()])


def _queue_kind(pool_type: str | None) -> str:
    if pool_type is None:
        return _NONE
    return pool_type if pool_type in _POOL_TYPES else _OTHER
