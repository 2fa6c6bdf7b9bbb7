"""How the tables come to be: one chain of revisions for SQLite and PostgreSQL; run by `chain.py`."""
