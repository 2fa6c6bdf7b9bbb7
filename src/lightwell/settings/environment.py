"""Reading settings from environment variables, and saying what is wrong with them one line each."""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from lightwell.settings.failures import SettingsError
from lightwell.settings.names import PREFIX, Name, names_in

# Kubernetes gives every container variables named after each service of its namespace, so a service called
# "lightwell" makes LIGHTWELL_SERVICE_HOST, LIGHTWELL_PORT and LIGHTWELL_PORT_4200_TCP_ADDR: no settings, no mistakes.
_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)\Z|_PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?\Z")

# Variables that choose where the reference server keeps or shows things: to ignore one silently would surprise.
_FOREIGN = ("PREFECT_SERVER_", "PREFECT_API_DATABASE_", "PREFECT_API_SERVICES_", "PREFECT_UI_")


class Environment(PydanticBaseSettingsSource):
    """The source of settings: for each one, the first of its variables that is set."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Part of the library's interface; settings are read all at once instead."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The settings the environment has, nested as the settings object is."""
        values: dict[str, Any] = {}
        for name in names_in(self.settings_cls):
            variable = variable_of(name, os.environ)
            if variable is None:
                continue
            section = values
            for part in name.path[:-1]:
                section = section.setdefault(part, {})
            section[name.path[-1]] = os.environ[variable]
        return values


def variable_of(name: Name, environ: Mapping[str, str]) -> str | None:
    """The environment variable a setting is taken from, or None where it keeps its default.

    An empty variable counts as one that is not set.
    """
    return next((variable for variable in name.variables if environ.get(variable, "").strip()), None)


def is_without_colours(environ: Mapping[str, str]) -> bool:
    """Whether whoever reads wants no colours (https://no-color.org), or has a terminal that knows none."""
    return bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"


def refuse_unknown(model: type[BaseSettings], environ: Mapping[str, str]) -> None:
    """Raise SettingsError for every variable with our prefix that is no setting, naming the closest one that is."""
    known = [name.variable for name in names_in(model)]
    unknown = sorted(
        variable
        for variable in environ
        if variable.startswith(PREFIX) and variable not in known and not _SERVICE_LINK.search(variable)
    )
    if unknown:
        raise SettingsError("\n".join(_suggestion(variable, known) for variable in unknown))


def unread(model: type[BaseSettings], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that were meant for the reference server's side and that are not read here."""
    read = {alias for name in names_in(model) for alias in name.aliases}
    return tuple(sorted(v for v in environ if v.startswith(_FOREIGN) and v not in read))


def explain(error: ValidationError, names: Sequence[Name], environ: Mapping[str, str]) -> SettingsError:
    """What is wrong, a line for each setting, in the words of the variable it came from."""
    by_path = {name.path: name for name in names}
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        path = tuple(str(part) for part in problem["loc"])
        name = next((by_path[path[:end]] for end in range(len(path), 0, -1) if path[:end] in by_path), None)
        label = ".".join(path) if name is None else variable_of(name, environ) or ".".join(name.path)
        lines.append(f"{label}: {_complaint(problem, name)}")
    return SettingsError("\n".join(dict.fromkeys(lines)))


def _complaint(problem: ErrorDetails, name: Name | None) -> str:
    if name is not None and problem["type"] in {"greater_than_equal", "less_than_equal"}:
        return f"must be {name.bounds}"
    return problem["msg"].removeprefix("Value error, ").replace("Input should be", "must be", 1)


def _suggestion(variable: str, known: Sequence[str]) -> str:
    by_rest = {name.removeprefix(PREFIX): name for name in known}
    closest = difflib.get_close_matches(variable.removeprefix(PREFIX), by_rest, n=1, cutoff=0.6)
    hint = f"did you mean {by_rest[closest[0]]}?" if closest else "`lightwell config` lists them all."
    return f"{variable} is not a setting; {hint}"
