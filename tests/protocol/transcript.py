"""Makes two plays of one scenario comparable: what differs with every play is replaced by stable words."""

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from string import Template
from uuid import uuid4

from tests.protocol.scenario import Json
from tests.reference.serve import PASSWORD

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d(?:\.\d+)?)(Z|\+00:00|)")
_PAGE_TOKEN = re.compile(r"page-token=[^&\s]*")
_RELATIVE = re.compile(r"(ago|in)_(\d+)")
_THE_PRESENT = timedelta(days=2)
"""Instants this close to the play are the server's own; those further away come from the scenario, and stay."""
_MOMENT_SECONDS = 30
_DURATIONS = frozenset({"total_run_time", "estimated_run_time", "estimated_start_time_delta"})


def _normalise_duration(seconds: float) -> Json:
    """Whole seconds come from the scenario, and stay; what the server itself took is a moment."""
    if seconds and seconds.is_integer():
        return seconds
    return "<moment>" if 0 <= seconds < _MOMENT_SECONDS else "<seconds>"


def _instant(day: str, time: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)


class _Names(dict[str, str]):
    """Placeholders and their values; what is not saved is made when it is first asked for."""

    def __init__(self, start: datetime) -> None:
        super().__init__(unique=f"u{uuid4().hex[:10]}", password=PASSWORD, basic=b64encode(PASSWORD.encode()).decode())
        self._start = start

    def __missing__(self, name: str) -> str:
        if name.startswith("uuid_"):
            value = str(uuid4())
        elif name == "now":
            value = self._start.isoformat()
        elif found := _RELATIVE.fullmatch(name):
            away = timedelta(seconds=int(found[2]))
            value = (self._start + (away if found[1] == "in" else -away)).isoformat()
        else:
            raise KeyError(name)
        self[name] = value.replace("+00:00", "Z")
        return self[name]


class Vocabulary:
    """The values of one play: fills placeholders into requests, and takes them out of answers."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._start = datetime.now(UTC)
        self._names = _Names(self._start)
        self._ids: dict[str, str] = {}

    def save(self, name: str, value: str) -> None:
        """Keep a value of an answer under a name."""
        self._names[name] = value

    def fill(self, value: Json) -> Json:
        """The value with its placeholders replaced."""
        if isinstance(value, str):
            return Template(value).substitute(self._names)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {str(self.fill(key)): self.fill(item) for key, item in value.items()}
        return value

    def fill_text(self, text: str) -> str:
        """The text with its placeholders replaced."""
        return str(self.fill(text))

    def normalise(self, value: Json, mask: tuple[str, ...] = ()) -> Json:
        """The value with everything replaced that differs between plays; members in the order of their names."""
        if isinstance(value, str):
            return self._normalise_text(value)
        if isinstance(value, list):
            return [self.normalise(item, mask) for item in value]
        if isinstance(value, dict):
            return {
                str(self._normalise_text(key)): self._normalise_member(key, value[key], mask) for key in sorted(value)
            }
        return value

    def _normalise_member(self, name: str, value: Json, mask: tuple[str, ...]) -> Json:
        if name in mask and value is not None:
            return f"<{type(value).__name__}>"
        if name in _DURATIONS and isinstance(value, float):
            return _normalise_duration(value)
        return self.normalise(value, mask)

    def _normalise_text(self, text: str) -> str:
        text = _INSTANT.sub(self._normalise_instant, text).replace(self._base_url, "<url>")
        text = _PAGE_TOKEN.sub("page-token=<token>", text)
        for value, name in self._known():
            text = text.replace(value, f"<{name}>")
        return _ID.sub(lambda found: self._ids.setdefault(found[0], f"<id {len(self._ids) + 1}>"), text)

    def _known(self) -> Iterator[tuple[str, str]]:
        named = ((value, name) for name, value in self._names.items() if value)
        return iter(sorted(named, key=lambda item: -len(item[0])))

    def _normalise_instant(self, found: re.Match[str]) -> str:
        day, between, time, offset = found.groups()
        instant = _instant(day, time)
        for name, value in self._names.items():
            if (name == "now" or _RELATIVE.fullmatch(name)) and datetime.fromisoformat(value) == instant:
                return f"<{name}>{between.strip('T')}{offset}"
        if abs(instant - self._start) > _THE_PRESENT:
            return found[0]
        return f"<time>{between.strip('T')}{offset}"
