"""The versions that clients are told; of the contract, not of this project."""

SERVER_VERSION = "3.8.8"
"""What `GET /admin/version` answers: clients of a higher version warn, those of another major version refuse."""

API_VERSION = "0.8.4"
"""What `GET /version` answers, and what clients send as `X-PREFECT-API-VERSION`."""
