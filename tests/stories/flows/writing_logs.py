"""A flow that writes logs."""

from prefect import flow, get_run_logger, task


@task
def counts() -> None:
    """Count aloud."""
    for number in range(3):
        get_run_logger().info("count %d", number)


@flow(log_prints=True)
def writes_logs() -> None:
    """Log at every level."""
    logger = get_run_logger()
    logger.debug("too quiet to be sent")
    logger.warning("mind the gap: ünï 🚆")
    print("printed")  # noqa: T201
    counts()
    try:
        int("with a stack")
    except ValueError:
        logger.exception("it broke")


if __name__ == "__main__":
    writes_logs()
