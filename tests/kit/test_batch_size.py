"""How much to do at once."""

from hypothesis import given
from hypothesis import strategies as st

from lightwell.kit.batch_size import next_size

TARGET = 0.01


def test_it_grows_while_there_is_time() -> None:
    """To twice as much at most, and never past the limit."""
    assert next_size(10, 10, 0.001, target=TARGET, most=100) == 20
    assert next_size(10, 10, 0.008, target=TARGET, most=100) == 12
    assert next_size(80, 80, 0.001, target=TARGET, most=100) == 100
    assert next_size(10, 10, 0.0, target=TARGET, most=100) == 20


def test_it_shrinks_to_what_would_have_been_in_time() -> None:
    """At once, and to one at least."""
    assert next_size(100, 100, 0.05, target=TARGET, most=100) == 20
    assert next_size(100, 10, 0.05, target=TARGET, most=100) == 2
    assert next_size(3, 3, 10.0, target=TARGET, most=100) == 1


def test_a_rest_says_nothing_of_more() -> None:
    """Five in no time do not mean that a hundred are as quick."""
    assert next_size(100, 5, 0.0001, target=TARGET, most=1000) == 100


@given(cost=st.floats(1e-5, 5e-3), first=st.integers(1, 500))
def test_it_finds_the_size_that_takes_as_long_as_it_shall(cost: float, first: int) -> None:
    """Within ten batches, whatever one of them costs; and stays there."""
    size = first
    for _ in range(10):
        size = next_size(size, size, size * cost, target=TARGET, most=500)
    fitting = min(500, max(1, int(TARGET / cost)))
    for _ in range(10):
        assert fitting // 2 <= size <= fitting + 1
        size = next_size(size, size, size * cost, target=TARGET, most=500)
