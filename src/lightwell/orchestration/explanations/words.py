"""How instants, lengths of time and what a client said are written in an explanation."""

from datetime import datetime, timedelta
from typing import Final

_LONGEST: Final = 300
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `4 min 3 s`; never negative."""
    seconds = max(0, round(length.total_seconds()))
    parts: list[str] = []
    for size, unit in _UNITS:
        number, seconds = divmod(seconds, size)
        if number or parts:
            parts.append(f"{number} {unit}" if number else "")
    return " ".join(part for part in parts[:2] if part) or "less than a second"


def clock(instant: datetime) -> str:
    """An instant to the second: `2026-06-01 12:00:03 UTC`."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def quoted(message: str | None) -> str:
    """The first line of what was said, in quotes and not too long; empty where nothing was."""
    line = next((line.strip() for line in (message or "").splitlines() if line.strip()), "")
    return f'"{line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"}"' if line else ""


def said(prefix: str, message: str | None) -> str:
    """The prefix, and what was said where something was."""
    return f"{prefix}: {line}" if (line := quoted(message)) else prefix
