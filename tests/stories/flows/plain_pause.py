"""A flow that waits for somebody's go, with no question."""

import sys

from prefect import flow
from prefect.flow_runs import pause_flow_run


@flow
def waiting(timeout: int) -> str:
    """Waits, so many seconds at most."""
    pause_flow_run(timeout=timeout, poll_interval=1)
    return "on we go"


if __name__ == "__main__":
    waiting(int(sys.argv[1]))
