"""From pages to Grafana's models: variables, layout, colours, links; the one file that knows the library."""

import json
from typing import Final

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from tools.dashboards.page import Link, Page, Panel, Query
from tools.dashboards.promql import Asker

SOURCE: Final = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
_TAG: Final = "lightwell"
_HEIGHTS: Final = {"graph": 8, "number": 4, "table": 8}

_AnyPanel = timeseries.Panel | stat.Panel | table.Panel


def render(page: Page) -> str:
    """The JSON of a dashboard."""
    built = (
        build.Dashboard(page.title)
        .uid(page.uid)
        .description(page.description)
        .tags([_TAG])
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("30s")
        .variables([_source(), _label_values("job", ""), _label_values("instance", 'job=~"$job"')])
        .link(
            build.DashboardLink("Lightwell")
            .type(dashboard.DashboardLinkType.DASHBOARDS)
            .tags([_TAG])
            .as_dropdown(as_dropdown=True)
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
        )
        .annotation(_alerts())
    )
    number = 0
    for row in page.rows:
        number += 1
        built = built.with_row(build.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            built = built.with_panel(_panel(panel, number))
    return json.dumps(built.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _source() -> build.DatasourceVariable:
    return build.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _label_values(name: str, scope: str) -> build.QueryVariable:
    """A variable with the values of a label, all of them chosen at first."""
    everywhere = Asker((scope,) if scope else (), "").select_present()
    everything = dashboard.VariableOption(selected=True, text="All", value="$__all")
    return (
        build.QueryVariable(name)
        .label(name.capitalize())
        .datasource(SOURCE)
        .query(f"label_values({everywhere}, {name})")
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .current(everything)
    )


def _alerts() -> build.AnnotationQuery:
    """Firing alerts as marks on every graph."""
    return (
        build.AnnotationQuery()
        .name("Alerts")
        .datasource(SOURCE)
        .enable(enable=True)
        .icon_color("red")
        .expr('ALERTS{alertstate="firing",alertname=~"Lightwell.+"}')
    )


def _panel(panel: Panel, number: int) -> _AnyPanel:
    if panel.kind == "graph":
        made: _AnyPanel = _graph(panel)
    else:
        made = _number() if panel.kind == "number" else _table()
    made.id(number).title(panel.title).description(panel.description).datasource(SOURCE).unit(panel.unit)
    made.span(panel.width).height(_HEIGHTS[panel.kind]).no_value("no data")
    steps = [dashboard.Threshold(value=value, color=colour) for value, colour in panel.steps]
    made.thresholds(build.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps))
    made.data_links([_link(link) for link in panel.links])
    for index, query in enumerate(panel.queries):
        made.with_target(_target(panel, query, chr(ord("A") + index)))
    return made


def _graph(panel: Panel) -> timeseries.Panel:
    graph = (
        timeseries.Panel()
        .draw_style(common.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(40 if panel.stacked else 8)
        .show_points(common.VisibilityMode.AUTO)
        .axis_soft_min(0)
        .color_scheme(build.FieldColor().mode(dashboard.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .tooltip(VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .legend(
            VizLegendOptions()
            .display_mode(common.LegendDisplayMode.TABLE)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs(["lastNotNull", "max"])
        )
    )
    return graph.stacking(StackingConfig().mode(common.StackingMode.NORMAL)) if panel.stacked else graph


def _number() -> stat.Panel:
    return (
        stat.Panel()
        .graph_mode(common.BigValueGraphMode.AREA)
        .color_mode(common.BigValueColorMode.VALUE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
    )


def _table() -> table.Panel:
    return table.Panel().with_transformation(
        dashboard.DataTransformerConfig(id_val="organize", options={"excludeByName": {"Time": True}})
    )


def _target(panel: Panel, query: Query, name: str) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expression).ref_id(name).datasource(SOURCE)
    if query.legend:
        target = target.legend_format(query.legend)
    if panel.kind == "table":
        return target.instant().format(PromQueryFormat.TABLE)
    return target.range().exemplar(query.exemplars)


def _link(link: Link) -> build.DashboardLink:
    return build.DashboardLink(link.title).url(link.url).target_blank(link.url.startswith("/explore"))
