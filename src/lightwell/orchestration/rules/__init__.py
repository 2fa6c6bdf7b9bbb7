"""One idea about transitions per module; `policies.py` says which apply when, and in which order."""
