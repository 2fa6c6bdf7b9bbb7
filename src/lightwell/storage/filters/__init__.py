"""Turns the contract's filter objects and sorts into clauses of statements.

Begin with `related.py`: what a list of one resource is restricted to, by criteria of its own and of its relatives.
"""

from lightwell.storage.filters.related import Criteria, criteria_of

__all__ = ["Criteria", "criteria_of"]
