"""What a metric is declared by."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its instrument, unit (UCUM), meaning and attributes; never ids, names of users' things or raw paths."""

    name: str
    instrument: Literal["histogram", "counter", "gauge", "updowncounter"]
    unit: str
    description: str
    attributes: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
