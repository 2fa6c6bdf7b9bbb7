"""The kinds of model: what the server answers, and what it is sent.

The small types that their members share are in `values.py`.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

_set = object.__setattr__


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        message = "the instant lies outside the years 1 to 9999"
        raise ValueError(message) from None


Instant = Annotated[datetime, AfterValidator(_in_utc)]
"""A point in time, kept in UTC; one without an offset is taken as UTC."""


class Model(BaseModel):
    """What the server answers: members it does not know are ignored; durations are seconds; floats are finite."""

    model_config = ConfigDict(extra="ignore", ser_json_timedelta="float", allow_inf_nan=False)

    @classmethod
    def trusted(cls, members: dict[str, Any]) -> Self:
        """A model of members that are known to be right, because the server itself has stored them.

        Nothing is validated, converted or filled in: `members` has every member, each of the type that the model
        declares, and belongs to the model from now on. Raises TypeError where a member is missing or unknown. Takes a
        third of the time of a validation.
        """
        if len(members) != len(cls.__pydantic_fields__):
            difference = members.keys() ^ cls.__pydantic_fields__.keys()
            raise TypeError(f"{cls.__name__} has not exactly these members: {', '.join(sorted(difference))}")
        model = cls.__new__(cls)
        _set(model, "__dict__", members)
        _set(model, "__pydantic_fields_set__", set(members))
        _set(model, "__pydantic_extra__", None)
        _set(model, "__pydantic_private__", None)
        return model


class Input(Model):
    """The body of a create or update request, or a filter object: unknown members are refused (422)."""

    model_config = ConfigDict(extra="forbid")


class Envelope(Model):
    """A body whose members each stand for themselves: unknown ones are ignored, and null counts as absent.

    So does null in place of the whole body.
    """

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, body: object) -> object:
        if body is None:
            return {}
        if isinstance(body, dict) and None in body.values():
            return {name: value for name, value in body.items() if value is not None}
        return body
