"""One page of a list, and how many there are: both from one view of the database."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, TypedDict, TypeVar

from lightwell.storage.filters import Criteria
from lightwell.storage.transaction import Reader

T = TypeVar("T")


class Described(TypedDict):
    """The members of a page beside its results."""

    count: int
    limit: int
    pages: int
    page: int


class Page(NamedTuple):
    """Which page: its size, and its number from 1 on."""

    limit: int
    number: int

    def read(
        self,
        reader: Reader,
        select: Callable[..., list[T]],
        count: Callable[..., int],
        sort: StrEnum,
        criteria: Criteria,
    ) -> tuple[list[T], int]:
        """The results of this page, and how many there are on all pages."""
        offset = (self.number - 1) * self.limit
        return select(reader, sort=sort, limit=self.limit, offset=offset, **criteria), count(reader, **criteria)

    def described(self, count: int) -> Described:
        """What the answer says beside the results."""
        pages = -(-count // self.limit) if self.limit > 0 else 0
        return {"count": count, "limit": self.limit, "pages": pages, "page": self.number}
