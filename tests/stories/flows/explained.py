"""Flows that get stuck in the ways that somebody asks about."""

import sys

from prefect import flow, task
from prefect.concurrency.sync import concurrency


@flow(retries=1, retry_delay_seconds=600)
def tries_again_later() -> None:
    """Fails, and is to be tried again long after anybody looks."""
    raise ValueError("no bananas today")


@task
def guarded(tag: str) -> None:
    """Runs when its tag has a slot."""
    del tag


@flow
def waits_for_a_tag(tag: str) -> None:
    """Its task finds no slot."""
    guarded.with_options(tags=[tag]).submit(tag).wait()


@flow
def waits_for_a_limit(limit: str) -> None:
    """Asks for a slot that somebody else holds."""
    with concurrency(limit, strict=True):
        pass


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["tag", tag]:
            waits_for_a_tag(tag)
        case ["limit", limit]:
            waits_for_a_limit(limit)
        case _:
            tries_again_later()
