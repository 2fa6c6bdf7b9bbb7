"""A flow with a hundred tasks at once."""

from prefect import flow, task


@task
def square(number: int) -> int:
    """The number times itself."""
    return number * number


@flow
def hundred_tasks() -> int:
    """The sum of the first hundred squares."""
    return sum(future.result() for future in [square.submit(number) for number in range(100)])


if __name__ == "__main__":
    assert hundred_tasks() == 328350
