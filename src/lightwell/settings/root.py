"""The settings object, and how it is read from the environment."""

import os
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from lightwell.settings.environment import Environment, explain, refuse_unknown
from lightwell.settings.loops import LoopSettings
from lightwell.settings.names import names_in
from lightwell.settings.section import setting
from lightwell.settings.sections import (
    ApiSettings,
    ConcurrencySettings,
    DatabaseSettings,
    EventSettings,
    ListenSettings,
    LogSettings,
    UiSettings,
)
from lightwell.settings.telemetry import TelemetrySettings


class Settings(BaseSettings):
    """All settings: what the caller gives, else what the environment has, else the defaults.

    Frozen; objects with equal values are equal and have the same hash. Raises pydantic's ValidationError; `load`
    raises a SettingsError that names the variables instead.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = setting("The directory that holds what the server keeps in files.", Path("~/.lightwell"))
    listen: ListenSettings = ListenSettings()
    database: DatabaseSettings = DatabaseSettings()
    api: ApiSettings = ApiSettings()
    ui: UiSettings = UiSettings()
    loops: LoopSettings = LoopSettings()
    events: EventSettings = EventSettings()
    logs: LogSettings = LogSettings()
    concurrency: ConcurrencySettings = ConcurrencySettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def settings_customise_sources(  # noqa: D102 - the library's interface
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del env_settings, dotenv_settings, file_secret_settings  # one source, with one rule
        return init_settings, Environment(settings_cls)

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @model_validator(mode="after")
    def _with_a_database(self) -> Self:
        # Why here: the default lies under `home`, which a section cannot see.
        if self.database.url is None:
            url = SecretStr(f"sqlite:///{self.home / 'lightwell.sqlite3'}")
            self.__dict__["database"] = self.database.model_copy(update={"url": url})
        return self

    @property
    def database_url(self) -> str:
        """The URL of the database, with its password: never show it."""
        url = self.database.url
        return "" if url is None else url.get_secret_value()


def load(**given: Any) -> Settings:
    """The settings of this process: `given` first, then the environment, then the defaults.

    Raises SettingsError, a line for each variable that is unknown or does not hold what it should.
    """
    refuse_unknown(Settings, os.environ)
    try:
        return Settings(**given)
    except ValidationError as error:
        raise explain(error, list(names_in(Settings)), os.environ) from None
