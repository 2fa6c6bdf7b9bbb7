"""Questions that many panels ask."""

from lightwell.instrumentation.vocabulary import Metric
from tools.dashboards.page import Query
from tools.dashboards.promql import PANEL, legend


def quantiles(metric: Metric, *shares: float, by: tuple[str, ...] = ()) -> tuple[Query, ...]:
    """Below which value these shares of a histogram lie, each with its exemplars."""
    told = f"{legend(*by)} " if by else ""
    return tuple(
        Query(PANEL.quantile(share, metric, by=by), f"{told}p{share * 100:.0f}", exemplars=True) for share in shares
    )
