"""A limit that evens out: a burst, then a rate."""

from lightwell.kit.token_bucket import TokenBucket


def test_a_burst_and_then_a_rate() -> None:
    """Three at once, then two a second, and never more than three after a pause."""
    now = [0.0]
    bucket = TokenBucket(2.0, 3.0, lambda: now[0])

    def taken() -> int:
        return sum(bucket.take() for _ in range(10))

    assert taken() == 3
    now[0] += 1.0
    assert taken() == 2
    now[0] += 1000.0
    assert taken() == 3


def test_a_rate_of_nothing_gives_nothing() -> None:
    """Not even the burst."""
    assert not TokenBucket(0.0, 100.0).take()
