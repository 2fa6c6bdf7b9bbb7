"""What a group of settings is, and what is said about each of them."""

from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lightwell.settings.values import parse_optional

NoneWhenEmpty = BeforeValidator(parse_optional)


def setting(description: str, default: Any, *, unit: str = "", aliases: tuple[str, ...] = (), **bounds: Any) -> Any:
    """One setting: `aliases` are environment names of other programs that mean the same."""
    return Field(
        default=default,
        description=description,
        json_schema_extra={"unit": unit, "aliases": list(aliases)},
        validate_default=True,
        **bounds,
    )


class Section(BaseModel):
    """A group of settings: equal values make equal, hashable sections; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=False)
