"""The settings of what the server tells about itself."""

from datetime import timedelta
from typing import Literal

from pydantic import field_validator

from lightwell.settings.section import Section, setting
from lightwell.settings.values import Duration

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class TelemetrySettings(Section):
    """What the server tells about itself; the standard OTEL_* variables say where it goes."""

    enabled: bool = setting("Make traces and metrics. Logs are written in any case.", default=True)
    baseline_ratio: float = setting(
        "The share of healthy requests whose trace is kept, from 0 to 1. Failed and slow ones are always kept.",
        0.01,
        aliases=("OTEL_TRACES_SAMPLER_ARG",),
        ge=0,
        le=1,
    )
    slow_after: Duration = setting(
        "A request that takes longer is slow, and its trace is kept.",
        timedelta(seconds=1),
        ge=timedelta(milliseconds=1),
        le=timedelta(hours=1),
    )
    flush_timeout: Duration = setting(
        "How long a stopping server tries to send what it has not sent yet.",
        timedelta(seconds=3),
        ge=timedelta(0),
        le=timedelta(minutes=10),
    )
    log_level: Level = setting(
        "The least severe log line that is written.",
        "INFO",
        aliases=("PREFECT_SERVER_LOGGING_LEVEL", "PREFECT_LOGGING_SERVER_LEVEL"),
    )
    log_format: Literal["auto", "json", "console"] = setting(
        "How log lines are written to standard error: json, console for reading, or auto: console on a terminal.",
        "auto",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value
