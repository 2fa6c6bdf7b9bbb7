"""The line of code that a traceback points at: the innermost of our own, or of whoever wrote the program."""

import re
from typing import Final

_FRAME: Final = re.compile(r'^\s+File "([^"]{1,500})", line (\d{1,9}), in (.{1,200})$', re.MULTILINE)
_TRACEBACK: Final = "Traceback (most recent call last):"
_OWN: Final = "/lightwell/"
_FOREIGN: Final = ("/site-packages/", "/dist-packages/", "/lib/python", "<frozen ", "<string>")
_PLUMBING: Final = (
    "lightwell/instrumentation/",
    "lightwell/storage/transaction.py",
    "lightwell/storage/prepared.py",
    "lightwell/storage/jobs.py",
)
"""Through which every statement goes: what stands there says nothing about the one that failed."""


def top_frame(stack: str | None) -> str | None:
    """`lightwell/storage/flow_runs.py:141 find`: where the first cause was raised, or what called the library that did.

    Of a traceback without a frame of this server (a client's), the innermost that is no library's; None where there
    is no such frame either.
    """
    if not stack:
        return None
    parts = [_FRAME.findall(part) for part in stack.split(_TRACEBACK)]
    for is_wanted in (_is_own, _is_program):
        for frames in parts:
            for file, line, function in reversed(frames):
                if is_wanted(file):
                    return f"{_shown(file)}:{line} {function}"
    return None


def _is_own(file: str) -> bool:
    return _OWN in file and not any(place in file for place in _PLUMBING)


def _is_program(file: str) -> bool:
    return not any(place in file for place in _FOREIGN)


def _shown(file: str) -> str:
    """The path inside the package; of another program's file the last two names."""
    own = file.rpartition(_OWN)[2] if _OWN in file else None
    return f"lightwell/{own}" if own is not None else "/".join(file.split("/")[-2:])
