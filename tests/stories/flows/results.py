"""Results that are kept, and tasks that are not run twice for the same input."""

import sys

from prefect import flow, task
from prefect.cache_policies import INPUTS


@task(persist_result=True)
def answer() -> dict[str, int]:
    """A result that is worth keeping."""
    return {"answer": 42}


@task(persist_result=True, cache_policy=INPUTS)
def expensive(number: int) -> int:
    """Costs much, so once is enough for each number."""
    return number + 1


@flow(persist_result=True)
def results() -> dict[str, int]:
    """Keeps what it found."""
    expensive(1)
    expensive(1)
    expensive(2)
    return answer()


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        assert results() == {"answer": 42}
