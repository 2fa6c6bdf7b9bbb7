"""What a dashboard is, said without Grafana's words: pages of rows of panels, each with its questions."""

from dataclasses import dataclass
from typing import Literal

OK = "green"
WARN = "orange"
BAD = "red"
CALM = "blue"


@dataclass(frozen=True, slots=True)
class Query:
    """One question to Prometheus; `legend` names its series; exemplars are for histograms."""

    expression: str
    legend: str = ""
    exemplars: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A way from a panel to what explains it."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One answer: `kind` is how it is shown, `unit` Grafana's name of its unit.

    `warn` and `bad` are the values from which it is no longer well; `low` says that small values are the bad ones.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["graph", "number", "table"] = "graph"
    warn: float | None = None
    bad: float | None = None
    low: bool = False
    width: int = 8
    stacked: bool = False
    links: tuple[Link, ...] = ()

    @property
    def steps(self) -> tuple[tuple[float | None, str], ...]:
        """Colours by value, ascending; None is minus infinity."""
        named = [(value, colour) for value, colour in ((self.warn, WARN), (self.bad, BAD)) if value is not None]
        if not named:
            return ((None, CALM),)
        if not self.low:
            return ((None, OK), *named)
        above = [OK, *(colour for _, colour in named)]
        values = [value for value, _ in named]
        return tuple(zip((None, *reversed(values)), reversed(above), strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One dashboard: an answer to one question of an operator."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All its panels."""
        return tuple(panel for row in self.rows for panel in row.panels)
