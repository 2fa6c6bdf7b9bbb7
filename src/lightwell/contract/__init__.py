"""The REST vocabulary: one module per resource, models only; its source is the contract (prefect 3.8.8, API 0.8.4)."""
