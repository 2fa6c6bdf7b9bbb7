"""Questions to Prometheus, made from the vocabulary's metrics and attributes: no name is spelled by hand."""

from dataclasses import dataclass, replace
from typing import Final

from lightwell.instrumentation.vocabulary import APP_CACHE_LIVE, Metric, prometheus_label, prometheus_name

OR_ZERO: Final = " or on() vector(0)"


def equal(attribute: str, value: str) -> str:
    """Series whose attribute is this value."""
    return f'{prometheus_label(attribute)}="{value}"'


def unequal(attribute: str, value: str) -> str:
    """Series whose attribute is not this value; `""` for those that have it."""
    return f'{prometheus_label(attribute)}!="{value}"'


def like(attribute: str, pattern: str) -> str:
    """Series whose attribute matches a pattern, from end to end."""
    return f'{prometheus_label(attribute)}=~"{pattern}"'


def unlike(attribute: str, pattern: str) -> str:
    """Series whose attribute does not match a pattern."""
    return f'{prometheus_label(attribute)}!~"{pattern}"'


def legend(*attributes: str) -> str:
    """A series by its values of these attributes."""
    return " ".join(f"{{{{{prometheus_label(attribute)}}}}}" for attribute in attributes)


def or_zero(expression: str) -> str:
    """Zero where there is nothing: trouble that never was is 0, not an empty panel."""
    return f"{expression}{OR_ZERO}"


def divide(part: str, whole: str) -> str:
    """A share; 0 where there is nothing of the whole."""
    return f"({part}) / ({whole} > 0)"


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for series of a scope (label matchers), with rates over a window; `by` names what is told apart."""

    scope: tuple[str, ...]
    window: str
    always_by: tuple[str, ...] = ()

    def over(self, window: str) -> "Asker":
        """The same, with another window."""
        return replace(self, window=window)

    def select(self, metric: Metric, *matches: str, part: str = "") -> str:
        """The series of a metric; `part` is `_bucket`, `_sum` or `_count` of a histogram."""
        if metric.instrument == "histogram" and not part:
            message = f"{metric.name} is a histogram: say which part of it"
            raise ValueError(message)
        chosen = ",".join((*self.scope, *matches))
        return f"{prometheus_name(metric)}{part}{{{chosen}}}" if chosen else f"{prometheus_name(metric)}{part}"

    def select_present(self) -> str:
        """A series that every server has, whatever it does."""
        return self.select(APP_CACHE_LIVE)

    def per_second(self, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """Events a second: of a counter, or of what a histogram counts."""
        return f"{self._sum(by)}(rate({self._counted(metric, *matches)}[{self.window}]))"

    def grown(self, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """Events within the window, first ones included.

        A counter that appears with its first event never grows for `increase`, so what is new counts whole.
        """
        counted = self._counted(metric, *matches)
        fresh = f"({counted} unless {counted} offset {self.window})"
        return f"{self._sum(by)}({fresh} or increase({counted}[{self.window}]))"

    def since_start(self, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """Events since each process began."""
        return f"{self._sum(by)}({self._counted(metric, *matches)})"

    def quantile(self, share: float, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """A quantile of a histogram."""
        buckets = self.select(metric, *matches, part="_bucket")
        return f"histogram_quantile({share}, {self._sum((*by, 'le'))}(rate({buckets}[{self.window}])))"

    def busy(self, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """The seconds of a histogram of durations that pass in a second: how many are at it at once."""
        return f"{self._sum(by)}(rate({self.select(metric, *matches, part='_sum')}[{self.window}]))"

    def total(self, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """A gauge of which each process has its own part: all parts together."""
        return f"{self._sum(by)}({self.select(metric, *matches)})"

    def most(self, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """A gauge of which the largest counts, or that every process reads from the one database."""
        return f"{self._aggregate('max', by)}({self.select(metric, *matches)})"

    def least(self, metric: Metric, *matches: str, by: tuple[str, ...] = ()) -> str:
        """A gauge of which the smallest counts."""
        return f"{self._aggregate('min', by)}({self.select(metric, *matches)})"

    def each(self, metric: Metric, *matches: str) -> str:
        """A gauge of each process, one series each; where several are behind one instance, the largest."""
        return f"max by (job, instance) ({self.select(metric, *matches)})"

    def share_free(self, free: Metric, whole: Metric) -> str:
        """What is free of a whole, of each process."""
        return f"{self.each(free)} / {self.each(whole)}"

    def _counted(self, metric: Metric, *matches: str) -> str:
        return self.select(metric, *matches, part="_count" if metric.instrument == "histogram" else "")

    def _sum(self, by: tuple[str, ...]) -> str:
        return self._aggregate("sum", by)

    def _aggregate(self, how: str, by: tuple[str, ...]) -> str:
        named = ", ".join((*self.always_by, *map(prometheus_label, by)))
        return f"{how} by ({named}) " if named else how


PANEL: Final = Asker(('job=~"$job"', 'instance=~"$instance"'), "$__rate_interval")
"""What panels ask: of the jobs and instances that were chosen above the dashboard."""
