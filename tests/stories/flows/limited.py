"""Tasks that may only run a few at a time."""

import sys
import time
from itertools import pairwise

from prefect import flow, task
from prefect.concurrency.sync import concurrency, rate_limit


@task
def alone(tag: str) -> tuple[float, float]:
    """Runs while no other task with the same tag does."""
    del tag
    began = time.monotonic()
    time.sleep(0.3)
    return began, time.monotonic()


@flow
def limited_by_tag(tag: str) -> None:
    """Three tasks, one at a time."""
    futures = [alone.with_options(tags=[tag]).submit(tag) for _ in range(3)]
    spans = sorted(future.result() for future in futures)
    assert all(former[1] <= later[0] for former, later in pairwise(spans)), spans


@flow
def limited_by_name(limit: str, rate: str) -> None:
    """Holds a slot while it works, and works no faster than it may."""
    with concurrency(limit, occupy=2, strict=True):
        rate_limit(rate, strict=True)


if __name__ == "__main__":
    if sys.argv[1] == "tag":
        limited_by_tag(sys.argv[2])
    else:
        limited_by_name(*sys.argv[2:])
