"""The small types that members of many models share: names, texts, numbers and JSON that a database can keep."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictFloat, StrictInt
from pydantic_core import PydanticSerializationError, to_json

from lightwell.kit.slugs import new_slug

MAX_PARAMETERS_BYTES = 524_288
"""How large the parameters of a run may be, as JSON."""

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text that a column can keep: PostgreSQL has no place for U+0000."""

Name = Annotated[str, Field(pattern=r"^[^/%&><\x00]+$")]
"""The name of an object that URLs may carry: not empty, without `/ % & > <`."""


def mended(value: str) -> str:
    """The text with U+FFFD for what no column can keep: U+0000 and lone surrogates."""
    if "\x00" in value:
        value = value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


Prose = Annotated[str, AfterValidator(mended)]
"""What a program has said: kept whatever it is; what no column can keep (U+0000, lone surrogates) becomes U+FFFD."""

Unicode = Annotated[str, Field(min_length=0)]
"""Text that can be written as JSON: a length, whichever, makes pydantic refuse lone surrogates."""


MAX_PATTERNS = 250
"""How many patterns or beginnings one list of a filter may have: each is a comparison of its own with every row."""

Patterns = Annotated[list[Text], Field(max_length=MAX_PATTERNS)]
"""Patterns or beginnings of texts, of which one must fit."""


def _named(value: object) -> object:
    return value or new_slug()


RunName = Annotated[Text, BeforeValidator(_named)]
"""The name of a run; where it is null or empty, two random words."""

NewRunName = Annotated[Text | None, BeforeValidator(_named)]
"""Another name for a run: null or empty means two random words; where it is not sent, the run keeps its name."""

Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
"""A whole number that a 4-byte column can keep."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A whole number of things, from none on, that a 4-byte column can keep."""

Seconds = Annotated[float, Field(ge=0, le=2**31)]
"""A length of time that can be added to the present without leaving the calendar."""

Offset = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""How many rows to leave out."""

PageNumber = Annotated[int, Field(ge=1, le=2**53)]
"""Which page, from 1 on."""


def _storable(value: Any) -> Any:
    try:
        to_json(value)
    except (PydanticSerializationError, ValueError) as error:
        message = f"cannot be kept as JSON: {error}"
        raise ValueError(message) from None
    return value


def _within_limit(value: dict[str, Any]) -> dict[str, Any]:
    try:
        size = len(to_json(value))
    except (PydanticSerializationError, ValueError) as error:
        message = f"cannot be kept as JSON: {error}"
        raise ValueError(message) from None
    if size > MAX_PARAMETERS_BYTES:
        message = f"parameters take at most {MAX_PARAMETERS_BYTES:,} bytes as JSON, these are {size:,}"
        raise ValueError(message)
    return value


JsonValue = Annotated[Any, AfterValidator(_storable)]
"""Any JSON that can be written back as JSON: no lone surrogates, no nesting without end."""

JsonObject = Annotated[dict[str, Any], AfterValidator(_storable)]
"""A JSON object of any members."""

Parameters = Annotated[dict[str, Any], AfterValidator(_within_limit)]
"""The parameters of a run: a JSON object of limited size."""

Labels = dict[Text, StrictBool | StrictInt | StrictFloat | Text]
"""Descriptive labels of an object."""
