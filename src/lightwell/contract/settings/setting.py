"""What all groups of settings share."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, WithJsonSchema

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

Secret = Annotated[SecretStr, WithJsonSchema({"type": "string", "format": "password"})]
"""A secret, which is answered masked; pydantic would call it one that is never answered."""


class Group(BaseModel):
    """Settings that belong together; durations are written as ISO 8601."""

    model_config = ConfigDict(extra="ignore", ser_json_timedelta="iso8601")
