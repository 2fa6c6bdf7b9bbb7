"""A traceback for whoever looks for the cause: our own lines of code, a line each, and those of libraries counted."""

import re
from collections.abc import Iterator
from typing import Final

from lightwell.cli.terminal import Screen, plain, plain_lines

_FRAME: Final = re.compile(r'\s+File "(?P<file>[^"]*)", line (?P<line>\d+), in (?P<function>.*)')
_LIBRARY: Final = re.compile(r"(?:site-packages|dist-packages|/lib/python\d+\.\d+)/(?P<name>[^/]+)")
_FROZEN: Final = "<"
_INDENT: Final = "    "


def shortened(out: Screen, stack: str) -> Iterator[str]:
    """The lines of a traceback; of a frame of ours, where it is and its code."""
    counted: dict[str, int] = {}
    place: str | None = None
    for line in plain_lines(stack):
        frame = _FRAME.fullmatch(line)
        is_code = frame is None and line.startswith(_INDENT)
        if place is not None:
            yield from _left_out(out, counted)
            yield _written(out, place, line.strip() if is_code else "")
            place = None
        if frame is not None:
            library = _library(frame["file"])
            if library is None:
                place = f"{_shown(frame['file'])}:{frame['line']} {frame['function']}"
            else:
                counted[library] = counted.get(library, 0) + 1
        elif not is_code:
            yield from _left_out(out, counted)
            yield out.fit(line)
    if place is not None:
        yield _written(out, place, "")
    yield from _left_out(out, counted)


def _written(out: Screen, place: str, code: str) -> str:
    room = None if out.width is None else max(0, out.width - len(place) - 6)
    shown = code if room is None else out.fit(code, room)
    return f"  {out.paint(out.fit(place, (out.width or 2) - 2), 'bold')}    {out.paint(shown, 'dim')}".rstrip()


def _left_out(out: Screen, counted: dict[str, int]) -> Iterator[str]:
    if not counted:
        return
    frames = sum(counted.values())
    names = ", ".join(counted)
    counted.clear()
    yield out.paint(out.fit(f"  … {frames} frame{'' if frames == 1 else 's'} of {names}"), "dim")


def _library(file: str) -> str | None:
    """The library that a file belongs to; None for a program's own."""
    if file.startswith(_FROZEN):
        return plain(file).strip("<>").removeprefix("frozen ")
    found = _LIBRARY.findall(file.replace("/site-packages", "//site-packages"))
    name = found[-1] if found else None
    return None if name is None or name == "lightwell" else plain(name).removesuffix(".py")


def _shown(file: str) -> str:
    """The path as it is in the program, not on the machine that it ran on."""
    _, own, rest = file.rpartition("/lightwell/")
    return f"lightwell/{rest}" if own else file
