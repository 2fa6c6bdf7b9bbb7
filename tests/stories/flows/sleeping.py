"""A flow that takes its time."""

import time

from prefect import flow, task


@task
def nap() -> None:
    """Sleep in small pieces, so that a signal is heard."""
    for _ in range(600):
        time.sleep(0.1)


@flow
def sleeping() -> None:
    """Sleep for a minute."""
    nap()


if __name__ == "__main__":
    sleeping()
