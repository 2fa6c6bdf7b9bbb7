"""The table: one row per figure, goals judged by the median of paired rounds, refusals and a busy generator marked."""

import pytest

from benchmarks.figures import Batch
from benchmarks.lifecycle import Life
from benchmarks.report import Report
from benchmarks.scenarios import Scenario
from benchmarks.servers import Name, Target


async def _never(_target: Target, _seconds: float) -> Batch:
    raise AssertionError


CREATE = Scenario("create", "request", _never, goal=10)


def _report(ours: list[Batch], theirs: list[Batch]) -> Report:
    report = Report()
    for name, batches in (("lightwell", ours), ("reference", theirs)):
        for batch in batches:
            report.add_batch(CREATE, _name(name), batch)
    return report


def _name(name: str) -> Name:
    return "lightwell" if name == "lightwell" else "reference"


def _batch(cpu: float, *, refused: int = 0, generator: float = 0.0) -> Batch:
    return Batch(100, refused, cpu, wall_seconds=1.0, generator_seconds=generator)


def test_a_goal_is_judged_by_the_median_of_pairs() -> None:
    """One bad round does not fail a promise that the others keep."""
    report = _report([_batch(0.1), _batch(0.1), _batch(1.0)], [_batch(1.2), _batch(1.1), _batch(1.2)])

    assert list(report.missed()) == []
    assert "11.0x (1.20-12.0)" in report.table()
    assert "10x met" in report.table()


def test_a_missed_goal_is_named() -> None:
    """What is below its promise is said in words, for --check."""
    report = _report([_batch(0.5)], [_batch(1.0)])

    assert list(report.missed()) == ["create: CPU is 2.00x (2.00-2.00), 10x MISSED"]


def test_one_server_alone_gives_values_and_no_verdict() -> None:
    """Without a pair there is no ratio, and nothing is missed."""
    report = _report([_batch(0.5)], [])

    assert list(report.missed()) == []
    assert report.as_json()[0]["met"] is None
    assert report.as_json()[0]["values"]["lightwell"] == [pytest.approx(5.0)]


def test_refusals_and_a_busy_generator_are_marked() -> None:
    """A reader sees which figures not to trust."""
    report = _report([_batch(0.1, generator=0.95)], [_batch(1.0, refused=50)])

    assert "reference refused some" in report.table()
    assert "limited by the load generator" in report.table()


def test_starting_has_an_absolute_limit() -> None:
    """A second and a half of CPU is too much however much the reference needs."""
    report = Report()
    report.add_life("lightwell", Life(1.6, 2.0, 1.0, 80.0))
    report.add_life("reference", Life(10.0, 12.0, 20.0, 240.0))

    assert list(report.missed()) == ["start: CPU to healthy is 6.25x (6.25-6.25), at most 1.5 MISSED"]
