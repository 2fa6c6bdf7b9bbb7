"""Names, tags and labels of a person's own."""

from prefect import flow, tags, task


@task(task_run_name="weigh {fruit}", tags=["scales"])
def weigh(fruit: str) -> int:
    """How heavy it is."""
    return len(fruit)


@flow(name="Fruit Shop", flow_run_name="shop of {owner}", version="7", description="Sells fruit.")
def shop(owner: str, stock: list[str]) -> int:
    """Weighs all there is, and its owner."""
    with tags("inventory"):
        return len(owner) + sum(weigh(fruit) for fruit in stock)


if __name__ == "__main__":
    assert shop("Ada", ["fig", "plum"]) == 10
