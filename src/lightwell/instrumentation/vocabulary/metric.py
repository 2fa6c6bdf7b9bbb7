"""What a metric is declared by."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its instrument, unit (UCUM), meaning and attributes; never ids, names of users' things or raw paths.

    `across` says what the values of several processes of one server are together; by itself that is their sum, and of
    a gauge the largest.
    """

    name: str
    instrument: Literal["histogram", "counter", "gauge", "updowncounter"]
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    across: Literal["sum", "max", "min"] | None = None
