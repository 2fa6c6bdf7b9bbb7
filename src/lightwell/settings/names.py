"""The list of all settings, each with the environment variables it may come from.

The rule: `settings.loops.late_runs.period` is `LIGHTWELL_LOOPS_LATE_RUNS_PERIOD`; other programs' names come after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from lightwell.settings.values import write_duration

PREFIX = "LIGHTWELL_"
_BOUNDS = {"ge": "at least", "le": "at most"}


@dataclass(frozen=True, slots=True)
class Name:
    """One setting: where it is in the object, and its environment variables, the first of which wins."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def variable(self) -> str:
        """The setting's own environment variable."""
        return PREFIX + "_".join(self.path).upper()

    @property
    def aliases(self) -> tuple[str, ...]:
        """Environment variables of other programs that mean the same, in order of preference."""
        return tuple(self._note("aliases", ()))

    @property
    def variables(self) -> tuple[str, ...]:
        """All environment variables of the setting, in order of preference."""
        return (self.variable, *self.aliases)

    @property
    def unit(self) -> str:
        """What a plain number counts; empty for what is not a number, or carries its own unit."""
        return str(self._note("unit", ""))

    @property
    def secret(self) -> bool:
        """Whether the value must not be shown."""
        annotation = self.field.annotation
        return annotation is SecretStr or SecretStr in get_args(annotation)

    @property
    def bounds(self) -> str:
        """What the setting may hold, in words; empty where its type says it all."""
        limits = {
            bound: write(getattr(note, bound))
            for note in self.field.metadata
            for bound in _BOUNDS
            if hasattr(note, bound)
        }
        if {"ge", "le"} <= limits.keys():
            return f"from {limits['ge']} to {limits['le']}"
        choices = get_args(self.field.annotation) if get_origin(self.field.annotation) is Literal else ()
        return " or ".join(map(str, choices)) or " and ".join(f"{_BOUNDS[key]} {text}" for key, text in limits.items())

    def value_in(self, settings: BaseModel) -> Any:
        """The setting's value in a settings object."""
        value: Any = settings
        for attribute in self.path:
            value = getattr(value, attribute)
        return value

    def _note(self, key: str, default: object) -> Any:
        extra = self.field.json_schema_extra
        return extra.get(key, default) if isinstance(extra, dict) else default


def names_in(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Name]:
    """Every setting of a section and of the sections in it, in the order they are declared."""
    for attribute, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and get_origin(inner) is None and issubclass(inner, BaseModel):
            yield from names_in(inner, (*path, attribute))
        else:
            yield Name((*path, attribute), field)


def write(value: object) -> str:
    """A setting's value as an environment variable holds it; secrets are the caller's to mask."""
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)
