"""What several processes have counted, put together: by which rule, in whatever order, and whoever of them has died."""

import multiprocessing
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from lightwell.instrumentation.exposition.families import Families, Family, families_of, together
from lightwell.instrumentation.exposition.spool import Spool, spooling
from lightwell.instrumentation.exposition.text import written

_SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files of these tests lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _measured(measure: Callable[[Any], None]) -> Families:
    """What comes out of the SDK."""
    reader = InMemoryMetricReader()
    measure(MeterProvider([reader], shutdown_on_exit=False).get_meter("test"))
    return families_of(reader.get_metrics_data())


def _counter(value: float) -> Families:
    return {"c_total": Family("counter", "Counted.", points={"": value})}


def _gauge(value: float, across: Any = "max") -> Families:
    return {"g": Family("gauge", "Measured.", across=across, points={'a="b"': value})}


def test_each_kind_is_put_together_by_its_rule() -> None:
    """Counters, histograms and up-down counters are summed; gauges by what the vocabulary says, else the largest."""

    def measure(number: int) -> Callable[[Any], None]:
        def of(meter: Any) -> None:
            meter.create_counter("jobs", unit="{job}").add(number, {"kind": 'a"b\\c\nd'})
            meter.create_up_down_counter("open").add(number)
            meter.create_gauge("age", unit="s").set(number)
            meter.create_gauge("lightwell.disk.free", unit="By").set(number)
            meter.create_histogram("took", unit="s", explicit_bucket_boundaries_advisory=[1.0]).record(number)

        return of

    text = written(together([_measured(measure(1)), _measured(measure(2))]), openmetrics=False).decode()

    assert [line for line in text.splitlines() if line[0] != "#"] == [
        "age_seconds 2",
        'jobs_total{kind="a\\"b\\\\c\\nd"} 3',
        "lightwell_disk_free_bytes 1",
        "open 3",
        'took_seconds_bucket{le="1.0"} 1',
        'took_seconds_bucket{le="+Inf"} 2',
        "took_seconds_sum 3",
        "took_seconds_count 2",
    ]


def test_sums_do_not_depend_on_the_order() -> None:
    """Else a counter could go back by its last bit, which Prometheus takes for a restart."""
    chance = random.Random(4)  # noqa: S311 -- any order will do
    several = [_measured(lambda meter: _record(meter, chance)) for _ in range(7)]
    whole = written(together(several), openmetrics=False)
    for _ in range(50):
        chance.shuffle(several)
        cut = chance.randrange(len(several))
        ended = together([], several[:cut])
        assert written(together(several[cut:], [ended]), openmetrics=False) == whole


def _record(meter: Any, chance: random.Random) -> None:
    histogram, counter = meter.create_histogram("took", unit="s"), meter.create_counter("spent", unit="s")
    for _ in range(20):
        histogram.record(chance.random() / 1000)
        counter.add(chance.random() / 1000)


def test_one_metric_declared_twice_is_written_once() -> None:
    """By two scopes, or by names that are one in Prometheus; what cannot be put together is left out."""

    def measure(meter: Any) -> None:
        meter.create_counter("same.name").add(1)
        meter.create_counter("same_name").add(2)
        meter.create_histogram("odd", explicit_bucket_boundaries_advisory=[1.0]).record(1)
        meter.create_histogram("odd_", explicit_bucket_boundaries_advisory=[2.0]).record(1)

    text = written(_measured(measure), openmetrics=True).decode()

    assert text.count("# TYPE same_name counter") == 1
    assert "same_name_total 3" in text


def test_numbers_that_json_has_not_do_no_harm() -> None:
    """A gauge without a number is written as such, and is nothing to the other processes."""
    assert b'g{a="b"} NaN\n' in written(_gauge(float("nan")), openmetrics=True)
    assert b'g{a="b"} +Inf\n' in written(_gauge(float("inf")), openmetrics=True)
    with spooling() as directory:
        one, other = Spool(directory), Spool(directory)
        one.write(_gauge(float("nan")))
        other.write(_gauge(1.5))
        assert one.read() == _gauge(1.5)


def _count_and_die(directory: Path, value: float) -> None:
    mine = Spool(directory)
    mine.write(_counter(value) | _gauge(value))


def _die(directory: Path, value: float) -> None:
    process = _SPAWN.Process(target=_count_and_die, args=(directory, value))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_the_dead_stay_counted_once() -> None:
    """Their counters are kept in one file, their own are removed, their gauges are gone; however often it is read."""
    with spooling() as directory:
        mine = Spool(directory)
        mine.write(_counter(1) | _gauge(1))
        for number in (10, 100):
            _die(directory, number)
            for _ in range(2):
                assert mine.read()["g"].points == {'a="b"': 1}
        assert mine.read()["c_total"].points == {"": 111}
        assert len(list(directory.glob("*.metrics"))) == 1
        assert len(list(directory.glob("*.alive"))) == 1


def test_a_reader_that_died_in_between_counts_nothing_twice(temporary: Path) -> None:
    """The dead were folded into one, and their files are still there: they are known to be in it."""
    with spooling() as directory:
        mine = Spool(directory)
        _die(directory, 10)
        leftovers = temporary / "leftovers"
        shutil.copytree(directory, leftovers)
        assert mine.read()["c_total"].points == {"": 10}
        for path in leftovers.glob("*.metrics"):
            shutil.copy(path, directory / path.name)
        assert mine.read()["c_total"].points == {"": 10}
        assert list(directory.glob("*.metrics")) == []


def test_what_is_in_use_does_not_look_old() -> None:
    """Programs that clear directories of temporary files go by age."""
    with spooling() as directory:
        mine = Spool(directory)
        _die(directory, 10)
        mine.read()
        files = [*directory.glob("*.alive"), directory / "ended"]
        for path in files:
            os.utime(path, (0, 0))
        mine.write(_counter(1))
        mine.read()
        assert len(files) == 2
        assert all(path.stat().st_mtime > 0 for path in files)


def test_directories_are_cleared_when_nobody_is_left(temporary: Path) -> None:
    """One whose server lives is left alone, and so is one whose processes have outlived their server."""
    stale = temporary / "lightwell-metrics-stale"
    orphaned = temporary / "lightwell-metrics-orphaned"
    strange = temporary / "lightwell-metrics-strange"
    for directory in (stale, orphaned, strange):
        directory.mkdir()
    for directory in (stale, orphaned):
        (directory / "owner").touch()
    orphan = Spool(orphaned)
    with spooling() as first, spooling() as second:
        assert first.exists()
        assert second.exists()
        assert not stale.exists()
        assert orphaned.exists()
        assert strange.exists()
    assert not first.exists()
    orphan.write(_counter(1))
    assert orphan.read() == _counter(1)
