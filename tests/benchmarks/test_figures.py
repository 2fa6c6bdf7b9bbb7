"""The benchmark's arithmetic: what one batch cost, how rounds are paired, how a ratio is written."""

import pytest

from benchmarks.figures import Batch, Spread, advantages, format_ratio, format_value, spread


def test_a_batch_charges_the_accepted_with_the_cpu_of_all() -> None:
    """CPU and throughput count accepted answers only, so that refusing quickly never looks fast."""
    batch = Batch(accepted=50, refused=150, cpu_seconds=1.0, wall_seconds=2.0)

    assert batch.cpu_milliseconds == pytest.approx(20.0)
    assert batch.throughput == pytest.approx(25.0)
    assert batch.share == pytest.approx(0.25)


def test_a_batch_without_any_accepted_answer_has_no_figures() -> None:
    """A server that refused everything is neither fast nor slow."""
    batch = Batch(accepted=0, refused=10, cpu_seconds=1.0, wall_seconds=2.0)

    assert batch.cpu_milliseconds is None
    assert batch.throughput is None
    assert batch.share == 0


def test_an_advantage_is_above_one_where_ours_is_better() -> None:
    """Less CPU and more throughput both give ratios above one."""
    assert advantages([1.0, 2.0], [10.0, 10.0], "lower") == [10.0, 5.0]
    assert advantages([100.0, 50.0], [10.0, 10.0], "higher") == [10.0, 5.0]


def test_rounds_without_both_values_are_left_out() -> None:
    """A pair needs both servers; zero cannot be divided by."""
    assert advantages([1.0, None, 0.0, 2.0], [4.0, 4.0, 4.0], "lower") == [4.0]


def test_a_spread_is_median_and_extremes() -> None:
    """The noise is what the rounds themselves showed."""
    assert spread([3.0, None, 1.0, 20.0]) == Spread(3.0, 1.0, 20.0)
    assert spread([None]) is None


@pytest.mark.parametrize(
    ("ratio", "written"),
    [
        (Spread(12.34, 11.8, 13.0), "12.3x (11.8-13.0)"),
        (Spread(1.0, 0.95, 1234.5), "1.00x (0.950-1,234)"),
        (None, "-"),
    ],
)
def test_a_ratio_is_written_with_its_noise(ratio: Spread | None, written: str) -> None:
    """Three significant digits, and the range behind."""
    assert format_ratio(ratio) == written


def test_a_missing_value_is_a_dash() -> None:
    """Nothing measured is not zero."""
    assert format_value(None) == "-"
    assert format_value(Spread(0.4171, 0.1, 0.9)) == "0.417"
