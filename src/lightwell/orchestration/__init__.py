"""Decides what becomes of a state that somebody proposes for a run; pure: no database, no clock, no framework.

`policies.py` is the contents page, `engine.py` the two functions that operations call (`needs`, then `decide`).
"""
