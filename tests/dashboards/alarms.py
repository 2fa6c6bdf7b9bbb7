"""For each alert a course of events in which it fires, and one close to it in which it must not."""

from dataclasses import dataclass
from typing import Final

from lightwell.instrumentation import vocabulary as words
from lightwell.instrumentation.vocabulary import Metric, business, prometheus_label, prometheus_name

Courses = dict[str, str]
"""Values a minute of each series, in promtool's words."""


@dataclass(frozen=True)
class Alarm:
    """An alert, what makes it fire and what does not, and when to look."""

    name: str
    fires: Courses
    quiet: Courses
    after: str


def series(metric: Metric, part: str = "", job: str = "lightwell", **attributes: str) -> str:
    """One series of a metric; attributes by the names of the vocabulary's constants."""
    named = {"job": job, "instance": "one:4200"}
    named |= {prometheus_label(getattr(words, constant)): value for constant, value in attributes.items()}
    named |= {"le": attributes["le"]} if "le" in attributes else {}
    return f"{prometheus_name(metric)}{part}{{{','.join(f'{name}={value!r}' for name, value in named.items())}}}"


def bucket(metric: Metric, le: str, **attributes: str) -> str:
    """One bucket of a histogram."""
    return series(metric, "_bucket", **attributes).replace("}", f",le={le!r}}}")


def _requests(failed: int, served: int, route: str = "/api/flow_runs/", method: str = "POST") -> Courses:
    """So many failed and served requests a minute, for seven hours."""
    asked = {"HTTP_ROUTE": route, "HTTP_METHOD": method}
    return {
        series(words.REQUEST_DURATION, "_count", HTTP_STATUS="500", **asked): f"0+{failed}x420",
        series(words.REQUEST_DURATION, "_count", HTTP_STATUS="201", **asked): f"0+{served}x420",
    }


def _waits(slow: int, all_of_them: int) -> Courses:
    return {
        bucket(words.UNIT_WAITED, "0.25", UNIT_KIND="write"): f"0+{all_of_them - slow}x60",
        bucket(words.UNIT_WAITED, "1", UNIT_KIND="write"): f"0+{all_of_them}x60",
        bucket(words.UNIT_WAITED, "+Inf", UNIT_KIND="write"): f"0+{all_of_them}x60",
    }


def _lags(slow: int, all_of_them: int) -> Courses:
    return {
        bucket(business.EVENT_LOOP_LAG, "0.1"): f"0+{all_of_them - slow}x60",
        bucket(business.EVENT_LOOP_LAG, "2.5"): f"0+{all_of_them}x60",
        bucket(business.EVENT_LOOP_LAG, "+Inf"): f"0+{all_of_them}x60",
    }


def _delays(slow: int, all_of_them: int) -> Courses:
    return {
        bucket(business.EVENTS_DELAY, "60"): f"0+{all_of_them - slow}x60",
        bucket(business.EVENTS_DELAY, "900"): f"0+{all_of_them}x60",
        bucket(business.EVENTS_DELAY, "+Inf"): f"0+{all_of_them}x60",
    }


def _ticks(failed: int, well: int) -> Courses:
    return {
        series(words.TICK_DURATION, "_count", LOOP="late_runs", OUTCOME="Defect"): f"0+{failed}x60",
        series(words.TICK_DURATION, "_count", LOOP="late_runs", OUTCOME="ok"): f"0+{well}x60",
    }


def _disk(course: str) -> Courses:
    return {series(business.DISK_FREE): course, series(business.DISK_SIZE): "100x420"}


_RUNNING: Final = series(words.APP_CACHE_LIVE)
_LATE: Final = series(business.RUNS_LATE, LATE_REASON="no_worker")
_REFUSED: Final = series(business.EVENTS_DROPPED, EVENT_DROP_REASON="refused")
_DOUBLE: Final = series(business.EVENTS_DROPPED, EVENT_DROP_REASON="duplicate")
_LOST: Final = series(words.SPANS_DROPPED, SIGNAL="traces", DROP_REASON="export_failed")
_STORE: Final = series(words.STORE_ON)
_PATIENCE: Final = series(words.PATIENCE, LOOP="late_runs")
_AGE: Final = series(words.LAST_SUCCESS_AGE, LOOP="late_runs")

ALARMS: Final = (
    Alarm("LightwellErrorBudgetBurnsFast", _requests(5, 95), _requests(1, 999), "2h"),
    Alarm("LightwellErrorBudgetBurnsSlowly", _requests(1, 120), _requests(1, 999), "7h"),
    Alarm("LightwellDown", {'up{job="lightwell",instance="one:4200"}': "1x5 0x10"}, {'up{job="other"}': "0x15"}, "10m"),
    Alarm("LightwellAbsent", {'up{job="other"}': "1x20"}, {_RUNNING: "1x20"}, "15m"),
    Alarm(
        "LightwellRestarting",
        {series(business.START_TIME): "100x4 200x4 300x4 400x4 500x4"},
        {series(business.START_TIME): "100x4 200x20"},
        "24m",
    ),
    Alarm(
        "LightwellMemoryHigh",
        {series(business.MEMORY): "3000000000x30"},
        {series(business.MEMORY): "3000000000x10 200000000x20"},
        "20m",
    ),
    Alarm("LightwellEventLoopBlocked", _lags(20, 100), _lags(0, 100), "30m"),
    Alarm("LightwellLoopStale", {_AGE: "0+60x20", _PATIENCE: "90x20"}, {_AGE: "0+60x20", _PATIENCE: "3600x20"}, "15m"),
    Alarm("LightwellLoopFailing", _ticks(8, 4), _ticks(1, 11), "40m"),
    Alarm("LightwellLateRunsGrowing", {_LATE: "0+1x60"}, {_LATE: "40x60"}, "50m"),
    Alarm("LightwellEventsDelayed", _delays(20, 100), _delays(1, 100), "30m"),
    Alarm("LightwellEventsRefused", {_REFUSED: "0+5x30"}, {_DOUBLE: "0+5x30"}, "20m"),
    Alarm(
        "LightwellStreamBacklog",
        {series(business.STREAM_BACKLOG, STREAM="events"): "2000x20"},
        {series(business.STREAM_BACKLOG, STREAM="events"): "2000x3 0x20"},
        "10m",
    ),
    Alarm("LightwellDatabaseWait", _waits(5, 100), _waits(0, 100), "20m"),
    Alarm("LightwellDiskAlmostFull", _disk("5x20"), _disk("50x20"), "10m"),
    Alarm("LightwellDiskFilling", _disk("45-0.05x420"), _disk("_x300 45-0.05x120"), "7h"),
    Alarm("LightwellTelemetryDropped", {_LOST: "_x5 3x20"}, {_LOST: "0x20"}, "10m"),
    Alarm("LightwellTraceStoreOff", {_STORE: "1x5 0x20"}, {_STORE: "1x5 0x5 1x20"}, "20m"),
)
