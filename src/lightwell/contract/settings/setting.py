"""What all groups of settings share."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Group(BaseModel):
    """Settings that belong together; durations are written as ISO 8601."""

    model_config = ConfigDict(extra="ignore", ser_json_timedelta="iso8601")
