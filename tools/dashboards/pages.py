"""The contents page: every dashboard."""

from typing import Final

from tools.dashboards import background, overview, requests, runs, storage, telemetry

PAGES: Final = (overview.PAGE, requests.PAGE, runs.PAGE, background.PAGE, storage.PAGE, telemetry.PAGE)
