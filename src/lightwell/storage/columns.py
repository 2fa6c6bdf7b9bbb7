"""The column types of every table: what a value is in Python, and what it is in either database.

Each is chosen so that both databases compare and index the stored form natively, and so that a value is
converted by one plain function call. Tables are in `storage/tables/`.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, SafeUUID

from pydantic_core import PydanticSerializationError, from_json, to_json
from sqlalchemy import BigInteger, Dialect, Double, LargeBinary, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from lightwell.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ID_FROM_HEX: Final = "id_from_hex"
"""A function that connections to SQLite have: the bytes of an id from its hexadecimal text, as `Ids` binds it."""

_UNKNOWN = SafeUUID.unknown
_set_int: Callable[[UUID, int], None] = UUID.__dict__["int"].__set__
_set_is_safe: Callable[[UUID, SafeUUID], None] = UUID.__dict__["is_safe"].__set__


def to_micros(instant: datetime) -> int:
    """Whole microseconds since 1970 of an aware datetime: how a `Moment` is stored. TypeError when it is naive."""
    since = instant - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC datetime so many microseconds after 1970."""
    return EPOCH + timedelta(0, 0, micros)


def to_text(value: Any) -> str:
    """JSON text of any JSON value; integers of any size, NaN and the infinities survive.

    Raises Invalid when the value is nested too deeply (254 levels) or a text in it is no Unicode (a lone surrogate).
    """
    try:
        return to_json(value, inf_nan_mode="constants").decode()
    except PydanticSerializationError as error:
        if "depth exceeded" in str(error):
            raise Invalid("A value is nested too deeply to be stored") from None
        if "UnicodeEncodeError" in str(error):
            raise Invalid("A text holds characters that cannot be stored") from None
        raise


def from_text(text: str) -> Any:
    """The value that `to_text` wrote."""
    try:
        return from_json(text)
    except ValueError:
        # pydantic_core writes 254 levels and reads 200.
        return json.loads(text)


def _bind_uuid(value: UUID | None) -> bytes | None:
    return None if value is None else value.bytes


def _read_uuid(value: bytes | None) -> UUID | None:
    if value is None:
        return None
    # A quarter of the time of UUID(bytes=...), which checks what a 16 byte column cannot get wrong.
    made = object.__new__(UUID)
    _set_int(made, int.from_bytes(value))
    _set_is_safe(made, _UNKNOWN)
    return made


def _bind_trace_id(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)


def _read_trace_id(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _bind_moment(value: datetime | None) -> int | None:
    return None if value is None else to_micros(value)


def _read_moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def _bind_span(value: timedelta | None) -> int | None:
    return None if value is None else (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds


def _read_span(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(0, 0, value)


def _bind_json(value: Any) -> str | None:
    return None if value is None else to_text(value)


def _read_json(value: str | None) -> Any:
    return None if value is None else from_text(value)


def _bind_ids(value: list[UUID] | None) -> str | None:
    return None if value is None else to_text([one.hex for one in value])


_Processor = Callable[[Any], Any] | None


class Id(TypeDecorator[UUID]):
    """A `uuid.UUID`: 16 bytes on SQLite, `uuid` on PostgreSQL; both sort as the identifiers do."""

    impl = LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The native type where there is one."""
        if dialect.name == "postgresql":
            native: TypeEngine[Any] = dialect.type_descriptor(postgresql.UUID(as_uuid=True))
            return native
        return dialect.type_descriptor(LargeBinary(16))

    def bind_processor(self, dialect: Dialect) -> _Processor:
        """Bytes for SQLite; psycopg takes a UUID as it is."""
        return None if dialect.name == "postgresql" else _bind_uuid

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """A UUID from bytes; psycopg gives one."""
        return None if dialect.name == "postgresql" else _read_uuid


class TraceId(TypeDecorator[str]):
    """The id of a trace, 32 hexadecimal digits: 16 bytes on both databases."""

    impl = LargeBinary(16)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """Its bytes."""
        return _bind_trace_id

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """Its digits."""
        return _read_trace_id


class Span(TypeDecorator[timedelta]):
    """A `timedelta` as whole microseconds, to add to a `Moment` or to take from one inside a statement."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """Whole microseconds."""
        return _bind_span

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """A timedelta."""
        return _read_span


class Moment(TypeDecorator[datetime]):
    """An aware `datetime`, stored as whole microseconds since 1970 and read in UTC.

    In an expression a timedelta counts as a `Span` and an int as microseconds.
    """

    impl = BigInteger
    cache_ok = True

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """What the other side of an operator is."""
        if isinstance(value, timedelta):
            return Span()
        if isinstance(value, int):
            return BigInteger()
        compared: TypeEngine[Any] = super().coerce_compared_value(op, value)
        return compared

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """Whole microseconds since 1970."""
        return _bind_moment

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """A datetime in UTC."""
        return _read_moment


class Json(TypeDecorator[Any]):
    """Any JSON value as text; `None` is NULL.

    Nothing in the database looks inside: not a `jsonb`, because that loses big integers' form, NaN and NUL.
    """

    impl = Text
    cache_ok = True

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:  # noqa: ARG002 -- SQLAlchemy's signature
        """A bound value beside the column is a JSON value too."""
        return self

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """JSON text."""
        return _bind_json

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """The value."""
        return _read_json


class Tags(TypeDecorator[list[str]]):
    """A list of strings that statements look into: JSON text on SQLite (`json_each`), `jsonb` on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """`jsonb` where there is one."""
        return dialect.type_descriptor(postgresql.JSONB() if dialect.name == "postgresql" else Text())

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:  # noqa: ARG002 -- SQLAlchemy's signature
        """A list beside the column is a list of tags; anything else is plain text."""
        return self if isinstance(value, list | tuple | set | frozenset) else Text()

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """JSON text; PostgreSQL reads it by the cast that SQLAlchemy writes around the parameter."""
        return _bind_json

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002 -- SQLAlchemy's signature
        """A list; psycopg gives one."""
        return None if dialect.name == "postgresql" else _read_json


class Texts(TypeDecorator[list[str]]):
    """A list of texts as one parameter of a statement: JSON on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """An array where there are arrays."""
        return dialect.type_descriptor(postgresql.ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def bind_processor(self, dialect: Dialect) -> _Processor:
        """JSON text for SQLite; psycopg takes a list as it is."""
        return None if dialect.name == "postgresql" else _bind_json


class Ids(TypeDecorator[list[UUID]]):
    """A list of `uuid.UUID` as one parameter of a statement: JSON of hexadecimal text on SQLite, else an array."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """An array where there are arrays."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.ARRAY(postgresql.UUID(as_uuid=True)))
        return dialect.type_descriptor(Text())

    def bind_processor(self, dialect: Dialect) -> _Processor:
        """JSON text for SQLite; psycopg takes a list as it is."""
        return None if dialect.name == "postgresql" else _bind_ids


class Seconds(Double[float]):
    """A duration in seconds, as a double."""
