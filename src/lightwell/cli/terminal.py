"""What is written where: how wide it may be, whether in colours, and text that cannot do anything to a terminal.

Plain text by hand and no library for it: a table, a bar and five styles are all that commands need, and the libraries
that have them take longer to import than a command takes to answer.
"""

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Final, Literal

from lightwell.settings.environment import is_without_colours

Style = Literal["bold", "dim", "red", "yellow", "green", "cyan"]

_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "yellow": "33", "green": "32", "cyan": "36"}
_LESS: Final = "…"
_LEAST_WIDTH: Final = 40
_LEAST_SQUEEZED: Final = 8
_UNSEEN: Final = "\N{REPLACEMENT CHARACTER}"
_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Screen:
    """Where a command writes to; `width` is None where lines may be of any length, as in a pipe."""

    width: int | None = None
    has_colours: bool = False
    has_unicode: bool = True

    def paint(self, text: str, *styles: Style) -> str:
        """The text in these styles, where there are any."""
        if not self.has_colours or not styles or not text:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def fit(self, text: str, room: int | None = None) -> str:
        """The text, cut to as many cells, or to a line, where lines have an end."""
        return text if self.width is None else cut(text, self.width if room is None else room)


def screen() -> Screen:
    """Standard output as it is."""
    out = sys.stdout
    if isinstance(out, TextIOWrapper):
        out.reconfigure(errors="replace")  # a terminal without Unicode still shows the rest
    has_unicode = (out.encoding or "").lower().replace("-", "") in {"utf8", "utf16", "utf32"}
    if not out.isatty():
        return Screen(has_unicode=has_unicode)
    width = max(_LEAST_WIDTH, shutil.get_terminal_size().columns)
    return Screen(width, has_colours=not is_without_colours(os.environ), has_unicode=has_unicode)


def plain(text: object) -> str:
    """On one line, and without anything that a terminal would obey: what clients send is shown, never done."""
    shown = " ".join(str(text).split())
    return shown if shown.isprintable() else "".join(_UNSEEN if _is_unseen(one) else one for one in shown)


def plain_lines(text: str) -> list[str]:
    """The same for text of several lines, whose indentation says something."""
    lines = text.replace("\t", "    ").split("\n")
    return ["".join(_UNSEEN if _is_unseen(one) else one for one in line.rstrip()) for line in lines]


def cells(text: str) -> int:
    """How many cells of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(one) for one in text)


def cut(text: str, room: int) -> str:
    """The text, shortened where it takes more cells than there are."""
    if cells(text) <= room:
        return text
    taken, left = [], room - 1
    for one in text:
        left -= _cells_of(one)
        if left < 0:
            break
        taken.append(one)
    return f"{''.join(taken)}{_LESS}" if room > 0 else ""


def squeezed(text: str, room: int) -> str:
    """The text, with its middle left out where it takes too many cells: both ends of a route say something."""
    if cells(text) <= room or room < _LEAST_SQUEEZED:
        return cut(text, room)
    head = cut(text, room // 2)
    tail = text
    while cells(head) + cells(tail) > room:
        tail = tail[1:]
    return f"{head}{tail}"


def padded(text: str, room: int, *, right: bool = False) -> str:
    """The text, with as many blanks as it takes to fill the room."""
    blanks = " " * (room - cells(text))
    return f"{blanks}{text}" if right else f"{text}{blanks}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: a `share` above 0 takes part of what the others leave, and is squeezed into it."""

    title: str
    share: int = 0
    is_number: bool = False


def table(out: Screen, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """The lines of a table; styles are the caller's to add, as they take no cells."""
    widths = [max([cells(column.title), *(cells(row[i]) for row in rows)]) for i, column in enumerate(columns)]
    if out.width is not None:
        _share_out(columns, widths, out.width - 2 * (len(columns) - 1))
    for row in ([column.title for column in columns], *rows):
        parts = [
            padded(text if out.width is None else squeezed(text, width), width, right=column.is_number)
            for text, width, column in zip(row, widths, columns, strict=True)
        ]
        yield "  ".join(parts).rstrip()


def _share_out(columns: Sequence[Column], widths: list[int], room: int) -> None:
    """Narrow the columns that have a share until all fit; one that needs less than its share leaves the rest."""
    room -= sum(width for width, column in zip(widths, columns, strict=True) if not column.share)
    narrow = sorted((i for i, column in enumerate(columns) if column.share), key=lambda i: widths[i])
    shares = sum(columns[i].share for i in narrow)
    for i in narrow:
        widths[i] = min(widths[i], max(1, room * columns[i].share // shares))
        room -= widths[i]
        shares -= columns[i].share


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _CONTROLS


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
