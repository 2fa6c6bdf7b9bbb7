"""Instants and lengths of time, as they are typed and as they are shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lightwell.cli.moments import ago, instant_in, length, seconds_in, sent, shown
from lightwell.errors import Invalid

HERE = timezone(timedelta(hours=2))
NOW = datetime(2026, 3, 4, 3, 10, 0, tzinfo=HERE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h", datetime(2026, 3, 4, 2, 10, tzinfo=HERE)),
        ("90", datetime(2026, 3, 4, 3, 8, 30, tzinfo=HERE)),
        ("02:30", datetime(2026, 3, 4, 2, 30, tzinfo=HERE)),
        ("2026-03-03T23:00:00Z", datetime(2026, 3, 3, 23, tzinfo=UTC)),
        ("2026-03-03 23:00", datetime(2026, 3, 3, 23, tzinfo=HERE)),
        ("2026-03-03", datetime(2026, 3, 3, tzinfo=HERE)),
    ],
)
def test_when(text: str, expected: datetime) -> None:
    """Ago, a time of today, or an instant; without a zone it is the reader's."""
    assert instant_in(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "1y", "25:00", "2026-02-30"])
def test_what_is_no_time(text: str) -> None:
    """Said with examples."""
    with pytest.raises(Invalid, match="is no time: 1h"):
        instant_in(text, NOW)


def test_how_long() -> None:
    """As settings are written."""
    assert [seconds_in(text) for text in ("500ms", "2s", "1.5m", "0")] == [0.5, 2, 90, 0]
    with pytest.raises(Invalid, match="is no length of time"):
        seconds_in("soon")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 µs"),
        (0.000_95, "950 µs"),
        (0.001, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (0.25, "250 ms"),
        (1.5, "1.50 s"),
        (59.94, "59.9 s"),
        (125, "2 min 5 s"),
        (12_000, "3 h 20 min"),
    ],
)
def test_lengths_have_three_digits(seconds: float, expected: str) -> None:
    """Of the unit that suits them."""
    assert length(seconds) == expected


def test_instants_are_short() -> None:
    """Of today the time alone."""
    yesterday = NOW - timedelta(days=1)

    assert (shown(NOW, NOW), shown(yesterday, NOW)) == ("03:10:00", "03-03 03:10:00")
    assert [ago(NOW - timedelta(seconds=one), NOW) for one in (-1, 5, 120, 7200, 200_000)] == [
        "0 s ago",
        "5 s ago",
        "2 min ago",
        "2 h ago",
        "2 d ago",
    ]
    assert sent(NOW) == "2026-03-04T01:10:00+00:00"
