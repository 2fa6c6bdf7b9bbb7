"""The shapes that filters of many resources share: what a filter object may say of one column.

Members of one object are joined by its operator (`and_` where it has none); null says nothing; an empty `any_` matches
nothing.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lightwell.contract.model import Input, Instant
from lightwell.contract.values import Int32, Text


class Operator(StrEnum):
    """How the criteria of a filter are joined."""

    AND = "and_"
    OR = "or_"


class Criteria(Input):
    """Criteria that are joined by an operator."""

    operator: Operator = Operator.AND


class IdAny(Input):
    """The id is one of these."""

    any_: list[UUID] | None = None

    def includes(self, value: UUID | None) -> bool:
        """Whether an id, or its absence, satisfies this."""
        return self.any_ is None or value in self.any_


class IdFilter(IdAny):
    """The id is one of these, and none of those."""

    not_any_: list[UUID] | None = None


class IdAnyOrNull(IdAny):
    """The id is one of these; it is absent, or is present."""

    is_null_: bool | None = None

    def includes(self, value: UUID | None) -> bool:
        """Whether an id, or its absence, satisfies this."""
        return super().includes(value) and self.is_null_ in (None, value is None)


class TextAny(Input):
    """The text is one of these."""

    any_: list[Text] | None = None


class TextFilter(TextAny):
    """The text is one of these, and none of those."""

    not_any_: list[Text] | None = None


class NameFilter(TextAny):
    """The name is one of these and has this inside, in any case of letters; `%` and `_` are wildcards as in SQL."""

    like_: Text | None = None


class NullableIdFilter(Criteria):
    """The id is one of these, or is absent, or is present."""

    any_: list[UUID] | None = None
    is_null_: bool | None = None


class NullableTextFilter(Criteria):
    """The text is one of these, or is absent, or is present."""

    any_: list[Text] | None = None
    is_null_: bool | None = None


class TimeFilter(Input):
    """The instant lies between these, both included."""

    before_: Instant | None = None
    after_: Instant | None = None

    def includes(self, value: datetime) -> bool:
        """Whether an instant satisfies this."""
        return (self.before_ is None or value <= self.before_) and (self.after_ is None or value >= self.after_)


class NullableTimeFilter(TimeFilter):
    """The instant lies between these, both included; or is absent, or is present."""

    is_null_: bool | None = None


class LevelFilter(Input):
    """The number lies between these, both included."""

    ge_: Int32 | None = None
    le_: Int32 | None = None

    def includes(self, value: int) -> bool:
        """Whether a number satisfies this."""
        return (self.ge_ is None or value >= self.ge_) and (self.le_ is None or value <= self.le_)


class TagsFilter(Criteria):
    """The tags have all of these, or there are none, or there are some."""

    all_: list[Text] | None = None
    is_null_: bool | None = None


class AnyTagsFilter(TagsFilter):
    """The tags have all of these, one of those, or there are none, or there are some."""

    any_: list[Text] | None = None
